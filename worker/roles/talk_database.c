#include "roles/talk_parts.h"

static RolesQuery second_plan(const RolesTalk *talk)
{
    return talk->task->mode == ROLES_MODE_OWNER ? ROLES_QUERY_CREATOR : ROLES_QUERY_PRIVILEGES;
}

static void settle(RolesTalk *talk)
{
    talk_apply_settle(talk, ROLES_QUERY_OWNER);
    talk_apply_settle(talk, second_plan(talk));
    talk_go(talk, TALK_DONE);
}

// Owners first, chunk by chunk; privileges are given by the new owner.
void talk_database_decide(RolesTalk *talk)
{
    if (talk->task->mode == ROLES_MODE_PLAN) {
        settle(talk);
        return;
    }
    if (talk_apply_count(talk, ROLES_QUERY_OWNER) > 0) {
        talk_apply_begin(talk, ROLES_QUERY_OWNER);
    } else if (talk->look_count < 2) {
        talk_go(talk, TALK_LOOKS);
    } else if (talk->rounds < TALK_ROUNDS_MAX && talk_apply_count(talk, second_plan(talk)) > 0) {
        talk_apply_begin(talk, second_plan(talk));
    } else {
        settle(talk);
    }
}

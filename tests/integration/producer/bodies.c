#include <stdio.h>

#include "support.h"

Provisioning__V1__Event *stage_accepted(void)
{
    static Provisioning__V1__CommandAccepted body;
    provisioning__v1__command_accepted__init(&body);
    static Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_ACCEPTED;
    event.command_accepted = &body;
    return &event;
}

Provisioning__V1__Event *stage_deleted(const char *environment)
{
    static char name[SUPPORT_TEXT_BYTES];
    static Provisioning__V1__EnvironmentDeleted body;
    provisioning__v1__environment_deleted__init(&body);
    static Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    (void)snprintf(name, sizeof(name), "%s", environment);
    body.environment = name;
    event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_DELETED;
    event.environment_deleted = &body;
    event.sequence = 2;
    return &event;
}

Provisioning__V1__Event *stage_rejected(const char *code)
{
    static char text[SUPPORT_TEXT_BYTES];
    static Provisioning__V1__CommandRejected body;
    provisioning__v1__command_rejected__init(&body);
    static Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    (void)snprintf(text, sizeof(text), "%s", code);
    body.code = text;
    event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED;
    event.command_rejected = &body;
    return &event;
}

Provisioning__V1__Event *stage_failed(const char *code)
{
    static char text[SUPPORT_TEXT_BYTES];
    static Provisioning__V1__CommandFailed body;
    provisioning__v1__command_failed__init(&body);
    static Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    (void)snprintf(text, sizeof(text), "%s", code);
    body.code = text;
    event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED;
    event.command_failed = &body;
    return &event;
}

Provisioning__V1__Event *stage_cancelled(void)
{
    static Provisioning__V1__CommandCancelled body;
    provisioning__v1__command_cancelled__init(&body);
    static Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_CANCELLED;
    event.command_cancelled = &body;
    return &event;
}

static void init_change(Provisioning__V1__RoleChange *change, char *database, char *reason,
                        bool blocked)
{
    static char object[] = "svc_orders";
    static char statement[] = "ALTER ROLE svc_orders LOGIN";
    provisioning__v1__role_change__init(change);
    change->database = database;
    change->object = object;
    change->change = statement;
    change->reason = reason;
    change->blocked = blocked;
}

Provisioning__V1__Event *stage_planned(const char *environment, bool drifted)
{
    static char name[SUPPORT_TEXT_BYTES];
    static char everywhere[] = "";
    static char database[] = "main";
    static char login[] = "it can't log in";
    static char foreign[] = "its owner is another";
    static Provisioning__V1__RoleChange changes[2];
    static Provisioning__V1__RoleChange *list[] = {&changes[0], &changes[1]};
    static Provisioning__V1__RolesConfigured body;
    provisioning__v1__roles_configured__init(&body);
    init_change(&changes[0], everywhere, login, false);
    init_change(&changes[1], database, foreign, true);
    (void)snprintf(name, sizeof(name), "%s", environment);
    body.environment = name;
    body.planned_only = true;
    body.changes = list;
    body.n_changes = drifted ? 2 : 0;
    static Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    event.body_case = PROVISIONING__V1__EVENT__BODY_ROLES_CONFIGURED;
    event.roles_configured = &body;
    return &event;
}

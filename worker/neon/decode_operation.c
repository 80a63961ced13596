#include <string.h>

#include "base/attr.h"
#include "neon/member.h"
#include "neon/reply.h"

enum { OPERATION_ID_BYTES = sizeof((NeonOperation){0}.id) };

static void json_free_at(json_t **value)
{
    json_decref(*value);
}

bool neon_decode_operation_ids(const json_t *body, json_t **ret_ids, Error *err)
{
    *ret_ids = NULL;
    CLEANUP(json_free_at) json_t *ids = json_array();
    // A reply without the member (a project's deletion) starts nothing that could be waited for.
    const json_t *list = neon_member_get(body, "operations");
    if (list != NULL && !json_is_array(list)) {
        return neon_member_refuse("operations", "is no array", err);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        char id[OPERATION_ID_BYTES] = "";
        if (!neon_member_text(json_array_get(list, i), "id", id, sizeof id, err)) {
            return false;
        }
        json_array_append_new(ids, json_string(id));
    }
    *ret_ids = json_incref(ids);
    return true;
}

// https://neon.com/docs/manage/operations
static NeonOperationState state_of(const char *status)
{
    static const struct {
        const char *status;
        NeonOperationState state;
    } STATES[] = {
        {"finished", NEON_OPERATION_DONE},       {"skipped", NEON_OPERATION_DONE},
        {"failed", NEON_OPERATION_FAILING},      {"error", NEON_OPERATION_FAILING},
        {"cancelled", NEON_OPERATION_CANCELLED},
    };
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        if (strcmp(status, STATES[i].status) == 0) {
            return STATES[i].state;
        }
    }
    return NEON_OPERATION_RUNNING;
}

bool neon_decode_operation(const json_t *body, NeonOperation *ret_operation, Error *err)
{
    static const NeonRange FAILURES = {0, INT32_MAX, 0};
    *ret_operation = (NeonOperation){0};
    const json_t *operation = neon_member_object(body, "operation", err);
    if (operation == NULL ||
        !neon_member_text(operation, "id", ret_operation->id, sizeof ret_operation->id, err) ||
        !neon_member_text(operation, "action", ret_operation->action, sizeof ret_operation->action,
                          err) ||
        !neon_member_text(operation, "status", ret_operation->status, sizeof ret_operation->status,
                          err) ||
        !neon_member_message(operation, "error", ret_operation->error, sizeof ret_operation->error,
                             err) ||
        !neon_member_integer(operation, "failures_count", FAILURES, &ret_operation->failures_count,
                             err)) {
        return false;
    }
    ret_operation->state = state_of(ret_operation->status);
    return true;
}

#include <string.h>

#include "neon/member.h"
#include "neon/reply.h"

static bool read_endpoint(const json_t *item, NeonEndpoint *ret_endpoint, Error *err)
{
    // A week is the longest that Neon takes; what it will take is its own matter.
    static const NeonRange SUSPEND = {-1, INT32_MAX, 0};
    *ret_endpoint = (NeonEndpoint){0};
    if (!neon_member_id(item, "id", ret_endpoint->id, err) ||
        !neon_member_id(item, "branch_id", ret_endpoint->branch_id, err) ||
        !neon_member_text(item, "host", ret_endpoint->host, sizeof ret_endpoint->host, err) ||
        !neon_member_text(item, "type", ret_endpoint->type, sizeof ret_endpoint->type, err) ||
        !neon_member_text(item, "current_state", ret_endpoint->current_state,
                          sizeof ret_endpoint->current_state, err) ||
        !neon_member_text_optional(item, "pending_state", ret_endpoint->pending_state,
                                   sizeof ret_endpoint->pending_state, err) ||
        !neon_member_units(item, "autoscaling_limit_min_cu", &ret_endpoint->min_cu, err) ||
        !neon_member_units(item, "autoscaling_limit_max_cu", &ret_endpoint->max_cu, err) ||
        !neon_member_integer(item, "suspend_timeout_seconds", SUSPEND,
                             &ret_endpoint->suspend_timeout_seconds, err)) {
        return false;
    }
    return neon_member_is_host(ret_endpoint->host) ||
           neon_member_refuse("host", "is no host name", err);
}

// `item` is taken when it is the first read-write endpoint.
static bool take_endpoint(const json_t *item, NeonEndpoint *ret_endpoint, bool *ret_found,
                          Error *err)
{
    NeonEndpoint endpoint = {0};
    if (!read_endpoint(item, &endpoint, err)) {
        return false;
    }
    if (!*ret_found && strcmp(endpoint.type, "read_write") == 0) {
        *ret_endpoint = endpoint;
        *ret_found = true;
    }
    return true;
}

bool neon_decode_endpoints(const json_t *body, NeonEndpoint *ret_endpoint, bool *ret_found,
                           Error *err)
{
    *ret_endpoint = (NeonEndpoint){0};
    *ret_found = false;
    const json_t *created = neon_member_get(body, "endpoint");
    if (created != NULL) {
        return take_endpoint(created, ret_endpoint, ret_found, err);
    }
    const json_t *list = neon_member_array(body, "endpoints", err);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!take_endpoint(json_array_get(list, i), ret_endpoint, ret_found, err)) {
            return false;
        }
    }
    return true;
}

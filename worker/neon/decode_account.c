#include <string.h>

#include "neon/member.h"
#include "neon/message.h"
#include "neon/reply.h"

bool neon_decode_auth(const json_t *body, NeonAccountInfo *ret_info, Error *err)
{
    *ret_info = (NeonAccountInfo){0};
    return neon_member_text(body, "account_id", ret_info->account_id, sizeof ret_info->account_id,
                            err) &&
           neon_member_text(body, "auth_method", ret_info->auth_method,
                            sizeof ret_info->auth_method, err);
}

static bool decode_organization(const json_t *item, NeonOrganization *ret_organization, Error *err)
{
    *ret_organization = (NeonOrganization){0};
    return neon_member_text(item, "id", ret_organization->id, sizeof ret_organization->id, err) &&
           neon_member_message(item, "name", ret_organization->name, sizeof ret_organization->name,
                               err);
}

bool neon_decode_organizations(const json_t *body, NeonOrganization *ret_list, size_t max,
                               size_t *ret_count, Error *err)
{
    *ret_count = 0;
    const json_t *list = neon_member_array(body, "organizations", err);
    if (list == NULL) {
        return false;
    }
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < max; i++) {
        if (!decode_organization(json_array_get(list, i), &ret_list[i], err)) {
            return false;
        }
    }
    *ret_count = count;
    return true;
}

bool neon_decode_regions(const json_t *body, NeonRegion *ret_list, size_t max, size_t *ret_count,
                         Error *err)
{
    *ret_count = 0;
    const json_t *list = neon_member_array(body, "regions", err);
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < max; i++) {
        const json_t *item = json_array_get(list, i);
        ret_list[i] = (NeonRegion){0};
        if (!neon_member_id(item, "region_id", ret_list[i].id, err) ||
            !neon_member_message(item, "name", ret_list[i].name, sizeof ret_list[i].name, err)) {
            return false;
        }
    }
    *ret_count = count;
    return list != NULL;
}

bool neon_decode_has_region(const json_t *body, const char *region_id, bool *ret_has, Error *err)
{
    *ret_has = false;
    const json_t *list = neon_member_array(body, "regions", err);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        char id[NAME_NEON_ID_BYTES] = "";
        if (!neon_member_id(json_array_get(list, i), "region_id", id, err)) {
            return false;
        }
        *ret_has = *ret_has || strcmp(id, region_id) == 0;
    }
    return true;
}

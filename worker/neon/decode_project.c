#include "neon/member.h"
#include "neon/page.h"
#include "neon/reply.h"

bool neon_decode_project_item(const json_t *item, NeonProject *ret_project, Error *err)
{
    static const NeonRange VERSION = {1, 999, 0};
    static const NeonRange RETENTION = {-1, INT32_MAX, -1};
    *ret_project = (NeonProject){0};
    int64_t version = 0;
    if (!neon_member_id(item, "id", ret_project->id, err) ||
        !neon_member_name(item, "name", ret_project->name, sizeof ret_project->name, err) ||
        !neon_member_id(item, "region_id", ret_project->region_id, err) ||
        !neon_member_integer(item, "pg_version", VERSION, &version, err) ||
        !neon_member_integer(item, "history_retention_seconds", RETENTION,
                             &ret_project->history_retention_seconds, err) ||
        !neon_member_instant(item, "created_at", &ret_project->created_at_ms, err)) {
        return false;
    }
    ret_project->pg_version = (int)version;
    return true;
}

bool neon_decode_project(const json_t *body, NeonProject *ret_project, Error *err)
{
    const json_t *project = neon_member_object(body, "project", err);
    return project != NULL && neon_decode_project_item(project, ret_project, err);
}

bool neon_decode_projects(const json_t *body, const char *cursor, NeonPage *ret_page, Error *err)
{
    if (!neon_page_read(body, "projects", "cursor", cursor, ret_page, err)) {
        return false;
    }
    const json_t *unavailable = neon_member_get(body, "unavailable_project_ids");
    if (unavailable != NULL && !json_is_array(unavailable)) {
        return neon_member_refuse("unavailable_project_ids", "is no array", err);
    }
    ret_page->partial = json_array_size(unavailable) > 0;
    return true;
}

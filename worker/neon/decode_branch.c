#include "base/text.h"
#include "neon/member.h"
#include "neon/page.h"
#include "neon/reply.h"

static bool read_annotation(const json_t *value, const char *name, char *field, size_t field_bytes)
{
    const char *text = json_string_value(json_object_get(value, name));
    return text != NULL && text[0] != '\0' && text_copy(field, field_bytes, text);
}

// Annotations are free text of whoever made the branch: what isn't a whole mark is not ours, and no
// error.
static void read_mark(const json_t *annotation, NeonMark *ret_mark)
{
    const json_t *value = json_object_get(annotation, "value");
    NeonMark mark = {0};
    bool whole =
        read_annotation(value, NEON_MARK_INSTALLATION, mark.installation,
                        sizeof mark.installation) &&
        read_annotation(value, NEON_MARK_APPLICATION, mark.application, sizeof mark.application) &&
        read_annotation(value, NEON_MARK_ENVIRONMENT, mark.environment, sizeof mark.environment) &&
        read_annotation(value, NEON_MARK_COMMAND, mark.command, sizeof mark.command);
    *ret_mark = whole ? mark : (NeonMark){0};
}

static bool read_states(const json_t *item, NeonBranch *ret_branch, Error *err)
{
    return neon_member_text(item, "current_state", ret_branch->current_state,
                            sizeof ret_branch->current_state, err) &&
           neon_member_text_optional(item, "pending_state", ret_branch->pending_state,
                                     sizeof ret_branch->pending_state, err);
}

// `default` took the place of `primary`; old replies carry only that one.
static bool read_flags(const json_t *item, NeonBranch *ret_branch, Error *err)
{
    bool told = neon_member_get(item, "default") != NULL;
    return neon_member_flag(item, told ? "default" : "primary", &ret_branch->is_default, err) &&
           neon_member_flag(item, "protected", &ret_branch->is_protected, err);
}

static bool read_branch(const json_t *item, NeonBranch *ret_branch, Error *err)
{
    *ret_branch = (NeonBranch){0};
    // Only deleted branches that can be recovered carry it.
    ret_branch->is_deleted = neon_member_get(item, "recovery") != NULL;
    return neon_member_id(item, "id", ret_branch->id, err) &&
           neon_member_id(item, "project_id", ret_branch->project_id, err) &&
           neon_member_id_optional(item, "parent_id", ret_branch->parent_id, err) &&
           neon_member_name(item, "name", ret_branch->name, sizeof ret_branch->name, err) &&
           read_states(item, ret_branch, err) && read_flags(item, ret_branch, err) &&
           neon_member_instant(item, "created_at", &ret_branch->created_at_ms, err) &&
           neon_member_instant_optional(item, "expires_at", &ret_branch->expires_ms, err) &&
           neon_member_instant_optional(item, "last_reset_at", &ret_branch->last_reset_ms, err);
}

bool neon_decode_branch(const json_t *body, NeonBranch *ret_branch, Error *err)
{
    const json_t *branch = neon_member_object(body, "branch", err);
    if (branch == NULL || !read_branch(branch, ret_branch, err)) {
        return false;
    }
    read_mark(json_object_get(body, "annotation"), &ret_branch->mark);
    return true;
}

bool neon_decode_branches(const json_t *body, const char *cursor, NeonPage *ret_page, Error *err)
{
    return neon_page_read(body, "branches", "next", cursor, ret_page, err);
}

bool neon_decode_branch_item(const json_t *body, const json_t *item, NeonBranch *ret_branch,
                             Error *err)
{
    if (!read_branch(item, ret_branch, err)) {
        return false;
    }
    const json_t *annotations = json_object_get(body, "annotations");
    read_mark(json_object_get(annotations, ret_branch->id), &ret_branch->mark);
    return true;
}

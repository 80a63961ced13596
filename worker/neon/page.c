#include "neon/page.h"

#include <string.h>

#include "neon/member.h"

bool neon_page_read(const json_t *body, const char *list, const char *next, const char *cursor,
                    NeonPage *ret_page, Error *err)
{
    *ret_page = (NeonPage){.items = neon_member_array(body, list, err)};
    if (ret_page->items == NULL) {
        return false;
    }
    const json_t *pagination = neon_member_get(body, "pagination");
    if (!neon_member_text_optional(pagination, next, ret_page->cursor, sizeof ret_page->cursor,
                                   err)) {
        return false;
    }
    if (json_array_size(ret_page->items) == 0 || strcmp(ret_page->cursor, cursor) == 0) {
        ret_page->cursor[0] = '\0';
    }
    return true;
}

/*
 * The body of a reply as JSON: only when its content type says so, at most NEON_REPLY_BYTES_MAX
 * long and NEON_BODY_DEPTH_MAX deep (jansson recurses by depth), no member twice. Its values are
 * limited, too: of a reply of nothing but "{}," jansson makes 1.2 GiB, in a second or more.
 */
#ifndef NEON_BODY_H
#define NEON_BODY_H

#include <jansson.h>

#include "base/bytes.h"

enum {
    NEON_BODY_DEPTH_MAX = 32,
    // A page of 10000 branches has some 80000 and 400000.
    NEON_BODY_CONTAINERS_MAX = 200000,
    NEON_BODY_COMMAS_MAX = 500000,
    NEON_BODY_MEMBERS_MAX = 20000, // of one object or array
};

// The caller's; NULL when it can't be read, with the reason (static) in *ret_why. The parser's own
// error text isn't passed on, since it quotes the body, which may hold a password.
json_t *neon_body_parse(const char *content_type, Bytes body, const char **ret_why);

#endif

/*
 * What of a PostgreSQL connection URI may be repeated in a message. libpq's messages name host and
 * port; where a special character in the password was not percent-encoded, a part of the password
 * stands there. https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
 */
#ifndef BASE_CONNINFO_H
#define BASE_CONNINFO_H

#include <stdbool.h>

// One parameter as libpq has read it: its keyword ("host", "port", …) and its value, NULL where
// there is none. False: it can't be what it is meant to be, and nothing of the URI may be shown.
bool conninfo_is_safe_to_repeat(const char *keyword, const char *value);

#endif

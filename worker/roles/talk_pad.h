/*
 * How a password goes to the server: covered by a key that only this session and its server know
 * (ROLES_SQL_MAKE_PAD says why). Block n of a role's key is the SHA-256 of "<pad> <n> <role>".
 */
#ifndef ROLES_TALK_PAD_H
#define ROLES_TALK_PAD_H

#include <stdbool.h>

#include "base/secret.h"

// Whether it is what ROLES_SQL_MAKE_PAD answers.
bool talk_pad_check(const char *pad);
// Lower-case hex; to be freed. A pad covers one password of a role, no second one.
char *talk_pad_cover(const Secret *pad, const char *role, const Secret *password);

#endif

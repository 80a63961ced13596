/* Logins into a box's clusters with libpq. */
#pragma once

#include "box.h"

enum { LOGIN_VERSIONS_MAX = 8, LOGIN_ARGUMENTS_MAX = 32 };

/* PostgreSQL 15 always, and what PROVISION_POSTGRES_DIRS names beside it (prefixes, with colons
 * between). */
typedef struct LoginVersions {
    const char *arguments[LOGIN_ARGUMENTS_MAX]; /* of the sandbox, NULL-terminated */
    const char *majors[LOGIN_VERSIONS_MAX];
    int count;
} LoginVersions;

/* With one more option and its value before. */
LoginVersions login_list_versions(const char *option, const char *value);
/* The URI with sslmode=verify-full and the box's CA. */
const char *login_verify(const Box *box, const char *uri);
/* The first value of a query's first row ("" without rows); NULL when login or query fail.
 * *ret_error (may be NULL) becomes the message. */
const char *login_query(const char *uri, const char *sql, const char **ret_error);
/* A verified login and that query give `wanted`. */
void login_assert(const Box *box, const char *uri, const char *sql, const char *wanted);
/* The same, in the end: tried again for half a minute. */
void login_await(const Box *box, const char *uri, const char *sql, const char *wanted);
/* A new project of that PostgreSQL version, ready, and its owner's URI. */
Reply login_create_project(const Box *box, const char *major, const char **ret_uri);
/* A new branch with an endpoint, ready, and its owner's URI. */
Reply login_create_branch(const Box *box, const char *project_id, const char *name,
                          const char **ret_uri);

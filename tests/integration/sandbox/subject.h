/* A project on each version of PostgreSQL, and its branch seen by its roles, by Neon's superuser
 * and by the API. */
#pragma once

#include "login.h"

typedef struct Subject {
    const Box *box;
    int major;
    const char *uri;
    const char *project;
    const char *branch_id;
    const char *branch; /* path */
    const char *endpoint;
    const char *socket_dir; /* cloud_admin's way in */
} Subject;

typedef struct Subjects {
    Subject list[LOGIN_VERSIONS_MAX];
    int count;
} Subjects;

/* A password that Neon takes. */
#define SUBJECT_PASSWORD "Vk3r7TqPz0LmXw9BnYs5"

/* The attributes super, inherit, createrole, createdb, login, replication and bypassrls of the role
 * that is appended, as `t` and `f` with commas; and what it is a member of, with a star for ADMIN.
 */
extern const char SUBJECT_ATTRIBUTES[];
extern const char SUBJECT_MEMBERSHIPS[];

/* Starts the box with every version, and makes a project of each. */
Subjects subjects_start(Box *box);
Subject subject_make(const Box *box, const char *major);
/* A member of the branch's object in GET /sandbox/state. */
const char *subject_find(const Box *box, const char *branch_id, const char *member);
/* As the owner, in neondb. */
void subject_expect(const Subject *subject, const char *sql, const char *wanted);
/* As Neon's superuser, which the control plane isn't told of. */
void subject_expect_admin(const Subject *subject, const char *sql, const char *wanted);
bool subject_logs_in(const Subject *subject, const char *role, const char *password);
/* A member of the role's object in the API, or "absent". */
const char *subject_read_role(const Subject *subject, const char *name, const char *member);
void subject_delete_role(const Subject *subject, const char *name);
/* Suspends the endpoint and starts it again. */
void subject_restart(const Subject *subject);

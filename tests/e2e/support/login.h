/*
 * Logins to branches, as an application makes them: by name, with the sandbox's CA verified.
 */
#ifndef E2E_LOGIN_H
#define E2E_LOGIN_H

#include "support/world.h"

// What an event says of an environment, and how to log in there; texts are kept until the program
// ends.
typedef struct Environment {
    const char *name;
    const char *project_id;
    const char *branch_id;
    const char *host;
    const char *pooled_host;
    int port;
    const char *database;
    const char *role; // the first one
} Environment;

// Of an EnvironmentCreated or EnvironmentBranched.
Environment login_environment(const Seen *seen);
// NULL when the password is refused (SQLSTATE 28P01); anything else that goes wrong fails the test.
PGconn *login_open(World *world, const Environment *environment, const char *password);
// Logs in with the password that the API reveals.
PGconn *login_revealed(World *world, const Environment *environment);
// Runs a statement; the single value as text, kept until the program ends ("" where there is none).
const char *login_value(PGconn *connection, const char *sql);

#endif

/*
 * psql with a role's credentials. The password is neither on the screen, nor in the arguments or
 * the environment of a process, nor in a file on a disk: psql reads it from a sealed file in memory
 * that only it inherits, again whenever it reconnects.
 */
#ifndef CTL_PSQL_SESSION_H
#define CTL_PSQL_SESSION_H

#include "provision/provision.h"

typedef struct PsqlSession {
    const ProvisionCredential *credential;
    bool pooled;
    const char *ca_file; // NULL: the system's certificates
    char *const *arguments;
    size_t argument_count;
} PsqlSession;

// Replaces the process by psql, which connects with sslmode verify-full; returns only on failure,
// with the error: CREDENTIALS_UNREADABLE, PSQL_FAILED.
void psql_session_open(const PsqlSession *session, ProvisionError *err);

#endif

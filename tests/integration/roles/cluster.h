/*
 * Throw-away PostgreSQL clusters that look like a fresh branch of Neon: cloud_admin (the bootstrap
 * superuser, by the unix socket alone), neon_superuser, API-made roles and the database neondb.
 * Everybody else logs in with a password. All of them live in one folder of the test program, in
 * /tmp or where CLUSTER_FOLDER says, and end with it.
 */
#ifndef ROLES_TEST_CLUSTER_H
#define ROLES_TEST_CLUSTER_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <sys/types.h>

enum { CLUSTER_PATH_BYTES = 128, CLUSTER_SKIP = 77 };

// Password of neondb_owner, legacy_api and of every other role that a test makes for itself.
#define CLUSTER_PASSWORD "NeonOwnerPw-0123456789"

typedef struct Cluster {
    char dir[CLUSTER_PATH_BYTES]; // also the folder of its socket
    pid_t pid;                    // 0: stopped
} Cluster;

// First thing in main: takes the major version of argv[1] from PROVISION_POSTGRES_DIRS and the
// programs' folder. Where that version isn't there: ends the program, as skipped, or as failed when
// CI is set.
void cluster_require(int argc, char **argv);
int cluster_major(void);
// Path of a program of that version ("pg_dump").
void cluster_program(const char *name, char ret_path[CLUSTER_PATH_BYTES]);

// A new cluster from the template, which the first call makes.
void cluster_start(Cluster *cluster);
// The same from another initdb.
void cluster_start_unrelated(Cluster *cluster);
// Of a copy of another cluster's files, as a branch of Neon is; the other one goes on.
void cluster_start_copy(Cluster *cluster, const Cluster *parent);
// Such a copy as a standby that has taken over.
void cluster_start_promoted(Cluster *cluster, const Cluster *parent);
void cluster_stop(Cluster *cluster); // for CLEANUP; its files go too
void cluster_forget_all(void);       // removes the folder; call at the end of main

// NULL when the login is refused (`ret_error`, which may be NULL, gets libpq's text of up to 512
// bytes); fails the test when the server is not there.
PGconn *cluster_login(const Cluster *cluster, const char *database, const char *user,
                      const char *password, char *ret_error);
PGconn *cluster_admin(const Cluster *cluster, const char *database); // cloud_admin; must succeed
// As a role with CLUSTER_PASSWORD; must succeed.
PGconn *cluster_user(const Cluster *cluster, const char *database, const char *user);

// Whether the server's log holds the text.
bool cluster_log_has(const Cluster *cluster, const char *text);

void cluster_finish(PGconn **connection); // for CLEANUP

#endif

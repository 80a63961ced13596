/* What exists: projects, branches, endpoints, roles, databases, operations. Everything lives until
 * the store is freed; what was deleted stays as a tombstone, because listings may lag behind it and
 * a second DELETE has to answer 204. One thread (the loop) uses it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "ids.h"
#include "order.h"
#include "text.h"

enum {
    STORE_NAME_BYTES = 1028,         /* 256 characters */
    STORE_ENDPOINT_NAME_BYTES = 260, /* 64 characters */
    STORE_SQL_NAME_BYTES = 64,
    STORE_PASSWORD_BYTES = 128,
    STORE_ERROR_BYTES = 256,
    STORE_LSN_BYTES = 32,
};

typedef enum Kind {
    KIND_PROJECT,
    KIND_BRANCH,
    KIND_ENDPOINT,
    KIND_ROLE,
    KIND_DATABASE,
    KIND_OPERATION,
    KIND_COUNT,
} Kind;

/* When a thing exists, and from when reads show it: a listing that lags shows neither the newest
 * things nor the newest deletions. All in milliseconds since the epoch; deleted_ms 0 means it
 * exists. */
typedef struct Lifetime {
    int64_t created_ms;
    int64_t updated_ms;
    int64_t deleted_ms;
    int64_t found_ms;    /* GET of this one thing finds it from here on */
    int64_t listed_ms;   /* listings show it from here on */
    int64_t unlisted_ms; /* once deleted: listings show it until then */
} Lifetime;

/* Part of what saved.h keeps: that it changed since. Its fields stand in saved_rows.c: one that has
 * to survive a restart needs its line there. */
typedef struct StoreMark {
    struct Store *store;
    Kind kind;
    bool is_touched;
    int64_t row;     /* where it is kept, in the order of creation */
    uint64_t digest; /* of what is kept */
    struct StoreMark *next_touched;
} StoreMark;

typedef enum BranchState { BRANCH_INIT, BRANCH_READY, BRANCH_RESETTING } BranchState;
typedef enum EndpointState { ENDPOINT_INIT, ENDPOINT_ACTIVE, ENDPOINT_IDLE } EndpointState;

typedef enum OperationStatus {
    OPERATION_SCHEDULING,
    OPERATION_RUNNING,
    OPERATION_FINISHED,
    OPERATION_FAILED,
    OPERATION_CANCELLED,
} OperationStatus;

typedef enum Action {
    ACTION_CREATE_TIMELINE,
    ACTION_CREATE_BRANCH,
    ACTION_DELETE_TIMELINE,
    ACTION_START_COMPUTE,
    ACTION_SUSPEND_COMPUTE,
    ACTION_APPLY_CONFIG,
} Action;

typedef struct Project Project;
typedef struct Instance Instance; /* instance.h */
typedef struct Relay Relay;       /* relay.h */

typedef struct Role {
    char name[STORE_SQL_NAME_BYTES];
    char password[STORE_PASSWORD_BYTES]; /* empty: has none, or it was never told to us */
    bool is_ours; /* we made the password, so it is told; what SQL set isn't */
    bool no_login;
    bool was_made_no_login; /* by the API, on demand */
    bool is_applied;        /* the cluster has it */
    bool is_known;   /* the API made it or its SQL was forwarded: the cluster can't take it back */
    bool is_pending; /* the compute's next configuration brings it to the cluster */
    Lifetime life;
    struct Role *prev, *next;
} Role;

typedef struct Database {
    int64_t id;
    char name[STORE_SQL_NAME_BYTES];
    char owner[STORE_SQL_NAME_BYTES];
    bool is_applied;
    bool is_pending; /* the compute's next configuration sets the owner */
    Lifetime life;
    struct Database *prev, *next;
} Database;

typedef struct EndpointSettings {
    double min_cu;
    double max_cu;
    int64_t suspend_timeout_seconds; /* 0: the default, -1: never */
} EndpointSettings;

typedef struct Endpoint {
    char id[IDS_BYTES];
    Project *project;
    Branch *branch;
    EndpointSettings settings;
    char name[STORE_ENDPOINT_NAME_BYTES]; /* empty: none */
    json_t *pg_settings;                  /* owned; NULL: none */
    json_t *libraries;                    /* owned; preload_libraries as sent, NULL: none */
    bool is_disabled;
    bool has_passwordless_access;
    EndpointState state;
    bool is_pending_active;
    int64_t last_active_ms;
    int64_t suspended_ms; /* 0: never was */
    int port;
    Relay *relay; /* what listens; NULL without compute and once deleted */
    Lifetime life;
    StoreMark mark;
    struct Endpoint *prev, *next; /* in the project */
    struct Endpoint *branch_next; /* in the branch */
    UT_hash_handle hh;
} Endpoint;

/* What the timers of a branch that expires need. */
typedef struct BranchExpiry {
    struct Sandbox *sandbox;
    int waiting; /* timers that are set */
} BranchExpiry;

struct Branch {
    char id[IDS_BYTES];
    char name[STORE_NAME_BYTES];
    Project *project;
    Branch *parent; /* NULL: a root branch */
    /* Whose data it begins with; NULL: new, empty ones. */
    Branch *source;
    char parent_lsn[STORE_LSN_BYTES]; /* the point that was asked for; empty: none */
    int64_t parent_ms;                /* likewise; 0: none */
    int64_t reset_ms;                 /* when it was restored; 0: never */
    int children;
    BranchState state;
    bool is_default;
    bool is_schema_only; /* a root whose tables began empty */
    bool is_protected;
    int64_t expires_ms;  /* 0: never */
    int64_t ttl_seconds; /* from when expires_ms was set to it */
    bool is_expired;     /* deleted because of it */
    bool is_recoverable; /* deleted, but everything in it is still there */
    BranchExpiry expiry;
    json_t *annotation; /* owned; an object of strings */
    int64_t state_changed_ms;
    Role *roles;
    Database *databases;
    Endpoint *endpoint;  /* the read-write one, NULL when there is none */
    Endpoint *endpoints; /* that it ever had, by branch_next */
    Instance *instance;  /* its cluster; NULL without compute */
    int cluster_number;  /* of the cluster's folder; 0: none */
    int64_t told_bytes;  /* how much of what SQL told the control plane is in here */
    Lifetime life;
    StoreMark mark;
    Branch *prev, *next; /* in the project */
    UT_hash_handle hh;
    UT_hash_handle hh_name;
};

typedef enum ChangeKind {
    CHANGE_NONE,
    CHANGE_CREATE_ROLE,
    CHANGE_SET_PASSWORD,
    CHANGE_DROP_ROLE,
    CHANGE_CREATE_DATABASE,
    CHANGE_ALTER_DATABASE,
    CHANGE_DROP_DATABASE,
} ChangeKind;

/* What an apply_config operation does in the branch's cluster. */
typedef struct Change {
    ChangeKind kind;
    char name[STORE_SQL_NAME_BYTES];
    char owner[STORE_SQL_NAME_BYTES];
    char new_name[STORE_SQL_NAME_BYTES]; /* of a database that is altered */
    char password[STORE_PASSWORD_BYTES];
    bool no_login;
    bool is_repeated; /* it may be done already: the sandbox ended meanwhile */
} Change;

typedef struct Operation {
    char id[IDS_UUID_BYTES];
    Project *project;
    Branch *branch;
    Endpoint *endpoint;
    struct Sandbox *sandbox; /* what its timers need */
    Action action;
    Change change;
    OperationStatus status;
    char error[STORE_ERROR_BYTES];
    int failures_count;
    int waits; /* what has to happen before it ends: its time, its work */
    bool work_failed;
    int64_t created_us;
    int64_t updated_us;
    int64_t started_us;
    int64_t retry_ms; /* 0: none */
    StoreMark mark;
    struct Operation *prev, *next; /* in the project, oldest first */
    UT_hash_handle hh;
} Operation;

struct Project {
    /* What a search looks at stands together: it passes over all the others of an organization. */
    Project *prev, *next;
    uint64_t pairs; /* of letters in id and name (projects.c); 0: to be found out */
    Lifetime life;
    char id[IDS_BYTES];
    char name[STORE_NAME_BYTES];
    char region[STORE_SQL_NAME_BYTES];
    char org_id[IDS_BYTES];
    char owner_id[IDS_BYTES];
    int pg_version;
    bool store_passwords;
    int64_t history_retention_seconds;
    EndpointSettings endpoint_defaults;
    json_t *pg_settings; /* owned; what new endpoints have, NULL: none */
    json_t *settings;    /* owned */
    Branch *branches;
    Branch *branches_by_name; /* those that exist */
    Branch *default_branch;
    int branch_count; /* that exist */
    Orders orders;    /* of those that exist */
    Orders gone;      /* of the deleted ones */
    /* From then on listings of branches show what exists: nothing lags. */
    int64_t settled_ms;
    /* Deleted, but everything in it is still there: it can come back. */
    bool is_recoverable;
    Endpoint *endpoints;
    Operation *operations;
    History history;    /* the same */
    Operation *current; /* the first unfinished one */
    StoreMark mark;
    UT_hash_handle hh;
};

typedef struct Store {
    Project *projects;
    Project *projects_by_id;
    Branch *branches_by_id;
    Endpoint *endpoints_by_id;
    Operation *operations_by_id;
    int64_t created[KIND_COUNT];
    int64_t deleted[KIND_COUNT];
    int64_t lag_ms[KIND_COUNT];       /* listing lag of what is made or deleted from now on */
    int64_t not_found_ms[KIND_COUNT]; /* GET answers 404 that long after creation */
    int64_t next_database_id;
    int64_t last_operation_us;
    bool is_kept;       /* changes are noted */
    StoreMark *touched; /* newest first */
    int64_t last_row;
} Store;

void store_init(Store *store);
/* Frees everything; clusters and relays have to be closed before. */
void store_free(Store *store);

/* New things, linked where they belong, with an id and their times set. Never NULL. */
Project *store_add_project(Store *store, int64_t now_ms);
Branch *store_add_branch(Store *store, Project *project, const char *name, int64_t now_ms);
Endpoint *store_add_endpoint(Store *store, Branch *branch, int64_t now_ms);
Role *store_add_role(Store *store, Branch *branch, const char *name, int64_t now_ms);
Database *store_add_database(Store *store, Branch *branch, const char *name, const char *owner,
                             int64_t now_ms);
Operation *store_add_operation(Store *store, Project *project, Branch *branch, Action action);

/* Things that were before, with their ids and times, linked as the functions above do; parents are
 * for store_move_branch. */
void store_link_project(Store *store, Project *project);
void store_link_branch(Store *store, Branch *branch);
void store_link_endpoint(Store *store, Endpoint *endpoint);
void store_link_role(Store *store, Branch *branch, Role *role);
void store_link_database(Store *store, Branch *branch, Database *database);
void store_link_operation(Store *store, Operation *operation);

/* The thing changed. What adds, deletes or moves does this itself. */
void store_touch(StoreMark *mark);

/* Hangs the branch below another (NULL: it becomes a root). */
void store_move_branch(Branch *branch, Branch *parent);
/* It changed. Listings are sorted by updated_ms, so nothing else may set it. */
void store_update_branch(Branch *branch, int64_t now_ms);
/* The name must be free in the project. */
void store_rename_branch(Branch *branch, const char *name, int64_t now_ms);
/* Mark as deleted; a project takes its branches, a branch its endpoint, roles and databases with
 * it. */
void store_delete_project(Store *store, Project *project, int64_t now_ms);
/* Deletes the project alone, for store_recover_project; what it holds only counts as deleted. */
void store_hide_project(Store *store, Project *project, int64_t now_ms);
void store_recover_project(Store *store, Project *project, int64_t now_ms);
void store_delete_branch(Store *store, Branch *branch, int64_t now_ms);
/* Deletes the branch and its endpoints, for store_recover_branch; its roles and databases only
 * count as deleted. */
void store_hide_branch(Store *store, Branch *branch, int64_t now_ms);
/* Its name must be free, and its parent there. */
void store_recover_branch(Store *store, Branch *branch, int64_t now_ms);
void store_delete_endpoint(Store *store, Endpoint *endpoint, int64_t now_ms);
void store_delete_role(Store *store, Role *role, int64_t now_ms);
void store_delete_database(Store *store, Database *database, int64_t now_ms);

/* What exists (never a tombstone), or NULL. Names match exactly. */
Project *store_find_project(const Store *store, const char *id);
/* A deleted one that can come back. */
Project *store_find_hidden_project(const Store *store, const char *id);
Branch *store_find_branch(const Store *store, const Project *project, const char *id);
/* A deleted one that can come back. */
Branch *store_find_hidden_branch(const Store *store, const Project *project, const char *id);
Branch *store_find_branch_by_name(const Project *project, const char *name);
Endpoint *store_find_endpoint(const Store *store, const Project *project, const char *id);
Role *store_find_role(const Branch *branch, const char *name);
Database *store_find_database(const Branch *branch, const char *name);
Operation *store_find_operation(const Store *store, const Project *project, const char *id);

/* Whether an operation of the project is unfinished: Neon answers 423 to what changes it. */
bool store_is_locked(const Project *project);
bool store_is_alive(const Lifetime *life);
bool store_is_listed(const Lifetime *life, int64_t now_ms);
bool store_is_found(const Lifetime *life, int64_t now_ms);

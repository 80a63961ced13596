/* What Neon's server does with roles that users change by SQL, as a library that PostgreSQL 15 to
 * 18 preload: the control plane is told when the transaction commits, and a COMMIT that the control
 * plane refuses fails with XX000
 * (https://github.com/neondatabase/neon/blob/main/pgxn/neon/neon_ddl_handler.c).
 *
 * The control plane here is a file beside the data directory, `forwarded`, that the sandbox reads:
 * lines `C role`, `P role password` and `D role` for what was created, got a password and was
 * dropped, names and passwords in hexadecimal. As at Neon it is written before the commit, so what
 * then aborts is known there all the same. The length of the file `commit_fails` says how many of
 * the next such transactions fail after that.
 *
 * PostgreSQL's headers are no part of its binaries, so the few declarations are repeated here; they
 * are the same in all four versions but for the magic block. */
#include "lines.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "strength.h"

#define EXPORTED __attribute__((visibility("default")))

enum { PLAIN_PASSWORD = 0, LEVEL_ERROR = 21, STRENGTH_LEAST_BITS = 60, ROLES_CATALOG = 1260 };
enum { EVENT_COMMIT = 0, EVENT_ABORT = 2, EVENT_PREPARE = 4, EVENT_PRE_COMMIT = 5 };
enum { SUBEVENT_ABORT = 2 };
enum { ACCESS_CREATED = 0, ACCESS_DROPPED = 1, ACCESS_ALTERED = 2 };

typedef void (*PasswordHook)(const char *role, const char *password, int kind, uintptr_t until,
                             bool is_until_null);
typedef void (*ObjectHook)(int access, uint32_t catalog, uint32_t object, int part, void *argument);
typedef void (*CommitHook)(int event, void *argument);
typedef void (*SubCommitHook)(int event, uint32_t id, uint32_t parent_id, void *argument);

extern PasswordHook check_password_hook;
extern ObjectHook object_access_hook;
extern void RegisterXactCallback(CommitHook hook, void *argument);
extern void RegisterSubXactCallback(SubCommitHook hook, void *argument);
extern uint32_t GetCurrentSubTransactionId(void);
extern char *GetUserNameFromId(uint32_t role, bool is_missing_ok);
extern bool superuser(void);
extern const char *GetConfigOption(const char *name, bool is_missing_ok, bool is_restricted);
extern bool errstart(int level, const char *domain);
extern int errmsg_internal(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern void errfinish(const char *file, int line, const char *function);

/* Pg_magic_struct; 18 added what follows the product. */
typedef struct Magic {
    int bytes;
    int version;
    int arguments_max;
    int index_keys_max;
    int name_bytes;
    int float8_by_value;
    char product[32];
    const char *name;
    const char *own_version;
} Magic;

/* One thing to tell; `role` is the name as it was when it happened. */
typedef struct Told {
    struct Told *next;
    uint32_t subtransaction;
    int access;
    uint32_t object; /* 0: a password */
    char *role;
    char *password;
    const char *refusal;
} Told;

static Told *told; /* the newest first */

EXPORTED const Magic *Pg_magic_func(void);
EXPORTED void _PG_init(void);

const Magic *Pg_magic_func(void)
{
    enum { ARGUMENTS_MAX = 100, INDEX_KEYS_MAX = 32, NAME_BYTES = 64, WITH_NAME = 18 };
    static Magic magic = {0,    0,   ARGUMENTS_MAX, INDEX_KEYS_MAX, NAME_BYTES, 1, "PostgreSQL",
                          NULL, NULL};
    const char *number = GetConfigOption("server_version_num", false, false);
    int major = (int)strtol(number, NULL, 10) / 10000;
    magic.version = major * 100;
    magic.bytes = (int)(major >= WITH_NAME ? sizeof(Magic) : offsetof(Magic, name));
    return &magic;
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text == NULL ? "" : text);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

static Told *add_told(const char *role, const char *password)
{
    Told *one = calloc(1, sizeof(*one));
    if (one == NULL) {
        abort();
    }
    one->subtransaction = GetCurrentSubTransactionId();
    one->role = copy_text(role);
    one->password = copy_text(password);
    one->next = told;
    told = one;
    return one;
}

static const char *find_refusal(const char *password, int kind)
{
    if (kind != PLAIN_PASSWORD) {
        return "{\"error\":\"Neon only supports being given plaintext passwords\"}";
    }
    if (password[0] == '\0') {
        return "{\"error\":\"Neon does not support roles with empty passwords\"}";
    }
    if (strength_count_bits(password) < STRENGTH_LEAST_BITS) {
        return "{\"error\":\"insecure password, try including more special characters, using "
               "uppercase letters, using numbers or using a longer password\"}";
    }
    return NULL;
}

/* What the compute does itself, as the superuser, isn't told to whom it comes from. */
static void on_password(const char *role, const char *password, int kind, uintptr_t until,
                        bool is_until_null)
{
    (void)until;
    (void)is_until_null;
    if (!superuser()) {
        add_told(role, password)->refusal = find_refusal(password, kind);
    }
}

/* A created role can't be read yet: its name is looked up at the commit. */
static void on_object(int access, uint32_t catalog, uint32_t object, int part, void *argument)
{
    (void)part;
    (void)argument;
    if (catalog != ROLES_CATALOG || access > ACCESS_ALTERED || superuser()) {
        return;
    }
    Told *one = add_told(access == ACCESS_CREATED ? NULL : GetUserNameFromId(object, true), NULL);
    one->access = access;
    one->object = object;
}

/* Subtransactions count up: what began within one that aborts has a higher number. */
static void forget_since(uint32_t subtransaction)
{
    while (told != NULL && told->subtransaction >= subtransaction) {
        Told *next = told->next;
        explicit_bzero(told->password, strlen(told->password));
        free(told->password);
        free(told->role);
        free(told);
        told = next;
    }
}

static void refuse(int status, const char *body)
{
    if (errstart(LEVEL_ERROR, NULL)) {
        errmsg_internal("Received HTTP code %d from control plane: %s", status, body);
        errfinish(__FILE__, __LINE__, __func__);
    }
}

static bool forward_one(int file, const Told *one)
{
    const char *name = one->object == 0 ? NULL : GetUserNameFromId(one->object, true);
    if (one->object == 0) {
        return lines_write(file, 'P', one->role, one->password);
    }
    if (one->access == ACCESS_DROPPED || name == NULL) {
        return lines_write(file, 'D', one->role, NULL);
    }
    if (one->access == ACCESS_CREATED) {
        return lines_write(file, 'C', name, NULL);
    }
    return strcmp(name, one->role) == 0 ||
           (lines_write(file, 'D', one->role, NULL) && lines_write(file, 'C', name, NULL));
}

/* Oldest first: the last password of a role is the one that holds. */
static bool forward(int file, const Told *first)
{
    return first == NULL || (forward(file, first->next) && forward_one(file, first));
}

static bool takes_failure(void)
{
    struct stat info;
    int file = open("../commit_fails", O_WRONLY | O_CLOEXEC);
    bool fails = file >= 0 && fstat(file, &info) == 0 && info.st_size > 0 &&
                 ftruncate(file, info.st_size - 1) == 0;
    if (file >= 0) {
        close(file);
    }
    return fails;
}

static void tell(void)
{
    for (const Told *one = told; one != NULL; one = one->next) {
        if (one->refusal != NULL) {
            refuse(400, one->refusal);
        }
    }
    int file = open("../forwarded", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool is_told = file >= 0 && forward(file, told);
    if (file >= 0) {
        close(file);
    }
    if (!is_told || takes_failure()) {
        refuse(500, "{\"error\":\"unknown internal server error\"}");
    }
}

static void on_transaction(int event, void *argument)
{
    (void)argument;
    if (event == EVENT_PRE_COMMIT && told != NULL) {
        tell();
    } else if (event == EVENT_COMMIT || event == EVENT_ABORT || event == EVENT_PREPARE) {
        forget_since(0);
    }
}

static void on_subtransaction(int event, uint32_t id, uint32_t parent_id, void *argument)
{
    (void)parent_id;
    (void)argument;
    if (event == SUBEVENT_ABORT) {
        forget_since(id);
    }
}

void _PG_init(void)
{
    check_password_hook = on_password;
    object_access_hook = on_object;
    RegisterXactCallback(on_transaction, NULL);
    RegisterSubXactCallback(on_subtransaction, NULL);
}

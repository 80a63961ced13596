/* A neon-sandbox of a test: the real program on a free port with a state folder of its own, and
 * calls of its API. What goes wrong fails the test. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Box {
    pid_t pid;
    char dir[128];
    char log[160];
    char api_url[128];
    char ca_file[256];
    char kafka[128];
    bool is_kept; /* over restarts; what calls it may find it gone */
} Box;

#define BOX_ORG_KEY "sandbox-org-key"

/* Starts it with these arguments (NULL-terminated) and waits until it is ready. Its folder is in
 * /tmp, or where the environment's BOX_FOLDER says. */
void box_start(Box *box, const char *const *arguments);
/* The same without --ephemeral. */
void box_start_kept(Box *box, const char *const *arguments);
/* SIGTERM; its status has to be 0. The state folder stays. */
void box_end(Box *box);
/* What a start on the same folder complains about; it has to fail. `arguments` is shell text. */
const char *box_complaint(const Box *box, const char *arguments);
/* As a crash would: SIGKILL. The state folder stays. */
void box_kill(Box *box);
/* The same at a moment between the two, by a process that is the caller's to wait for. */
pid_t box_kill_soon(const Box *box, int least_ms, int most_ms);
/* Starts it again on the same state folder. */
void box_restart(Box *box, const char *const *arguments);
/* Ends it with SIGTERM; its status has to be 0. Removes what the test made. */
void box_stop(Box *box);

/* A reply; status 0: the connection was dropped without one. */
typedef struct Reply {
    long status;
    json_t *json; /* NULL when the body is no JSON */
    char *text;
    char request_id[64];  /* x-neon-ret-request-id */
    char retry_after[16]; /* empty: none */
    double seconds;
} Reply;

void box_free_reply(Reply *reply);
#define REPLY __attribute__((cleanup(box_free_reply))) Reply

/* One call with the organization's key; paths begin behind /api/v2, those of /sandbox at the root.
 */
Reply box_call(const Box *box, const char *method, const char *path, const char *body);
/* The same with another key (NULL: none) and X-Request-ID (NULL: none). */
Reply box_call_as(const Box *box, const char *key, const char *request_id, const char *method,
                  const char *path, const char *body);
/* The status alone. */
long box_status(const Box *box, const char *method, const char *path, const char *body);
/* Text of printf's making that lives until the test program ends. */
const char *box_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The string at a path of members and indexes ("project.id", "operations.0.status"); fails when
 * there is none. The integer likewise. */
const char *box_string(const json_t *json, const char *path);
int64_t box_integer(const json_t *json, const char *path);
/* The value there or NULL. */
const json_t *box_find(const json_t *json, const char *path);

/* The reply is this error, with `part` in its message. */
void box_assert_error(const Reply *reply, long status, const char *code, const char *part);

/* A new project whose operations are over; returns the reply to its creation. */
Reply box_create_project(const Box *box, const char *body);
/* Waits until none of the project's operations is under way. */
void box_wait(const Box *box, const char *project_id);
/* POSTs a fault; its id. */
int64_t box_fault(const Box *box, const char *fault);

/* Calls `holds(argument)` until it is true; fails after `seconds`. */
void box_until(bool (*holds)(void *argument), void *argument, int seconds);

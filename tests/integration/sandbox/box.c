#include "box.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { BOX_START_SECONDS = 30, BOX_STOP_SECONDS = 120, BOX_CALL_SECONDS = 30, BOX_ARGUMENTS = 40 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void box_until(bool (*holds)(void *argument), void *argument, int seconds)
{
    int64_t deadline_ms = now_ms() + seconds * 1000LL;
    while (!holds(argument)) {
        if (now_ms() > deadline_ms) {
            fail_msg("not within %d s", seconds);
        }
        (void)poll(NULL, 0, 5); // between two looks at the condition
    }
}

/* Texts are kept until the end, so that a test may hold one across any number of calls. */
typedef struct KeptText {
    struct KeptText *next;
    char text[];
} KeptText;

static KeptText *kept_texts;

__attribute__((destructor)) static void free_texts(void)
{
    while (kept_texts != NULL) {
        KeptText *next = kept_texts->next;
        free(kept_texts);
        kept_texts = next;
    }
}

const char *box_text(const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert_in_range(length, 0, sizeof(text) - 1);
    KeptText *kept = malloc(sizeof(*kept) + (size_t)length + 1);
    assert_non_null(kept);
    memcpy(kept->text, text, (size_t)length + 1);
    kept->next = kept_texts;
    kept_texts = kept;
    return kept->text;
}

static bool is_ready(void *argument)
{
    Box *box = argument;
    int status = 0;
    if (waitpid(box->pid, &status, WNOHANG) == box->pid) {
        fail_msg("the sandbox ended with status %d before it was ready, see %s", status, box->log);
    }
    json_t *ready = json_load_file(box_text("%s/ready.json", box->dir), 0, NULL);
    if (ready == NULL) {
        return false;
    }
    snprintf(box->api_url, sizeof(box->api_url), "%s", box_string(ready, "api_url"));
    const json_t *ca = json_object_get(ready, "ca_file");
    const json_t *kafka = json_object_get(ready, "kafka_bootstrap");
    snprintf(box->ca_file, sizeof(box->ca_file), "%s", ca == NULL ? "" : json_string_value(ca));
    snprintf(box->kafka, sizeof(box->kafka), "%s", kafka == NULL ? "" : json_string_value(kafka));
    json_decref(ready);
    return true;
}

void box_restart(Box *box, const char *const *arguments)
{
    const char *argv[BOX_ARGUMENTS] = {NEON_SANDBOX, "--state", box->dir, "--port",
                                       "0",          "--log",   box->log, "--ephemeral"};
    int count = box->is_kept ? 7 : 8;
    const char *records = getenv("PROVISION_TEST_RECORD_DIR");
    if (records != NULL && records[0] != '\0') {
        argv[count++] = "--record";
        argv[count++] = box_text("%s/%s%s.jsonl", records, program_invocation_short_name,
                                 strrchr(box->dir, '-'));
    }
    for (int i = 0; arguments[i] != NULL; i++) {
        assert_true(count < BOX_ARGUMENTS - 1);
        argv[count++] = arguments[i];
    }
    box->pid = fork();
    assert_true(box->pid >= 0);
    if (box->pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        /* Should the test be killed: the sandbox ends its clusters itself. */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        /* execv leaves the arguments alone, but its type can't say so. */
        union {
            const char **ours;
            char *const *theirs;
        } list = {argv};
        execv(NEON_SANDBOX, list.theirs);
        _exit(127);
    }
    box_until(is_ready, box, BOX_START_SECONDS);
}

static void make_folder(Box *box)
{
    *box = (Box){0};
    const char *folder = getenv("BOX_FOLDER");
    snprintf(box->dir, sizeof(box->dir), "%s/neon-sandbox-test-XXXXXX",
             folder == NULL ? "/tmp" : folder);
    assert_non_null(mkdtemp(box->dir));
    /* The clusters' user has to get through. */
    assert_int_equal(chmod(box->dir, 0755), 0);
    snprintf(box->log, sizeof(box->log), "%s.log", box->dir);
}

void box_start(Box *box, const char *const *arguments)
{
    make_folder(box);
    box_restart(box, arguments);
}

void box_start_kept(Box *box, const char *const *arguments)
{
    make_folder(box);
    box->is_kept = true;
    box_restart(box, arguments);
}

static bool has_ended(void *argument)
{
    Box *box = argument;
    int status = 0;
    if (waitpid(box->pid, &status, WNOHANG) != box->pid) {
        return false;
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

void box_kill(Box *box)
{
    char path[160];
    kill(box->pid, SIGKILL);
    waitpid(box->pid, NULL, 0);
    snprintf(path, sizeof(path), "%s/ready.json", box->dir);
    unlink(path);
}

void box_end(Box *box)
{
    kill(box->pid, SIGTERM);
    box_until(has_ended, box, BOX_STOP_SECONDS);
}

void box_stop(Box *box)
{
    box_end(box);
    nftw(box->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    unlink(box->log);
}

/* A body that grows. */
typedef struct Body {
    char *text;
    size_t bytes;
} Body;

static size_t on_body(char *data, size_t size, size_t count, void *argument)
{
    Body *body = argument;
    body->text = realloc(body->text, body->bytes + size * count + 1);
    assert_non_null(body->text);
    memcpy(body->text + body->bytes, data, size * count);
    body->bytes += size * count;
    body->text[body->bytes] = '\0';
    return size * count;
}

static void keep_header(const char *line, size_t bytes, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    if (bytes > length && strncasecmp(line, name, length) == 0) {
        snprintf(value, size, "%.*s", (int)strcspn(line + length, "\r\n"), line + length);
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *argument)
{
    Reply *reply = argument;
    size_t bytes = size * count;
    keep_header(line, bytes, "x-neon-ret-request-id: ", reply->request_id,
                sizeof(reply->request_id));
    keep_header(line, bytes, "retry-after: ", reply->retry_after, sizeof(reply->retry_after));
    return bytes;
}

static struct curl_slist *build_headers(const char *key, const char *request_id)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (key != NULL) {
        headers = curl_slist_append(headers, box_text("Authorization: Bearer %s", key));
    }
    if (request_id != NULL) {
        headers = curl_slist_append(headers, box_text("X-Request-ID: %s", request_id));
    }
    return headers;
}

static const char *build_url(const Box *box, const char *path)
{
    if (strncmp(path, "/sandbox/", 9) != 0) {
        return box_text("%s%s", box->api_url, path);
    }
    int root = (int)(strstr(box->api_url, "/api/v2") - box->api_url);
    return box_text("%.*s%s", root, box->api_url, path);
}

Reply box_call_as(const Box *box, const char *key, const char *request_id, const char *method,
                  const char *path, const char *body)
{
    static CURL *curl;
    Reply reply = {0};
    Body received = {0};
    if (curl == NULL) {
        curl = curl_easy_init();
    }
    curl_easy_reset(curl);
    struct curl_slist *headers = build_headers(key, request_id);
    curl_easy_setopt(curl, CURLOPT_URL, build_url(box, path));
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    /* On a connection that it uses again libcurl repeats any request whose reply got lost. */
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)BOX_CALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode result = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    assert_true(result == CURLE_OK || result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR ||
                (box->is_kept && (result == CURLE_COULDNT_CONNECT || result == CURLE_SEND_ERROR)));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &reply.seconds);
    reply.text = received.text;
    reply.json = received.text == NULL ? NULL : json_loads(received.text, 0, NULL);
    return reply;
}

Reply box_call(const Box *box, const char *method, const char *path, const char *body)
{
    return box_call_as(box, BOX_ORG_KEY, NULL, method, path, body);
}

void box_free_reply(Reply *reply)
{
    json_decref(reply->json);
    free(reply->text);
    *reply = (Reply){0};
}

long box_status(const Box *box, const char *method, const char *path, const char *body)
{
    REPLY reply = box_call(box, method, path, body);
    return reply.status;
}

const json_t *box_find(const json_t *json, const char *path)
{
    while (*path != '\0' && json != NULL) {
        char name[64];
        size_t length = strcspn(path, ".");
        snprintf(name, sizeof(name), "%.*s", (int)length, path);
        json = json_is_array(json) ? json_array_get(json, strtoul(name, NULL, 10))
                                   : json_object_get(json, name);
        path += path[length] == '.' ? length + 1 : length;
    }
    return json;
}

const char *box_string(const json_t *json, const char *path)
{
    const json_t *value = box_find(json, path);
    if (!json_is_string(value)) {
        fail_msg("no string at %s", path);
    }
    return json_string_value(value);
}

int64_t box_integer(const json_t *json, const char *path)
{
    const json_t *value = box_find(json, path);
    if (!json_is_integer(value)) {
        fail_msg("no integer at %s", path);
    }
    return json_integer_value(value);
}

/* A project whose operations are waited for. */
typedef struct Pending {
    const Box *box;
    const char *project_id;
} Pending;

static bool is_settled(void *argument)
{
    const Pending *pending = argument;
    REPLY reply = box_call(pending->box, "GET",
                           box_text("/projects/%s/operations", pending->project_id), NULL);
    assert_int_equal(reply.status, 200);
    size_t i = 0;
    const json_t *operation = NULL;
    json_array_foreach(json_object_get(reply.json, "operations"), i, operation)
    {
        const char *status = box_string(operation, "status");
        if (strcmp(status, "scheduling") == 0 || strcmp(status, "running") == 0) {
            return false;
        }
    }
    return true;
}

void box_wait(const Box *box, const char *project_id)
{
    Pending pending = {box, project_id};
    box_until(is_settled, &pending, 30);
}

Reply box_create_project(const Box *box, const char *body)
{
    Reply reply = box_call(box, "POST", "/projects", body);
    assert_int_equal(reply.status, 201);
    box_wait(box, box_string(reply.json, "project.id"));
    return reply;
}

int64_t box_fault(const Box *box, const char *fault)
{
    REPLY reply = box_call(box, "POST", "/sandbox/faults", fault);
    assert_int_equal(reply.status, 201);
    return box_integer(reply.json, "id");
}

void box_assert_error(const Reply *reply, long status, const char *code, const char *part)
{
    assert_int_equal(reply->status, status);
    assert_string_equal(box_string(reply->json, "code"), code);
    if (strstr(box_string(reply->json, "message"), part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, box_string(reply->json, "message"));
    }
    assert_true(strlen(box_string(reply->json, "request_id")) > 0);
}

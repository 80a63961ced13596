#include "support/probe.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/cmocka.h"
#include "support/wait.h"

enum { PAGE_BYTES_MAX = 4 * 1024 * 1024, PAGE_SECONDS = 10, PAGES_KEPT = 8 };

static const char PORT_LINE[] = "the admin endpoint listens on port ";

int probe_port(const Process *worker)
{
    char *log = process_read_log(worker->log);
    const char *said = NULL;
    for (const char *at = strstr(log, PORT_LINE); at != NULL; at = strstr(at + 1, PORT_LINE)) {
        said = at; // a log may be of several lives
    }
    int port = said != NULL ? (int)strtol(said + strlen(PORT_LINE), NULL, 10) : 0;
    free(log);
    if (port == 0) {
        fail_msg("%s names no port", worker->log);
    }
    return port;
}

static size_t take(char *data, size_t size, size_t count, void *context)
{
    text_append_bytes(context, data, size * count);
    return size * count;
}

Page probe_get(const Process *worker, const char *path)
{
    static Text pages[PAGES_KEPT]; // longer than box_text makes them
    static size_t next;
    Text *text = &pages[next++ % PAGES_KEPT];
    text_clear(text);
    *text = TEXT_INIT(PAGE_BYTES_MAX);
    Page page = {0};
    CURL *easy = curl_easy_init();
    assert_non_null(easy);
    curl_easy_setopt(easy, CURLOPT_URL,
                     box_text("http://127.0.0.1:%d%s", probe_port(worker), path));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, text);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)PAGE_SECONDS);
    if (curl_easy_perform(easy) == CURLE_OK) {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &page.status);
    }
    curl_easy_cleanup(easy);
    assert_true(text_ok(text));
    page.text = text_get(text);
    return page;
}

long probe_status(const Process *worker, const char *path)
{
    Page page = probe_get(worker, path);
    return page.status;
}

typedef struct Awaited {
    const Process *worker;
    const char *path;
    long status;
    const char *part;
    double least;
} Awaited;

static bool is_there(void *context)
{
    const Awaited *awaited = context;
    Page page = probe_get(awaited->worker, awaited->path);
    return page.status == awaited->status && strstr(page.text, awaited->part) != NULL;
}

void probe_await(const Process *worker, const char *path, long status, const char *part,
                 int seconds)
{
    Awaited awaited = {.worker = worker, .path = path, .status = status, .part = part};
    wait_until(is_there, &awaited, seconds, "%s with %ld and \"%s\"", path, status, part);
}

double probe_metric(const Process *worker, const char *sample)
{
    Page page = probe_get(worker, "/metrics");
    assert_int_equal(page.status, 200);
    const char *line = strstr(page.text, box_text("\n%s ", sample));
    return line == NULL ? -1 : strtod(line + strlen(sample) + 2, NULL);
}

static bool is_reached(void *context)
{
    const Awaited *awaited = context;
    return probe_metric(awaited->worker, awaited->path) >= awaited->least;
}

void probe_await_metric(const Process *worker, const char *sample, double least, int seconds)
{
    Awaited awaited = {.worker = worker, .path = sample, .least = least};
    wait_until(is_reached, &awaited, seconds, "%s of at least %g", sample, least);
}

#include "bench/caller.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/cmocka.h"

enum { TIMEOUT_SECONDS = 120, URL_BYTES = 8192, STATUS_LOCKED = 423 };

struct Caller {
    const Box *box;
    CURL *curl;
    struct curl_slist *headers;
    char *text;
    size_t bytes;
    size_t capacity;
    double samples_ms[CALLER_SAMPLES_MAX];
};

static size_t on_body(char *data, size_t size, size_t count, void *argument)
{
    Caller *caller = argument;
    size_t bytes = size * count;
    if (caller->bytes + bytes > caller->capacity) {
        caller->capacity = 2 * (caller->bytes + bytes);
        caller->text = realloc(caller->text, caller->capacity);
        assert_non_null(caller->text);
    }
    memcpy(caller->text + caller->bytes, data, bytes);
    caller->bytes += bytes;
    return bytes;
}

Caller *caller_open(const Box *box)
{
    Caller *caller = calloc(1, sizeof *caller);
    assert_non_null(caller);
    caller->box = box;
    caller->curl = curl_easy_init();
    caller->headers = curl_slist_append(NULL, "Authorization: Bearer " BOX_ORG_KEY);
    caller->headers = curl_slist_append(caller->headers, "Content-Type: application/json");
    curl_easy_setopt(caller->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(caller->curl, CURLOPT_HTTPHEADER, caller->headers);
    curl_easy_setopt(caller->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
    curl_easy_setopt(caller->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(caller->curl, CURLOPT_WRITEDATA, caller);
    return caller;
}

void caller_close(Caller *caller)
{
    curl_easy_cleanup(caller->curl);
    curl_slist_free_all(caller->headers);
    free(caller->text);
    free(caller);
}

static long call(Caller *caller, const char *method, const char *path, const char *body)
{
    char url[URL_BYTES];
    long status = 0;
    int length = snprintf(url, sizeof url, "%s%s", caller->box->api_url, path);
    assert_in_range(length, 1, sizeof url - 1);
    caller->bytes = 0;
    curl_easy_setopt(caller->curl, CURLOPT_URL, url);
    if (body == NULL) {
        curl_easy_setopt(caller->curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(caller->curl, CURLOPT_POSTFIELDS, body);
    }
    curl_easy_setopt(caller->curl, CURLOPT_CUSTOMREQUEST, method);
    assert_int_equal(curl_easy_perform(caller->curl), CURLE_OK);
    curl_easy_getinfo(caller->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

json_t *caller_send(Caller *caller, const char *method, const char *path, const char *body,
                    long wanted)
{
    long status = STATUS_LOCKED;
    while (status == STATUS_LOCKED) {
        status = call(caller, method, path, body);
    }
    if (status != wanted) {
        fail_msg("%s %s: %ld %.*s", method, path, status, (int)caller->bytes, caller->text);
    }
    return caller->bytes == 0 ? NULL : json_loadb(caller->text, caller->bytes, 0, NULL);
}

static double clock_ms(clockid_t clock)
{
    struct timespec now;
    assert_int_equal(clock_gettime(clock, &now), 0);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare_samples(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

CallerFigures caller_measure(Caller *caller, const char *path, size_t count)
{
    clockid_t cpu = 0;
    assert_in_range(count, 1, CALLER_SAMPLES_MAX);
    assert_int_equal(clock_getcpuclockid(caller->box->pid, &cpu), 0);
    assert_int_equal(call(caller, "GET", path, NULL), 200);
    double cpu_ms = clock_ms(cpu);
    for (size_t i = 0; i < count; i++) {
        double begun_ms = clock_ms(CLOCK_MONOTONIC);
        assert_int_equal(call(caller, "GET", path, NULL), 200);
        caller->samples_ms[i] = clock_ms(CLOCK_MONOTONIC) - begun_ms;
    }
    cpu_ms = (clock_ms(cpu) - cpu_ms) / (double)count;
    qsort(caller->samples_ms, count, sizeof caller->samples_ms[0], compare_samples);
    return (CallerFigures){
        .p50_ms = caller->samples_ms[count / 2],
        .p99_ms = caller->samples_ms[(count - 1) * 99 / 100],
        .max_ms = caller->samples_ms[count - 1],
        .cpu_ms = cpu_ms,
        .bytes = caller->bytes,
    };
}

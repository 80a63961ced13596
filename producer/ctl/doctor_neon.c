#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl/doctor.h"
#include "ctl/secret_file.h"
#include "ctl/span.h"

enum { REPLY_MAX_BYTES = 64 * 1024, CONNECT_SECONDS = 10, REQUEST_SECONDS = 30, MS = 1000 };

typedef struct Answer {
    Text body;
    time_t date; // -1: none
    long status;
    int64_t before_ms;
    int64_t after_ms;
    char problem[CURL_ERROR_SIZE];
} Answer;

static void clear_answer(Answer *answer)
{
    text_clear(&answer->body);
}

static void free_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void free_headers(struct curl_slist **headers)
{
    curl_slist_free_all(*headers);
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    text_append_bytes(&((Answer *)context)->body, data, size * count);
    return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    static const char DATE[] = "date:";
    char line[128];
    size_t length = size * count;
    if (length >= sizeof(DATE) && length < sizeof(line) &&
        strncasecmp(data, DATE, sizeof(DATE) - 1) == 0) {
        memcpy(line, data, length);
        line[length] = '\0';
        ((Answer *)context)->date = curl_getdate(line + sizeof(DATE) - 1, NULL);
    }
    return length;
}

static void set_options(CURL *curl, const Doctor *doctor, const char *url, Answer *answer)
{
    const char *ca_file = settings_text(doctor->settings, SETTING_NEON_CA_FILE);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "provisionctl/" PROVISION_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REQUEST_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, answer->problem);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    if (ca_file[0] != '\0') {
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    }
}

// GET /auth; without a key Neon answers 401. False: no answer, and answer->problem says why.
static bool call(const Doctor *doctor, const Secret *api_key, Answer *answer)
{
    CURL *curl CLEANUP(free_curl) = curl_easy_init();
    if (curl == NULL) {
        abort();
    }
    CLEANUP(text_clear) Text url = TEXT_INIT(2048);
    text_printf(&url, "%s/auth", settings_text(doctor->settings, SETTING_NEON_API_URL));
    set_options(curl, doctor, text_get(&url), answer);
    struct curl_slist *headers CLEANUP(free_headers) =
        curl_slist_append(NULL, "Accept: application/json");
    if (!secret_is_empty(api_key)) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        (void)curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, secret_reveal(api_key));
    }
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    answer->before_ms = span_now_ms();
    CURLcode code = curl_easy_perform(curl);
    answer->after_ms = span_now_ms();
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    if (code != CURLE_OK && answer->problem[0] == '\0') {
        (void)snprintf(answer->problem, sizeof(answer->problem), "%s", curl_easy_strerror(code));
    }
    return code == CURLE_OK;
}

static bool is_json(const Answer *answer)
{
    json_t *json = json_loads(text_get(&answer->body), 0, NULL);
    bool is_object = json_is_object(json);
    json_decref(json);
    return is_object;
}

// The header has whole seconds.
static void check_clock(Doctor *doctor, const Answer *answer)
{
    static const char CHECK[] = "clock of Neon";
    if (answer->date < 0) {
        checklist_add(&doctor->list, CHECK_SKIPPED, CHECK, "its answer has no Date");
        return;
    }
    int64_t theirs_ms = (int64_t)answer->date * MS + MS / 2;
    int64_t ours_ms = (answer->before_ms + answer->after_ms) / 2;
    checklist_add_clock(&doctor->list, CHECK, theirs_ms - ours_ms,
                        MS / 2 + (answer->after_ms - answer->before_ms) / 2 + 1);
}

// Neon has trouble or is asked too often: it says nothing of what it was asked.
static bool is_passing(long status)
{
    return status == 429 || status >= 500;
}

static void check_reach(Doctor *doctor)
{
    const char *url = settings_text(doctor->settings, SETTING_NEON_API_URL);
    Secret none CLEANUP(secret_clear) = SECRET_INIT;
    Answer answer CLEANUP(clear_answer) = {.body = TEXT_INIT(REPLY_MAX_BYTES), .date = -1};
    if (!call(doctor, &none, &answer)) {
        checklist_add(&doctor->list, CHECK_FAILED, "Neon",
                      "%s doesn't answer: %s; check neon.api_url, neon.ca_file, DNS and egress",
                      url, answer.problem);
        return;
    }
    if (answer.status == 401 && is_json(&answer)) {
        checklist_add(&doctor->list, CHECK_OK, "Neon",
                      "%s answers, and refuses who has no key (401)", url);
    } else if (is_passing(answer.status)) {
        checklist_add(&doctor->list, CHECK_WARNING, "Neon", "%s answers %ld; try again later", url,
                      answer.status);
    } else {
        checklist_add(&doctor->list, CHECK_FAILED, "Neon",
                      "%s answers %ld where Neon says 401 in JSON: is neon.api_url the API's, and "
                      "is there a proxy in between?",
                      url, answer.status);
    }
    check_clock(doctor, &answer);
}

static void tell_refused_key(Doctor *doctor, const char *check, long status)
{
    if (status == 401 || status == 403) {
        checklist_add(&doctor->list, CHECK_FAILED, check,
                      "Neon answers %ld: it was revoked, or belongs elsewhere; make a new one in "
                      "Neon's console and connect the account again",
                      status);
    } else if (is_passing(status)) {
        checklist_add(&doctor->list, CHECK_WARNING, check,
                      "can't be told: Neon answers %ld; try again later", status);
    } else {
        checklist_add(&doctor->list, CHECK_FAILED, check,
                      "%s answers %ld where Neon takes or refuses a key: look at neon.api_url",
                      settings_text(doctor->settings, SETTING_NEON_API_URL), status);
    }
}

static bool is_safe_for_keys(const char *url)
{
    static const char *const SAFE[] = {"https://", "http://127.0.0.1:", "http://127.0.0.1/",
                                       "http://[::1]"};
    for (size_t i = 0; i < sizeof(SAFE) / sizeof(SAFE[0]); i++) {
        if (strncmp(url, SAFE[i], strlen(SAFE[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void check_key(Doctor *doctor)
{
    static const char CHECK[] = "Neon API key";
    ProvisionError error;
    Secret key CLEANUP(secret_clear) = SECRET_INIT;
    Answer answer CLEANUP(clear_answer) = {.body = TEXT_INIT(REPLY_MAX_BYTES), .date = -1};
    if (!is_safe_for_keys(settings_text(doctor->settings, SETTING_NEON_API_URL))) {
        checklist_add(&doctor->list, CHECK_FAILED, CHECK,
                      "not tried: neon.api_url must be https://, or on loopback, or keys would "
                      "travel in clear");
    } else if (!secret_file_read(doctor->api_key_file, &key, &error)) {
        checklist_fail(&doctor->list, CHECK, &error);
    } else if (!call(doctor, &key, &answer)) {
        checklist_add(&doctor->list, CHECK_FAILED, CHECK, "not tried: %s", answer.problem);
    } else if (answer.status != 200) {
        tell_refused_key(doctor, CHECK, answer.status);
    } else {
        json_t *body = json_loads(text_get(&answer.body), 0, NULL);
        const char *method = json_string_value(json_object_get(body, "auth_method"));
        checklist_add(&doctor->list, CHECK_OK, CHECK, "Neon takes it (%s)",
                      method == NULL ? "200" : method);
        json_decref(body);
    }
}

void doctor_check_neon(Doctor *doctor)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    check_reach(doctor);
    if (doctor->api_key_file != NULL) {
        check_key(doctor);
    } else {
        checklist_add(&doctor->list, CHECK_SKIPPED, "Neon API key",
                      "not tried: give --api-key-file");
    }
    curl_global_cleanup();
}

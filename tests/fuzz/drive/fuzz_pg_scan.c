/*
 * What a branch's PostgreSQL sends, before libpq sees it: the first bytes say in which pieces it
 * comes and where an answer begins. However it is cut, the whole of it is taken or refused; and
 * what is taken stays within what pg_scan.h promises, by a reader of its own.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "drive/pg_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 4, ANSWER_UNIT_BYTES = 16, AUTH_CODE_BYTES = 4, PLAIN_DIGITS_MAX = 5 };

typedef struct Talk {
    Bytes stream;
    size_t piece_bytes;
    size_t answer_at; // where an answer begins; beyond the end: none does
    size_t answer_bytes_max;
} Talk;

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static bool take(const Talk *talk, size_t piece_bytes, Error *err)
{
    PgScan scan;
    pg_scan_begin(&scan);
    size_t at = 0;
    while (at < talk->stream.size) {
        if (at == talk->answer_at) {
            pg_scan_answer(&scan, talk->answer_bytes_max);
        }
        size_t end = at < talk->answer_at && talk->answer_at < talk->stream.size
                         ? talk->answer_at
                         : talk->stream.size;
        size_t size = end - at < piece_bytes ? end - at : piece_bytes;
        if (!pg_scan_take(&scan, (Bytes){talk->stream.data + at, size}, err)) {
            return false;
        }
        at += size;
    }
    return true;
}

// ---- the same in one look at the whole of it

typedef enum Verdict { VERDICT_TAKEN, VERDICT_REFUSED, VERDICT_EITHER } Verdict;

// libpq 15's read_attr_value (fe-auth-scram.c): the value up to a comma, or NULL.
static char *read_attribute(char **at, char name)
{
    char *value = *at + 2;
    if ((*at)[0] != name || (*at)[1] != '=') {
        return NULL;
    }
    char *end = strchrnul(value, ',');
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return value;
}

// The iterations that libpq would compute, as a text; NULL: none.
static const char *asked_iterations(char *message, size_t size)
{
    char *at = message;
    if (strlen(message) != size || read_attribute(&at, 'r') == NULL ||
        read_attribute(&at, 's') == NULL) {
        return NULL;
    }
    const char *iterations = read_attribute(&at, 'i');
    char *end = NULL;
    if (iterations == NULL || *at != '\0') {
        return NULL;
    }
    int count = (int)strtol(iterations, &end, 10);
    return *end == '\0' && count >= 1 ? iterations : NULL;
}

static Verdict judge_iterations(const char *iterations)
{
    if ((int)strtol(iterations, NULL, 10) > PG_SCAN_ITERATIONS_MAX) {
        return VERDICT_REFUSED;
    }
    size_t digits = strspn(iterations, "0123456789");
    bool is_plain = iterations[digits] == '\0' && digits <= PLAIN_DIGITS_MAX;
    return is_plain ? VERDICT_TAKEN : VERDICT_EITHER;
}

static Verdict judge_auth(Bytes body)
{
    char message[PG_SCAN_AUTH_BYTES_MAX + 1] = "";
    bool is_sasl = body.size >= AUTH_CODE_BYTES && body.data[0] == 0 && body.data[1] == 0 &&
                   body.data[2] == 0 && (body.data[3] == 11 || body.data[3] == 12);
    if (!is_sasl) {
        return VERDICT_TAKEN;
    }
    memcpy(message, body.data + AUTH_CODE_BYTES, body.size - AUTH_CODE_BYTES);
    const char *iterations = asked_iterations(message, body.size - AUTH_CODE_BYTES);
    return iterations == NULL ? VERDICT_EITHER : judge_iterations(iterations);
}

static Verdict judge_message(const Talk *talk, size_t at, size_t *ret_size, size_t *parameters)
{
    const uint8_t *head = talk->stream.data + at;
    size_t length = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
    bool in_answer = at + PG_SCAN_HEAD_BYTES > talk->answer_at; // when its head is whole
    size_t bytes_max = in_answer ? talk->answer_bytes_max : PG_SCAN_LOGIN_BYTES_MAX;
    *parameters += head[0] == 'S';
    if (length < HEAD_BYTES || length - HEAD_BYTES > bytes_max ||
        (head[0] == 'R' && length - HEAD_BYTES > PG_SCAN_AUTH_BYTES_MAX) ||
        *parameters > PG_SCAN_PARAMETERS_MAX) {
        return VERDICT_REFUSED;
    }
    *ret_size = length + 1;
    bool is_whole = *ret_size <= talk->stream.size - at;
    return head[0] == 'R' && is_whole
               ? judge_auth((Bytes){head + PG_SCAN_HEAD_BYTES, length - HEAD_BYTES})
               : VERDICT_TAKEN;
}

static bool is_too_much(const Talk *talk)
{
    size_t size = talk->stream.size;
    size_t login_bytes = size < talk->answer_at ? size : talk->answer_at;
    return login_bytes > PG_SCAN_LOGIN_BYTES_MAX || size - login_bytes > talk->answer_bytes_max;
}

static Verdict judge(const Talk *talk)
{
    Verdict verdict = is_too_much(talk) ? VERDICT_REFUSED : VERDICT_TAKEN;
    size_t at = 0;
    size_t parameters = 0;
    while (verdict != VERDICT_REFUSED && talk->stream.size - at >= PG_SCAN_HEAD_BYTES) {
        size_t size = 0;
        Verdict one = judge_message(talk, at, &size, &parameters);
        verdict = one == VERDICT_TAKEN ? verdict : one;
        at = size < talk->stream.size - at ? at + size : talk->stream.size;
    }
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SHAPE_BYTES = 4 };
    if (size < SHAPE_BYTES) {
        return 0;
    }
    size_t answer_at = (size_t)data[1] << 8 | data[2];
    const Talk talk = {.stream = {data + SHAPE_BYTES, size - SHAPE_BYTES},
                       .piece_bytes = (size_t)data[0] + 1,
                       .answer_at = answer_at == 0 ? SIZE_MAX : answer_at,
                       .answer_bytes_max = (size_t)data[3] * ANSWER_UNIT_BYTES};
    Error err = ERROR_INIT;
    bool taken = take(&talk, talk.piece_bytes, &err);
    must(taken == (err.kind == ERROR_NONE), "an error where it is refused");
    must(taken || (err.kind == ERROR_UNAVAILABLE && strcmp(err.code, "SERVER_REFUSED") == 0),
         "SERVER_REFUSED");
    must(utf8_is_valid(bytes_of(err.text)), "UTF-8");
    must(take(&talk, SIZE_MAX, NULL) == taken, "the same in other pieces");
    Verdict verdict = judge(&talk);
    must(!taken || verdict != VERDICT_REFUSED, "refused");
    must(taken || verdict != VERDICT_TAKEN, "taken");
    return 0;
}

#include "drive/pg_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    AUTH_SASL_CONTINUE = 11,
    AUTH_SASL_FINAL = 12,
    CODE_BYTES = 4,
    ITERATION_DIGITS_MAX = 6,
};

static bool refuse(const char *why, Error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "SERVER_REFUSED", "the server was refused: %s", why);
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Behind the n-th comma, or NULL.
static const char *find_attribute(const char *text, int number)
{
    for (int i = 0; i < number; i++) {
        text = strchr(text, ',');
        if (text == NULL) {
            return NULL;
        }
        text++;
    }
    return text;
}

// RFC 5802 section 7: r=nonce,s=salt,i=iterations[,extensions]; libpq takes nothing else, but any
// number that strtol reads, cut to an int.
static bool check_iterations(const char *message, Error *err)
{
    const char *iterations = find_attribute(message, 2);
    if (iterations == NULL || strncmp(iterations, "i=", 2) != 0) {
        return strncmp(message, "v=", 2) == 0 || strncmp(message, "e=", 2) == 0 ||
               refuse("its SCRAM message has no iteration count", err);
    }
    const char *digits = iterations + 2;
    size_t length = strspn(digits, "0123456789");
    bool is_number = length > 0 && (digits[length] == '\0' || digits[length] == ',');
    if (!is_number || length > ITERATION_DIGITS_MAX ||
        strtoul(digits, NULL, 10) > PG_SCAN_ITERATIONS_MAX) {
        return refuse("it asks for too many SCRAM iterations", err);
    }
    return true;
}

// libpq takes the server's first message under the code of the last one, too, and has computed what
// it asks for when it finds that the exchange isn't over (fe-auth.c, pg_SASL_continue).
static bool check_auth(PgScan *scan, Error *err)
{
    scan->auth[scan->auth_bytes] = '\0';
    uint32_t code = scan->auth_bytes < CODE_BYTES ? 0 : read_u32(scan->auth);
    if (code != AUTH_SASL_CONTINUE && code != AUTH_SASL_FINAL) {
        return true;
    }
    return check_iterations((const char *)scan->auth + CODE_BYTES, err);
}

static bool check_head(PgScan *scan, Error *err)
{
    uint32_t length = read_u32(scan->head + 1); // counts itself
    if (length < CODE_BYTES || length - CODE_BYTES > scan->bytes_max) {
        return refuse("a message is too long", err);
    }
    scan->left = length - CODE_BYTES;
    scan->auth_bytes = 0;
    if (scan->head[0] == 'R' && scan->left > PG_SCAN_AUTH_BYTES_MAX) {
        return refuse("an authentication request is too long", err);
    }
    if (scan->head[0] == 'S' && ++scan->parameters > PG_SCAN_PARAMETERS_MAX) {
        return refuse("it tells too many parameters", err);
    }
    return true;
}

// Of a message's head or body, as much as there is; how many bytes it took.
static size_t take_part(PgScan *scan, Bytes bytes)
{
    bool in_head = scan->head_bytes < PG_SCAN_HEAD_BYTES;
    size_t wanted = in_head ? PG_SCAN_HEAD_BYTES - scan->head_bytes : scan->left;
    size_t size = bytes.size < wanted ? bytes.size : wanted;
    if (in_head) {
        memcpy(scan->head + scan->head_bytes, bytes.data, size);
        scan->head_bytes += size;
        return size;
    }
    if (scan->head[0] == 'R' && size > 0) {
        assert(scan->auth_bytes + size <= PG_SCAN_AUTH_BYTES_MAX);
        memcpy(scan->auth + scan->auth_bytes, bytes.data, size);
        scan->auth_bytes += size;
    }
    scan->left -= size;
    return size;
}

void pg_scan_begin(PgScan *scan)
{
    *scan = (PgScan){.bytes_max = PG_SCAN_LOGIN_BYTES_MAX};
}

void pg_scan_answer(PgScan *scan, size_t bytes_max)
{
    scan->bytes = 0;
    scan->bytes_max = bytes_max;
}

bool pg_scan_take(PgScan *scan, Bytes bytes, Error *err)
{
    scan->bytes += bytes.size;
    if (scan->bytes > scan->bytes_max) {
        return refuse("it sends more than is taken", err);
    }
    while (bytes.size > 0) {
        bool in_head = scan->head_bytes < PG_SCAN_HEAD_BYTES;
        size_t took = take_part(scan, bytes);
        bytes.data += took;
        bytes.size -= took;
        if (in_head && scan->head_bytes == PG_SCAN_HEAD_BYTES && !check_head(scan, err)) {
            return false;
        }
        if (scan->head_bytes == PG_SCAN_HEAD_BYTES && scan->left == 0) {
            scan->head_bytes = 0;
            if (scan->head[0] == 'R' && !check_auth(scan, err)) {
                return false;
            }
        }
    }
    return true;
}

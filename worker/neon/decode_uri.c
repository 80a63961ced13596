#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/utf8.h"
#include "neon/member.h"
#include "neon/reply.h"

enum { PASSWORD_BYTES_MAX = 1024, DEFAULT_PORT = 5432 };

// Pieces of a URI, still percent-encoded; views of its text.
typedef struct UriPieces {
    Bytes role;
    Bytes password;
    Bytes host;
    Bytes port;
    Bytes database;
    Bytes parameters;
} UriPieces;

// Never shows the URI: it holds a password.
static bool refuse_uri(const char *why, Error *err)
{
    return neon_member_refuse("the connection URI", why, err);
}

static Bytes view(const char *text, size_t size)
{
    return (Bytes){(const uint8_t *)text, size};
}

// Cuts `bytes` at the first `separator` and returns what follows it, nothing where there is none.
static Bytes cut_at(Bytes *bytes, char separator)
{
    const uint8_t *found = bytes->size == 0 ? NULL : memchr(bytes->data, separator, bytes->size);
    if (found == NULL) {
        return (Bytes){NULL, 0};
    }
    Bytes rest = {found + 1, bytes->size - (size_t)(found - bytes->data) - 1};
    bytes->size = (size_t)(found - bytes->data);
    return rest;
}

static const char *skip_scheme(const char *uri)
{
    static const char *const SCHEMES[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++) {
        if (strncasecmp(uri, SCHEMES[i], strlen(SCHEMES[i])) == 0) {
            return uri + strlen(SCHEMES[i]);
        }
    }
    return NULL;
}

// role:password@host:port/database?parameters
static bool split_uri(const char *uri, UriPieces *ret_pieces)
{
    const char *rest = skip_scheme(uri);
    if (rest == NULL) {
        return false;
    }
    Bytes user = view(rest, strcspn(rest, "/?#"));
    const char *path = rest + user.size;
    Bytes server = cut_at(&user, '@');
    ret_pieces->password = cut_at(&user, ':');
    ret_pieces->role = user;
    ret_pieces->port = cut_at(&server, ':');
    ret_pieces->host = server;
    ret_pieces->database = path[0] == '/' ? view(path + 1, strcspn(path + 1, "?#")) : view(path, 0);
    const char *query = path + strcspn(path, "?#");
    ret_pieces->parameters = view(query, query[0] == '?' ? strcspn(query, "#") : 0);
    return true;
}

static int hex_value(uint8_t digit)
{
    static const char DIGITS[] = "0123456789abcdef";
    int lower = digit >= 'A' && digit <= 'F' ? digit - 'A' + 'a' : digit;
    const char *found = memchr(DIGITS, lower, sizeof DIGITS - 1);
    return found == NULL ? -1 : (int)(found - DIGITS);
}

// One character of `bytes` at *at, which is moved behind it; -1 for a broken %XX, or a NUL.
static int decode_next(Bytes bytes, size_t *at)
{
    uint8_t c = bytes.data[(*at)++];
    if (c != '%') {
        return c;
    }
    int high = *at < bytes.size ? hex_value(bytes.data[*at]) : -1;
    int low = *at + 1 < bytes.size ? hex_value(bytes.data[*at + 1]) : -1;
    *at += 2;
    return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

// False, and an empty text, when it doesn't fit or is no UTF-8.
static bool percent_decode(Bytes bytes, char *ret_text, size_t text_bytes)
{
    size_t length = 0;
    for (size_t at = 0; at < bytes.size;) {
        int c = decode_next(bytes, &at);
        if (c < 0 || length + 1 >= text_bytes) {
            ret_text[0] = '\0';
            return false;
        }
        ret_text[length++] = (char)c;
    }
    bool valid = utf8_is_valid(view(ret_text, length));
    ret_text[valid ? length : 0] = '\0';
    return valid;
}

static bool read_port(Bytes digits, int *ret_port)
{
    *ret_port = digits.size == 0 ? DEFAULT_PORT : 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || *ret_port > 65535) {
            return false;
        }
        *ret_port = *ret_port * 10 + (digits.data[i] - '0');
    }
    return *ret_port >= 1 && *ret_port <= 65535;
}

static bool read_password(Bytes piece, Secret *ret_password)
{
    char password[PASSWORD_BYTES_MAX] = "";
    bool valid = percent_decode(piece, password, sizeof password);
    if (valid) {
        secret_set_text(ret_password, password);
    }
    secret_zero(password, sizeof password);
    return valid;
}

static bool read_pieces(const UriPieces *pieces, NeonUri *ret_uri, Error *err)
{
    if (!percent_decode(pieces->host, ret_uri->host, sizeof ret_uri->host) ||
        !neon_member_is_host(ret_uri->host)) {
        return refuse_uri("has no host name", err);
    }
    if (!read_port(pieces->port, &ret_uri->port)) {
        return refuse_uri("has a port that is none", err);
    }
    if (!percent_decode(pieces->database, ret_uri->database, sizeof ret_uri->database) ||
        ret_uri->database[0] == '\0') {
        return refuse_uri("names no database", err);
    }
    if (!percent_decode(pieces->role, ret_uri->role, sizeof ret_uri->role) ||
        ret_uri->role[0] == '\0') {
        return refuse_uri("names no role", err);
    }
    return true;
}

bool neon_uri_parse(const char *uri, NeonUri *ret_uri, Secret *ret_password, Error *err)
{
    *ret_uri = (NeonUri){0};
    secret_clear(ret_password);
    UriPieces pieces = {0};
    if (!split_uri(uri, &pieces)) {
        return refuse_uri("is none of PostgreSQL", err);
    }
    return read_pieces(&pieces, ret_uri, err) &&
           (read_password(pieces.password, ret_password) ||
            refuse_uri("has a password that can't be read", err));
}

static void append_piece(Text *text, const char *before, Bytes piece)
{
    text_append(text, before);
    text_append_bytes(text, piece.data, piece.size);
}

void neon_uri_for(const char *uri, const char *role, const Secret *password, const char *database,
                  Secret *ret_uri)
{
    UriPieces pieces = {0};
    bool split = split_uri(uri, &pieces);
    assert(split);
    (void)split;
    CLEANUP(text_clear) Text text = TEXT_INIT(SIZE_MAX);
    text_append(&text, "postgresql://");
    text_append_url(&text, role);
    text_append(&text, ":");
    text_append_url(&text, secret_reveal(password));
    append_piece(&text, "@", pieces.host);
    if (pieces.port.size > 0) {
        append_piece(&text, ":", pieces.port);
    }
    text_append(&text, "/");
    text_append_url(&text, database);
    append_piece(&text, "", pieces.parameters);
    secret_set(ret_uri, text_bytes(&text));
}

bool neon_decode_uri(const json_t *body, Secret *ret_uri, Error *err)
{
    secret_clear(ret_uri);
    const char *uri = json_string_value(neon_member_get(body, "uri"));
    if (uri == NULL || uri[0] == '\0') {
        return neon_member_refuse("uri", "is no text", err);
    }
    secret_set_text(ret_uri, uri);
    return true;
}

bool neon_decode_connection(const json_t *body, NeonUri *ret_uri, char *ret_pooled_host,
                            size_t pooled_host_bytes, Secret *ret_password, bool *ret_found,
                            Error *err)
{
    *ret_uri = (NeonUri){0};
    ret_pooled_host[0] = '\0';
    secret_clear(ret_password);
    const json_t *list = neon_member_get(body, "connection_uris");
    *ret_found = json_array_size(list) > 0;
    if (!*ret_found) {
        return list == NULL || json_is_array(list) ||
               neon_member_refuse("connection_uris", "is no array", err);
    }
    const json_t *first = json_array_get(list, 0);
    const char *uri = json_string_value(neon_member_get(first, "connection_uri"));
    const json_t *parameters = neon_member_get(first, "connection_parameters");
    if (!neon_member_text_optional(parameters, "pooler_host", ret_pooled_host, pooled_host_bytes,
                                   err)) {
        return false;
    }
    if (ret_pooled_host[0] != '\0' && !neon_member_is_host(ret_pooled_host)) {
        return neon_member_refuse("pooler_host", "is no host name", err);
    }
    return uri == NULL ? neon_member_refuse("connection_uri", "is no text", err)
                       : neon_uri_parse(uri, ret_uri, ret_password, err);
}

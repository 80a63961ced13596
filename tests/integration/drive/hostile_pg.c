#include "hostile_pg.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "drive/pg_scan.h"

enum { PACE_MS = 50 };

static bool send_message(TlsTalk *talk, char type, const void *body, size_t size)
{
    uint8_t head[PG_SCAN_HEAD_BYTES] = {(uint8_t)type, (uint8_t)((size + 4) >> 24),
                                        (uint8_t)((size + 4) >> 16), (uint8_t)((size + 4) >> 8),
                                        (uint8_t)(size + 4)};
    return tls_write(talk, head, sizeof(head)) && (size == 0 || tls_write(talk, body, size));
}

// SSLRequest is answered with yes.
bool hostile_pg_agree_to_tls(TlsTalk *talk)
{
    char request[8];
    return recv(talk->fd, request, sizeof(request), MSG_WAITALL) == sizeof(request) &&
           send(talk->fd, "S", 1, MSG_NOSIGNAL) == 1;
}

static bool read_message(TlsTalk *talk, bool has_type, char *ret_body, size_t room)
{
    uint8_t head[PG_SCAN_HEAD_BYTES];
    size_t head_bytes = has_type ? 5 : 4;
    if (!tls_read(talk, head, head_bytes)) {
        return false;
    }
    const uint8_t *length = head + head_bytes - 4;
    size_t size = ((size_t)length[2] << 8 | length[3]) - 4;
    if (size >= room) {
        return false;
    }
    ret_body[size] = '\0';
    return tls_read(talk, ret_body, size);
}

static void send_split(TlsTalk *talk, const char *message, size_t size)
{
    for (size_t i = 0; i < size && tls_write(talk, message + i, 1); i++) {
    }
}

// OpenSSL reads a ticket in between by itself.
static void send_around_ticket(TlsTalk *talk, const char *message, size_t size)
{
    (void)tls_write(talk, message, 3);
    (void)SSL_new_session_ticket(talk->ssl);
    (void)tls_write(talk, message + 3, size - 3);
}

static void send_whole(TlsTalk *talk, const char *message, size_t size)
{
    (void)tls_write(talk, message, size);
}

// AuthenticationSASL, the client's nonce, AuthenticationSASLContinue with our iteration count.
static void ask_in(TlsTalk *talk, const HostilePg *pg, void (*put)(TlsTalk *, const char *, size_t))
{
    char body[1024];
    char text[1024];
    if (!send_message(talk, 'R', "\0\0\0\012SCRAM-SHA-256\0", 19) ||
        !read_message(talk, true, body, sizeof(body))) {
        return;
    }
    const char *nonce = strstr(body + strlen(body) + 5, "r="); // mechanism, length, message
    int size = snprintf(text, sizeof(text), "R%c%c%c%c%c%c%c%c%sserver,s=c2FsdHNhbHRzYWx0,i=%s", 0,
                        0, 0, 0, 0, 0, 0, 11, nonce, pg->iterations);
    text[4] = (char)(size - 1);
    put(talk, text, (size_t)size);
    (void)read_message(talk, true, body, sizeof(body));
}

void hostile_pg_ask_iterations(TlsTalk *talk, const HostilePg *pg)
{
    ask_in(talk, pg, send_whole);
}

void hostile_pg_ask_split(TlsTalk *talk, const HostilePg *pg)
{
    ask_in(talk, pg, send_split);
}

void hostile_pg_ask_around_ticket(TlsTalk *talk, const HostilePg *pg)
{
    ask_in(talk, pg, send_around_ticket);
}

static void repeat(TlsTalk *talk, char type, const char *body, size_t size)
{
    static char messages[8192];
    size_t used = 0;
    uint8_t head[PG_SCAN_HEAD_BYTES] = {(uint8_t)type, 0, 0, (uint8_t)((size + 4) >> 8),
                                        (uint8_t)(size + 4)};
    while (used + sizeof(head) + size <= sizeof(messages)) {
        memcpy(messages + used, head, sizeof(head));
        memcpy(messages + used + sizeof(head), body, size);
        used += sizeof(head) + size;
    }
    while (tls_write(talk, messages, used)) {
    }
}

// A message that says it is a GiB long, and its body.
static void send_giant(TlsTalk *talk, char type)
{
    static const char body[8192] = "SERROR";
    const char head[PG_SCAN_HEAD_BYTES] = {type, 0x40, 0, 0, 0};
    if (tls_write(talk, head, sizeof(head))) {
        while (tls_write(talk, body, sizeof(body))) {
        }
    }
}

void hostile_pg_wait_for_hangup(TlsTalk *talk)
{
    char byte;
    while (tls_read(talk, &byte, 1)) {
    }
}

void hostile_pg_be_silent(TlsTalk *talk, const HostilePg *pg)
{
    (void)pg;
    hostile_pg_wait_for_hangup(talk);
}

void hostile_pg_hang_up(TlsTalk *talk, const HostilePg *pg)
{
    (void)talk, (void)pg;
}

void hostile_pg_drip(TlsTalk *talk, const HostilePg *pg)
{
    (void)pg;
    (void)tls_write(talk, "E\0\0\100\0SERROR", 11);
    while (tls_pause(talk, PACE_MS) && tls_write(talk, "X", 1)) {
    }
}

void hostile_pg_send_giant_request(TlsTalk *talk, const HostilePg *pg)
{
    (void)pg;
    send_giant(talk, 'R');
}

void hostile_pg_send_giant_error(TlsTalk *talk, const HostilePg *pg)
{
    (void)pg;
    send_giant(talk, 'E');
}

void hostile_pg_send_notices(TlsTalk *talk, const HostilePg *pg)
{
    static const char NOTICE[] = "SNOTICE\0C00000\0Mhello\0";
    (void)pg;
    repeat(talk, 'N', NOTICE, sizeof(NOTICE));
}

void hostile_pg_send_parameters(TlsTalk *talk, const HostilePg *pg)
{
    static const char STATUS[] = "client_encoding\0UTF8";
    (void)pg;
    repeat(talk, 'S', STATUS, sizeof(STATUS));
}

static void begin_rows(TlsTalk *talk)
{
    // one column, a text
    static const char COLUMN[] = "\0\001"
                                 "x\0"
                                 "\0\0\0\0"
                                 "\0\0"
                                 "\0\0\0\031"
                                 "\377\377"
                                 "\377\377\377\377"
                                 "\0\0";
    (void)send_message(talk, '1', NULL, 0);
    (void)send_message(talk, '2', NULL, 0);
    (void)send_message(talk, 'T', COLUMN, sizeof(COLUMN) - 1);
}

void hostile_pg_send_rows(TlsTalk *talk, const HostilePg *pg)
{
    (void)pg;
    begin_rows(talk);
    repeat(talk, 'D', "\0\001\377\377\377\377", 6);
}

void hostile_pg_send_giant_row(TlsTalk *talk, const HostilePg *pg)
{
    (void)pg;
    begin_rows(talk);
    send_giant(talk, 'D');
}

void hostile_pg_answer(TlsTalk *talk, const HostilePg *pg)
{
    static const char ROW[] = "\0\001\0\0\0\001"
                              "1";
    (void)pg;
    begin_rows(talk);
    (void)send_message(talk, 'D', ROW, sizeof(ROW) - 1);
    (void)send_message(talk, 'C', "SELECT 1", 9);
    (void)send_message(talk, 'Z', "I", 1);
    hostile_pg_wait_for_hangup(talk);
}

// Of the startup message's pairs of names and values.
static bool is_spared(const HostilePg *pg, const char *message, size_t size)
{
    char pair[128] = "database";
    if (pg->spares == NULL) {
        return false;
    }
    size_t name_bytes = strlen(pair) + 1;
    (void)snprintf(pair + name_bytes, sizeof(pair) - name_bytes, "%s", pg->spares);
    return memmem(message, size, pair, name_bytes + strlen(pg->spares) + 1) != NULL;
}

void hostile_pg_talk(TlsTalk *talk)
{
    static const HostilePg HONEST = {.after = hostile_pg_answer};
    const HostilePg *pg = talk->context;
    char body[1024] = "";
    if (!read_message(talk, false, body, sizeof(body))) {
        return;
    }
    if (is_spared(pg, body, sizeof(body))) {
        pg = &HONEST;
    }
    if (pg->before != NULL) {
        pg->before(talk, pg);
    } else if (send_message(talk, 'R', "\0\0\0\0", 4)) {
        if (pg->during != NULL) {
            pg->during(talk, pg);
        } else if (send_message(talk, 'Z', "I", 1) &&
                   read_message(talk, true, body, sizeof(body))) {
            pg->after(talk, pg);
        }
    }
}

/*
 * One connection of the driver. Used by driver.c only.
 */
#ifndef ROLES_TEST_DRIVER_LINK_H
#define ROLES_TEST_DRIVER_LINK_H

#include <libpq-fe.h>
#include <poll.h>

#include "driver.h"

typedef enum LinkState {
    LINK_CLOSED,
    LINK_CONNECTS,
    LINK_SENDS,
    LINK_ROLLS_BACK, // what failed has left its transaction open
    LINK_RESTS,      // until wake_ms
} LinkState;

typedef enum LinkNews {
    LINK_NOTHING,
    LINK_CONNECTED,
    LINK_REFUSED,  // err
    LINK_ANSWERED, // results, or err
} LinkNews;

typedef struct Link {
    RolesSession *session;
    PGconn *conn;
    LinkState state;
    PostgresPollingStatusType polling; // LINK_CONNECTS
    PGresult **results;
    int result_count;
    int statement_count;
    int sync_count;
    bool each;
    bool is_flushed;
    Error err;
    int64_t wake_ms; // LINK_RESTS
    uint32_t waits;  // for the other side, of this and all sessions before it in its place
} Link;

void link_open(Link *link, const RolesDriverTarget *target, RolesSession *session);
void link_close(Link *link);
void link_send(Link *link, const RolesBatch *batch);
struct pollfd link_poll(const Link *link);
LinkNews link_look(Link *link); // after its socket was ready
void link_forget(Link *link);   // the results

#endif

/*
 * Tells the service manager how the service is: the protocol of sd_notify(3), a datagram a message
 * to the socket that $NOTIFY_SOCKET names ("@…": an abstract one). Without that variable nothing is
 * sent.
 */
#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Notify {
    int socket;                   // -1: nobody wants to know
    int64_t watchdog_interval_ms; // how often "WATCHDOG=1" is expected at least; 0: not at all
} Notify;

#define NOTIFY_INIT ((Notify){.socket = -1})

// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment.
void notify_open(Notify *notify);
void notify_close(Notify *notify);
bool notify_is_open(const Notify *notify);
// "READY=1", or several such lines. Never waits: what the manager doesn't take now is lost, and
// false is returned.
bool notify_send(const Notify *notify, const char *state);

#endif

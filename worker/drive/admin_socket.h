/*
 * The admin endpoint's listening socket. Used by drive/admin only.
 */
#ifndef DRIVE_ADMIN_SOCKET_H
#define DRIVE_ADMIN_SOCKET_H

#include "base/error.h"

// A listening socket, or -1; see admin_open for addresses and errors.
int admin_socket_listen(const char *address, int *ret_port, Error *err);

#endif

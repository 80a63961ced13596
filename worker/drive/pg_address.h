/*
 * Where a worker must not be sent by a host name that came from outside: to what listens on its own
 * machine, or at 169.254.169.254 (a cloud's metadata service).
 */
#ifndef DRIVE_PG_ADDRESS_H
#define DRIVE_PG_ADDRESS_H

#include <stdbool.h>

// Of a numeric address: loopback, link-local, unspecified or multicast (RFC 6890), also as an
// IPv4-mapped one; and what is none. Private ones (RFC 1918) are not local: Neon Private Networking
// gives branches such.
bool pg_address_is_local(const char *address);

#endif

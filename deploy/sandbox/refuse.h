/* A refused login as Neon's proxy answers it: TLS is set up, then an error instead of a session. */
#pragma once

#include "tls.h"

/* Shows a certificate for the two hosts and answers on the connected socket and closes it. Blocks
 * up to some seconds: on libuv's threads. */
void refuse_login(const Tls *tls, const char *const hosts[2], int file);

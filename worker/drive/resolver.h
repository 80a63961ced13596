/*
 * Name resolution off the loop (getaddrinfo on libuv's threads), cached for 60 s; for curl
 * (CURLOPT_RESOLVE) and libpq (hostaddr). Numeric addresses and `localhost`, `*.localhost` (RFC
 * 6761: loopback; Debian's resolver doesn't know it) are answered at once.
 */
#ifndef DRIVE_RESOLVER_H
#define DRIVE_RESOLVER_H

#include "base/error.h"
#include "drive/loop.h"

typedef struct Resolver Resolver;
typedef struct ResolverQuery ResolverQuery;
// `address`: a numeric IPv4 or IPv6 address, or NULL and `err` says why (code NAME_NOT_RESOLVED,
// kind unavailable). Never called from within resolver_ask.
typedef void ResolverCallback(void *context, const char *address, const Error *err);

Resolver *resolver_new(Loop *loop);
void resolver_free(Resolver *resolver);
ResolverQuery *resolver_ask(Resolver *resolver, const char *host, ResolverCallback *callback,
                            void *context);
// Its address where that is known without waiting, else NULL; valid until the next call.
const char *resolver_known(const Resolver *resolver, const char *host);
void resolver_cancel(ResolverQuery *query); // the callback is not called any more

#endif

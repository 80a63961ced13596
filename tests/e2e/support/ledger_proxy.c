#include "support/ledger_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/setup.h"

const char *ledger_proxy_open(World *world, const char *name, Proxy **ret_proxy)
{
    char host[64];
    // postgresql://USER:PASSWORD@HOST:PORT/DATABASE
    const char *at = strrchr(world->ledger_uri, '@');
    assert_non_null(at);
    const char *colon = strchr(at, ':');
    const char *slash = strchr(at, '/');
    assert_true(colon != NULL && slash != NULL && colon < slash);
    int length = snprintf(host, sizeof(host), "%.*s", (int)(colon - at - 1), at + 1);
    assert_in_range(length, 1, sizeof(host) - 1);
    *ret_proxy = proxy_open(host, (int)strtol(colon + 1, NULL, 10));
    setup_write(world, name,
                box_text("%.*s@127.0.0.1:%d%s", (int)(at - world->ledger_uri), world->ledger_uri,
                         proxy_port(*ret_proxy), slash));
    return box_text("ledger.uri_file=%s/%s", world->dir, name);
}

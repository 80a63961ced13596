/*
 * A proxy between a worker and the ledger.
 */
#ifndef E2E_LEDGER_PROXY_H
#define E2E_LEDGER_PROXY_H

#include "support/proxy.h"
#include "support/world.h"

// Opens it and writes its URI into a file of the world's folder; the worker's setting that names it
// is returned, kept until the program ends. `name` ends with ".uri", as the search for secrets
// leaves such files out.
const char *ledger_proxy_open(World *world, const char *name, Proxy **ret_proxy);

#endif

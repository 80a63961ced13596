/*
 * What others see of the worker: the admin endpoint's pages, and the service manager's notes
 * (sd_notify). Ready is a worker that can take commands on: it has been given its partitions (none
 * is fine, too, in a group of more members than partitions), reaches Kafka and the ledger,
 * publishes, and isn't leaving. A rebalance doesn't make it unready, unless it lasts.
 */
#ifndef RUN_SIGHT_H
#define RUN_SIGHT_H

#include "run/worker.h"

enum { SIGHT_REBALANCE_MS = 60000 }; // longer than that, being without an assignment is reported

typedef struct Sight Sight;

Sight *sight_new(Worker *worker);
// Serves admin.address. Errors: those of admin_open.
bool sight_open(Sight *sight, Error *err);
void sight_free(Sight *sight);

void sight_assigned(Sight *sight);
void sight_revoked(Sight *sight);
void sight_kafka(Sight *sight, bool is_away);
void sight_transactions(Sight *sight, bool fail);
// The worker stops.
void sight_leaving(Sight *sight);
// At the end of each turn of the loop.
void sight_turn(Sight *sight);

// Why the worker isn't ready, a line each; nothing is appended when it is.
void sight_reasons(const Sight *sight, Text *text);

#endif

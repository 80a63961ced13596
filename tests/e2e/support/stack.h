/*
 * A ledger and a Kafka of the test's own, which it may stop, freeze, slow down and fill up. Started
 * with deploy/local before the world, which then uses them.
 */
#ifndef E2E_STACK_H
#define E2E_STACK_H

#include <stdbool.h>

#include "support/world.h"

typedef enum StackPart {
    STACK_LEDGER = 1,
    STACK_LEDGER_ON_SMALL_DISK = 2, // a tmpfs; needs root
    STACK_KAFKA = 4,
} StackPart;

// Starts parts (or'ed) and names them in PROVISION_TEST_LEDGER and PROVISION_TEST_KAFKA. They end
// with stack_end, or with the program.
void stack_begin(int parts);
void stack_end(void);

void stack_stop_ledger(void);
// Again, where it doesn't run; the world's own connection works again, too.
void stack_start_ledger(World *world);
// Makes a standby of it, which takes over: it goes on where it was, on another timeline.
void stack_promote_ledger(World *world);
// Leaves no room in the pages of its tables for further rows.
void stack_pack_ledger(World *world);
// Uses up what is left of the small disk, and gives it back.
void stack_fill_disk(World *world);
void stack_free_disk(void); // fine when it isn't full
// From its next connections on the ledger's temporary tables go to a disk that isn't the small one.
void stack_put_temporary_elsewhere(World *world);
void stack_freeze_kafka(void);
void stack_thaw_kafka(void);
void stack_stop_kafka(void);  // as on purpose: it ends in order
void stack_start_kafka(void); // again, where it was

// Makes the ledger answer late by so much, through a proxy. The worker's setting that leads there.
const char *stack_slow_ledger(World *world, int delay_ms);

#endif

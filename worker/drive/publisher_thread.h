/*
 * What the publisher's thread does. Used by drive/publisher only.
 */
#ifndef DRIVE_PUBLISHER_THREAD_H
#define DRIVE_PUBLISHER_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "drive/publisher_box.h"
#include "drive/publisher_txn.h"

typedef struct PublisherThread {
    Box *box;
    Txn txn;
    int64_t linger_ms;
    List waiting; // Item, in order
    bool prepared;
    bool fatal;
    bool closing;
    bool hurrying;      // lingers no more
    bool troubled;      // and told so
    uint32_t attempts;  // since the last success
    size_t batch_items; // of the next transaction at most
    const char *dead_letters_topic;
    int64_t next_try_boot_ms;
} PublisherThread;

// Code KAFKA_SETUP.
bool publisher_thread_open(PublisherThread *thread, Box *box, const Settings *settings, Error *err);
// `argument`: a PublisherThread with an open txn. Ends with NOTE_CLOSED; the txn is closed then.
void publisher_thread_run(void *argument);

#endif

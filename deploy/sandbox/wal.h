/* A cluster's write-ahead log as files: names, positions, copies. Every function may be called on
 * any thread. https://www.postgresql.org/docs/current/wal-internals.html */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "spawn.h"

enum { WAL_NAME_BYTES = 25, WAL_LSN_BYTES = 20 };

/* Of a data directory's pg_control. */
typedef struct WalControl {
    uint64_t system_id;
    uint64_t checkpoint; /* of a stopped cluster: its last record */
    uint64_t redo;       /* from where recovery would read */
    uint32_t timeline;
} WalControl;

/* False when there is none. */
bool wal_read_control(const char *data_dir, WalControl *ret_control);
/* "16/B374D848"; false for anything else. */
bool wal_parse_lsn(const char *text, uint64_t *ret_lsn);
void wal_render_lsn(uint64_t lsn, char ret_text[WAL_LSN_BYTES]);
/* The segment that holds the position. */
void wal_build_name(uint32_t timeline, uint64_t lsn, char ret_name[WAL_NAME_BYTES]);
/* Brings segments from `first` on, and the histories of timelines, from one data directory to
 * another. Those before `whole` are complete, so that nobody writes into them again: they are
 * linked, not copied. */
bool wal_copy(const char *from_data, const char *to_data, const char *first, const char *whole,
              const SpawnUser *user);

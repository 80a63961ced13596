/*
 * One subject into the ledger. For run/rebuild.c.
 */
#ifndef RUN_REBUILD_WRITE_H
#define RUN_REBUILD_WRITE_H

#include "run/ledger_session.h"
#include "run/rebuild_subjects.h"

typedef enum RebuildResult {
    REBUILD_KEPT,    // the row knows as much or more
    REBUILD_MADE,    // there was none
    REBUILD_CHANGED, // it was behind
} RebuildResult;

// *ret_needs_key: it is an account, and the row has no API key.
bool rebuild_write(PGconn *session, const RebuildSubject *subject, const char *roles_prefix,
                   RebuildResult *ret_result, bool *ret_needs_key, Error *err);

#endif

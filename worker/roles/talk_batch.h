/*
 * The statements of one batch of a conversation. Used by roles/talk only.
 */
#ifndef ROLES_TALK_BATCH_H
#define ROLES_TALK_BATCH_H

#include "roles/talk.h"

typedef struct TalkBatch {
    RolesStatement *list;
    int count;
    int capacity;
    bool each;
    bool changes;
} TalkBatch;

void talk_batch_begin(TalkBatch *batch, bool each, bool changes);
void talk_batch_clear(TalkBatch *batch);
// Texts are borrowed until the batch begins anew. Returns the statement's index.
int talk_batch_add(TalkBatch *batch, const char *sql);
int talk_batch_add_with(TalkBatch *batch, const char *sql, const char *param);
// As it is executed with others, all or none. `covered`: the password of the role that it names
// (roles/talk_pad.h), NULL: none is known.
void talk_batch_add_step(TalkBatch *batch, const RolesStep *step, const char *covered);
// As it is executed by itself, whatever becomes of the others in the transaction. Returns the index
// of the result whose one value says why it failed; "": it did not.
int talk_batch_try_step(TalkBatch *batch, const RolesStep *step, const char *covered);
RolesBatch talk_batch_get(const TalkBatch *batch);

#endif

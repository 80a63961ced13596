#include "run/rebuild_write.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "saga/restore.h"

// Every statement answers one row where it wrote: whether it was inserted, and whether a key is
// missing.
#define WRITTEN(sealed) " RETURNING (xmax = 0), " sealed

// Which command made it is unknown: the nil UUID and an empty digest equal no other.
static const char ENVIRONMENT[] =
    "INSERT INTO provision.environment AS e (application_id, environment, sequence, state, origin, "
    "action, account, project_id, branch_id, endpoint_id, details, command_id, spec_digest) "
    "VALUES ($1, $2, $3::bigint, $4, $5, $6, nullif($7, ''), nullif($8, ''), nullif($9, ''), "
    "nullif($10, ''), $11::jsonb, '00000000-0000-0000-0000-000000000000', "
    "decode(repeat('00', 32), 'hex')) "
    "ON CONFLICT (application_id, environment) DO UPDATE SET sequence = EXCLUDED.sequence, "
    "state = EXCLUDED.state, origin = EXCLUDED.origin, account = EXCLUDED.account, "
    "project_id = EXCLUDED.project_id, branch_id = EXCLUDED.branch_id, "
    "endpoint_id = EXCLUDED.endpoint_id, updated_at = clock_timestamp(), "
    // of the same branch, a row also knows what no state shows
    "details = CASE WHEN e.branch_id = EXCLUDED.branch_id THEN (e.details - ARRAY['left', "
    "'expires_at_ms']) || EXCLUDED.details "
    "ELSE EXCLUDED.details END, "
    "command_id = CASE WHEN e.branch_id = EXCLUDED.branch_id THEN e.command_id "
    "ELSE EXCLUDED.command_id END, "
    "action = CASE WHEN e.branch_id = EXCLUDED.branch_id THEN e.action ELSE EXCLUDED.action END, "
    "spec_digest = CASE WHEN e.branch_id = EXCLUDED.branch_id THEN e.spec_digest "
    "ELSE EXCLUDED.spec_digest END "
    "WHERE e.sequence < EXCLUDED.sequence" WRITTEN("false");

static const char GONE_PASSWORDS[] =
    "DELETE FROM provision.role_secret r USING provision.environment e "
    "WHERE r.application_id = $1 AND r.environment = $2 AND e.application_id = $1 "
    "AND e.environment = $2 AND e.state = 'gone'";

static const char ACCOUNT[] =
    "INSERT INTO provision.account AS a (application_id, account, sequence, key_kind, "
    "neon_account_id, org_id, project_id) "
    "VALUES ($1, $2, $3::bigint, nullif($4, ''), nullif($5, ''), nullif($6, ''), nullif($7, '')) "
    "ON CONFLICT (application_id, account) DO UPDATE SET sequence = EXCLUDED.sequence, "
    // the key of another one is of no use
    "sealed_key = CASE WHEN a.neon_account_id = EXCLUDED.neon_account_id THEN a.sealed_key END, "
    "key_kind = EXCLUDED.key_kind, neon_account_id = EXCLUDED.neon_account_id, "
    "org_id = EXCLUDED.org_id, project_id = EXCLUDED.project_id, updated_at = clock_timestamp() "
    "WHERE a.sequence < EXCLUDED.sequence" WRITTEN("a.sealed_key IS NULL");

static const char APPLICATION[] =
    "INSERT INTO provision.application AS p (application_id, preview_base, sequence) "
    "VALUES ($1, nullif($2, ''), $3::bigint) ON CONFLICT (application_id) DO UPDATE SET "
    "preview_base = EXCLUDED.preview_base, sequence = EXCLUDED.sequence, "
    "updated_at = clock_timestamp() WHERE p.sequence < EXCLUDED.sequence" WRITTEN("false");

typedef struct Write {
    PGconn *session;
    const RebuildSubject *subject;
    const char *roles_prefix;
    char sequence[24];
} Write;

static PGresult *write_gone(const Write *write, Error *err)
{
    const RebuildSubject *subject = write->subject;
    PGresult *rows = ledger_session_ask(
        write->session, ENVIRONMENT, 11,
        (const char *const[]){subject->application_id, subject->subject.name, write->sequence,
                              "gone", "created", "DeleteEnvironment", "", "", "", "", "{}"},
        err);
    bool done = rows != NULL &&
                ledger_session_do(
                    write->session, GONE_PASSWORDS, 2,
                    (const char *const[]){subject->application_id, subject->subject.name}, err);
    if (!done) {
        PQclear(rows);
        return NULL;
    }
    return rows;
}

static const char *action_of(const char *environment, const char *origin)
{
    if (strncmp(environment, "pr:", 3) == 0) {
        return "OpenPreview";
    }
    if (strcmp(origin, "branched") == 0) {
        return "BranchEnvironment";
    }
    return strcmp(origin, "created") == 0 ? "CreateEnvironment" : "ImportEnvironment";
}

static PGresult *write_environment(const Write *write, Error *err)
{
    const RebuildSubject *subject = write->subject;
    const Provisioning__V1__EnvironmentState *state =
        subject->state != NULL ? subject->state->environment : NULL;
    const char *origin = state != NULL ? restore_origin(state->origin) : NULL;
    if (subject->state == NULL) {
        return write_gone(write, err);
    }
    if (state == NULL || origin == NULL) {
        error_set(err, ERROR_INVALID, "STATE_UNREADABLE",
                  "the state of environment %s of %s is of a later version", subject->subject.name,
                  subject->application_id);
        return NULL;
    }
    bool failed = state->status == PROVISIONING__V1__ENVIRONMENT_STATUS__ENVIRONMENT_STATUS_FAILED;
    json_t *details = restore_details(state, write->roles_prefix);
    char *text = json_dumps(details, JSON_COMPACT);
    json_decref(details);
    PGresult *rows = ledger_session_ask(
        write->session, ENVIRONMENT, 11,
        (const char *const[]){subject->application_id, subject->subject.name, write->sequence,
                              failed ? "failed" : "ready", origin,
                              action_of(subject->subject.name, origin), state->account,
                              state->project_id, state->branch_id, state->endpoint_id, text},
        err);
    free(text);
    return rows;
}

static const char *kind_of(const Provisioning__V1__AccountState *state)
{
    switch (state->key_kind) {
    case PROVISIONING__V1__KEY_KIND__KEY_KIND_PERSONAL:
        return "personal";
    case PROVISIONING__V1__KEY_KIND__KEY_KIND_ORGANIZATION:
        return "organization";
    case PROVISIONING__V1__KEY_KIND__KEY_KIND_PROJECT:
        return "project";
    case PROVISIONING__V1__KEY_KIND__KEY_KIND_UNSPECIFIED:
    case _PROVISIONING__V1__KEY_KIND_IS_INT_SIZE:
    default:
        return "";
    }
}

static PGresult *write_account(const Write *write, Error *err)
{
    const RebuildSubject *subject = write->subject;
    Provisioning__V1__AccountState gone;
    provisioning__v1__account_state__init(&gone);
    const Provisioning__V1__AccountState *state =
        subject->state != NULL && subject->state->account != NULL ? subject->state->account : &gone;
    return ledger_session_ask(write->session, ACCOUNT, 7,
                              (const char *const[]){subject->application_id, subject->subject.name,
                                                    write->sequence, kind_of(state),
                                                    state->neon_account_id, state->org_id,
                                                    state->project_id},
                              err);
}

static PGresult *write_application(const Write *write, Error *err)
{
    const RebuildSubject *subject = write->subject;
    const Provisioning__V1__State *state = subject->state;
    const char *base =
        state != NULL && state->application != NULL ? state->application->preview_base : "";
    return ledger_session_ask(write->session, APPLICATION, 3,
                              (const char *const[]){subject->application_id, base, write->sequence},
                              err);
}

static PGresult *write_subject(const Write *write, Error *err)
{
    switch (write->subject->subject.kind) {
    case SUBJECT_ENVIRONMENT:
        return write_environment(write, err);
    case SUBJECT_ACCOUNT:
        return write_account(write, err);
    case SUBJECT_APPLICATION:
    case SUBJECT_NONE:
        break;
    }
    return write_application(write, err);
}

bool rebuild_write(PGconn *session, const RebuildSubject *subject, const char *roles_prefix,
                   RebuildResult *ret_result, bool *ret_needs_key, Error *err)
{
    Write write = {.session = session, .subject = subject, .roles_prefix = roles_prefix};
    (void)snprintf(write.sequence, sizeof write.sequence, "%" PRId64, subject->sequence);
    *ret_result = REBUILD_KEPT;
    *ret_needs_key = false;
    if (subject->sequence == 0) {
        return true; // nothing was ever published of it but what changes nothing
    }
    PGresult *rows CLEANUP(ledger_session_clear_at) = write_subject(&write, err);
    if (rows != NULL && PQntuples(rows) > 0) {
        bool inserted = PQgetvalue(rows, 0, 0)[0] == 't';
        *ret_result = inserted ? REBUILD_MADE : REBUILD_CHANGED;
        *ret_needs_key = PQgetvalue(rows, 0, 1)[0] == 't' && subject->state != NULL;
    }
    return rows != NULL;
}

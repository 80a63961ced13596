#include "saga/record.h"

#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"

enum { OPERATIONS_MAX = 64 };

void record_project(Saga *saga, const NeonProject *project)
{
    Journal *journal = &saga->journal;
    journal_set_text(journal, FACT_PROJECT_NAME, project->name);
    journal_set_text(journal, FACT_REGION_ID, project->region_id);
    journal_set_number(journal, FACT_PG_VERSION, project->pg_version);
    if (project->history_retention_seconds >= 0) {
        journal_set_number(journal, FACT_RETENTION, project->history_retention_seconds);
    }
    journal_set_flag(journal, FACT_PROJECT_READ);
}

void record_operations(Saga *saga, const json_t *body)
{
    Error err = ERROR_INIT;
    json_t *ids = NULL;
    if (!neon_decode_operation_ids(body, &ids, &err) || json_array_size(ids) == 0) {
        json_decref(ids);
        return;
    }
    const json_t *before = journal_value(&saga->journal, FACT_OPERATIONS);
    json_t *all = json_is_array(before) ? json_deep_copy(before) : json_array();
    size_t i;
    json_t *id;
    json_array_foreach(ids, i, id)
    {
        if (json_array_size(all) < OPERATIONS_MAX) { // what they make is waited for in any case
            json_array_append(all, id);
        }
    }
    json_decref(ids);
    journal_set_value(&saga->journal, FACT_OPERATIONS, all);
}

void record_uri(Saga *saga, const NeonUri *uri, Secret *password)
{
    SagaConnection *connection = &saga->connection;
    bool fits = text_copy(connection->host, sizeof connection->host, uri->host);
    fits = text_copy(connection->database, sizeof connection->database, uri->database) && fits;
    fits = text_copy(connection->role, sizeof connection->role, uri->role) && fits;
    (void)fits; // fields of the same sizes
    connection->port = uri->port;
    secret_move(&connection->password, password);
    journal_set_text(&saga->journal, FACT_HOST, uri->host);
    journal_set_number(&saga->journal, FACT_PORT, uri->port);
}

void record_connection(Saga *saga, const json_t *body)
{
    Error err = ERROR_INIT;
    NeonUri uri;
    char pooled_host[sizeof uri.host];
    bool found = false;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    if (!neon_decode_connection(body, &uri, pooled_host, sizeof pooled_host, &password, &found,
                                &err) ||
        !found || uri.database[0] == '\0') {
        return;
    }
    journal_set_text(&saga->journal, FACT_DATABASE, uri.database);
    journal_set_text(&saga->journal, FACT_ROLE, uri.role);
    json_t *databases = json_pack("[s]", uri.database);
    journal_set_value(&saga->journal, FACT_DATABASES, databases);
    record_uri(saga, &uri, &password);
    if (pooled_host[0] != '\0') {
        journal_set_text(&saga->journal, FACT_POOLED_HOST, pooled_host);
    }
}

void record_endpoint(Saga *saga, const NeonEndpoint *endpoint)
{
    Journal *journal = &saga->journal;
    journal_set_text(journal, FACT_ENDPOINT_ID, endpoint->id);
    journal_set_value(journal, FACT_MIN_CU, json_real(endpoint->min_cu));
    journal_set_value(journal, FACT_MAX_CU, json_real(endpoint->max_cu));
    journal_set_number(journal, FACT_SUSPEND, endpoint->suspend_timeout_seconds);
}

void record_endpoint_spec(const Provisioning__V1__EndpointSettings *settings,
                          NeonEndpointSpec *ret_spec)
{
    *ret_spec = (NeonEndpointSpec){.has_min_cu = false};
    if (settings == NULL) {
        return;
    }
    const Google__Protobuf__DoubleValue *min = settings->autoscaling_limit_min_cu;
    const Google__Protobuf__DoubleValue *max = settings->autoscaling_limit_max_cu;
    const Google__Protobuf__Int64Value *suspend = settings->suspend_timeout_seconds;
    if (min != NULL) {
        ret_spec->has_min_cu = true;
        ret_spec->min_cu = min->value;
    }
    if (max != NULL) {
        ret_spec->has_max_cu = true;
        ret_spec->max_cu = max->value;
    }
    if (suspend != NULL) {
        ret_spec->has_suspend = true;
        ret_spec->suspend_timeout_seconds = suspend->value;
    }
}

bool record_has_text(const json_t *list, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(unconst(list), i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), text) == 0) {
            return true;
        }
    }
    return false;
}

bool record_holds(const Saga *saga, const char *key, const char *text)
{
    return record_has_text(journal_value(&saga->journal, key), text);
}

bool record_is_text_list(const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(unconst(list), i, item)
    {
        if (!json_is_string(item)) {
            return false;
        }
    }
    return json_is_array(list);
}

bool record_once(Saga *saga, const char *key, const char *text)
{
    if (record_holds(saga, key, text)) {
        return false;
    }
    journal_append_text(&saga->journal, key, text);
    return true;
}

void record_undone(Saga *saga, const char *what, const char *id)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(256);
    text_printf(&text, "%s %s", what, id);
    journal_append_text(&saga->journal, FACT_UNDONE, text_get(&text));
}

void record_gone(Saga *saga, const char *step)
{
    json_t *steps = json_deep_copy(journal_value(&saga->journal, FACT_DELETES_UNTIL));
    if (steps != NULL) {
        json_object_del(steps, step);
        journal_set_again(&saga->journal, FACT_DELETES_UNTIL, steps);
    }
    journal_forget(&saga->journal, FACT_MAYBE_DELETED);
}

bool record_was_undone(const Saga *saga, const char *what, const char *id)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(256);
    text_printf(&text, "%s %s", what, id);
    return record_holds(saga, FACT_UNDONE, text_get(&text));
}

int64_t record_now_ms(const Saga *saga)
{
    return saga->now.boot_ms + saga->ledger_less_boot_ms;
}

void record_time(Saga *saga, const char *key)
{
    journal_set_number(&saga->journal, key, record_now_ms(saga));
}

bool record_is_within_lag(const Saga *saga, const char *since)
{
    return record_now_ms(saga) - journal_number(&saga->journal, since) <
           (int64_t)saga->rules->listing_lag_ms;
}

bool record_is_young(const Saga *saga)
{
    return record_is_within_lag(saga, FACT_CREATED_AT);
}

void record_adopted(Saga *saga)
{
    record_time(saga, FACT_CREATED_AT);
}

static bool has_same_settings(const Saga *saga)
{
    uint8_t digest[CRYPTO_SHA256_BYTES];
    command_spec_digest(saga->command->message, digest);
    const LedgerEnvironment *row = &saga->ledger->environment;
    return row->state == LEDGER_STATE_READY &&
           strcmp(row->action, saga->command->action_name) == 0 &&
           memcmp(digest, row->spec_digest, sizeof digest) == 0;
}

bool record_check_reserved(Saga *saga, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    bool is_ours = row->state == LEDGER_STATE_CREATING &&
                   strcmp(row->command_id, saga->command->command_id) == 0;
    if (!is_ours && has_same_settings(saga)) {
        journal_set_flag(&saga->journal, FACT_UNCHANGED);
        return true;
    }
    if (!is_ours) {
        return error_set_field(
            err, ERROR_CONFLICT, "ENVIRONMENT_EXISTS", "environment",
            "environment %s exists with other settings (%s); delete it first, or choose "
            "another name",
            saga->command->writes.name, ledger_state_name(row->state));
    }
    return true;
}

bool record_check_account(const Saga *saga, Error *err)
{
    if (!saga->ledger->account.found) {
        return error_set_field(err, ERROR_CONFLICT, "ACCOUNT_UNKNOWN", "account",
                               "the application has no such account; send ConnectAccount first");
    }
    return true;
}

bool record_check_scope(const Saga *saga, const char *project_id, const char *field, Error *err)
{
    const LedgerAccount *account = &saga->ledger->account;
    bool is_kept = strcmp(account->key_kind, "project") == 0 && account->project_id[0] != '\0';
    return !is_kept || strcmp(account->project_id, project_id) == 0 ||
           error_set_field(err, ERROR_DENIED, "KEY_SCOPE", field,
                           "the account's key is kept to project %s and reaches nothing of project "
                           "%s; connect the account with an organization or personal key",
                           account->project_id, project_id);
}

bool record_check_deletion(const Saga *saga, bool whole, const char *project_id, const char *field,
                           Error *err)
{
    if (!whole || project_id[0] == '\0') {
        return project_id[0] == '\0' || record_check_scope(saga, project_id, field, err);
    }
    return strcmp(saga->ledger->account.key_kind, "project") != 0 ||
           error_set_field(err, ERROR_DENIED, "KEY_SCOPE", field,
                           "the account's key is kept to one project and can't delete it; connect "
                           "the account with an organization or personal key");
}

static bool check_row(const Saga *saga, const char *field, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    const char *name = saga->command->writes.name;
    bool is_known = row->state != LEDGER_STATE_NONE && row->state != LEDGER_STATE_GONE &&
                    row->state != LEDGER_STATE_CREATING;
    if (!is_known) {
        return error_set_field(
            err, ERROR_CONFLICT, "ENVIRONMENT_UNKNOWN", field,
            "the application has no environment %s; see `provisionctl environments`", name);
    }
    return row->state == LEDGER_STATE_READY ||
           error_set_field(err, ERROR_CONFLICT, "ENVIRONMENT_NOT_READY", field,
                           "environment %s is %s; see `provisionctl show %s`", name,
                           ledger_state_name(row->state), name);
}

bool record_check_ready(Saga *saga, const char *field, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    if (!check_row(saga, field, err)) {
        return false;
    }
    if (!saga->ledger->account.found) {
        return error_set_field(
            err, ERROR_CONFLICT, "ACCOUNT_UNKNOWN", field,
            "the environment's account %s is not connected any more; connect it again",
            row->account);
    }
    if (!record_check_scope(saga, row->project_id, field, err)) {
        return false;
    }
    journal_set_text(&saga->journal, FACT_PROJECT_ID, row->project_id);
    journal_set_text(&saga->journal, FACT_BRANCH_ID, row->branch_id);
    journal_set_text(&saga->journal, FACT_ENDPOINT_ID, row->endpoint_id);
    return true;
}

bool record_check_not_imported(const Saga *saga, const char *field, Error *err)
{
    return strcmp(saga->ledger->environment.origin, "imported") != 0 ||
           error_set_field(err, ERROR_DENIED, "IMPORTED_READ_ONLY", field,
                           "environment %s was imported: what others made is only looked at",
                           saga->command->writes.name);
}

bool record_check_expired(const Saga *saga, const char *field, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    const json_t *expires_at = json_object_get(row->details, FACT_EXPIRES_AT);
    return (expires_at != NULL && json_integer_value(expires_at) <= saga->ledger->now_ms) ||
           error_set_field(err, ERROR_CONFLICT, "NOT_EXPIRED", field,
                           "environment %s has not expired (any more): it stays", row->environment);
}

bool record_check_branch_expired(const Saga *saga, const NeonBranch *branch, Error *err)
{
    const Provisioning__V1__Command *asked = saga->command->message;
    bool closes = saga->command->action == PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW;
    bool has_expired = branch->expires_ms > 0 && branch->expires_ms <= saga->ledger->now_ms;
    return !(closes ? asked->close_preview->if_expired : asked->delete_environment->if_expired) ||
           has_expired ||
           error_set_field(err, ERROR_CONFLICT, "NOT_EXPIRED",
                           closes ? "close_preview.if_expired" : "delete_environment.if_expired",
                           "branch %s %s: it stays", branch->id,
                           branch->expires_ms > 0 ? "expires later at Neon"
                                                  : "doesn't expire at Neon (any more)");
}

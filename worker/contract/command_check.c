#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "base/unconst.h"
#include "contract/command_parts.h"

enum {
    LABELS_MAX = 32,
    LABEL_KEY_MAX_BYTES = 63,
    LABEL_VALUE_MAX_BYTES = 255,
    REQUESTED_BY_MAX_BYTES = 255,
    REFERENCE_NAME_MAX_BYTES = 128,
    NANOS_MAX = 999999999,
};

// Timestamp's own range but for what lies before 1970: 1970-01-01T00:00:00Z to
// 9999-12-31T23:59:59Z. https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp
static const int64_t TIMESTAMP_MAX_SECONDS = INT64_C(253402300799);

static bool refuse_value(const char *field, const char *problem, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", field, "%s %s", field, problem);
}

bool command_check_required(const char *text, const char *field, Error *err)
{
    return text[0] != '\0' || error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", field,
                                              "%s is missing: set it", field);
}

bool command_check_timestamp(const Google__Protobuf__Timestamp *timestamp, const char *field,
                             Error *err)
{
    if (timestamp == NULL) {
        return true;
    }
    bool valid = timestamp->seconds >= 0 && timestamp->seconds <= TIMESTAMP_MAX_SECONDS &&
                 timestamp->nanos >= 0 && timestamp->nanos <= NANOS_MAX;
    return valid || refuse_value(field, "must be a point in time from 1970 to 9999", err);
}

static bool check_label(const Provisioning__V1__Label *label, size_t index, Error *err)
{
    size_t key_bytes = strlen(label->key);
    if (key_bytes > 0 && key_bytes <= LABEL_KEY_MAX_BYTES &&
        strlen(label->value) <= LABEL_VALUE_MAX_BYTES) {
        return true;
    }
    Text field CLEANUP(text_clear) = TEXT_INIT(32);
    text_printf(&field, "labels[%zu]", index);
    return refuse_value(text_get(&field),
                        "must have a key of 1 to 63 bytes and a value of at most 255", err);
}

bool command_check_envelope(const Provisioning__V1__Command *message, Error *err)
{
    if (!command_check_timestamp(message->requested_at, "requested_at", err) ||
        !command_check_timestamp(message->deadline, "deadline", err)) {
        return false;
    }
    if (strlen(message->requested_by) > REQUESTED_BY_MAX_BYTES) {
        return refuse_value("requested_by", "must have at most 255 bytes", err);
    }
    if (message->replay_of[0] != '\0' && !uuid_is_valid(message->replay_of)) {
        return refuse_value("replay_of", "must be the command id (a UUID) of another command", err);
    }
    if (message->n_labels > LABELS_MAX) {
        return refuse_value("labels", "must be at most 32", err);
    }
    for (size_t i = 0; i < message->n_labels; i++) {
        if (!check_label(message->labels[i], i, err)) {
            return false;
        }
    }
    return true;
}

bool command_check_any_environment(const char *environment, const char *field, Error *err)
{
    return command_check_required(environment, field, err) &&
           name_check_environment(environment, field, err);
}

bool command_check_environment(const char *environment, const char *field, Error *err)
{
    if (!command_check_any_environment(environment, field, err)) {
        return false;
    }
    return !name_is_preview(environment) ||
           error_set_field(err, ERROR_INVALID, "INVALID_NAME", field,
                           "%s must not begin with pr: (kept for previews): choose another name",
                           field);
}

bool command_check_account(const char *account, const char *field, Error *err)
{
    return command_check_required(account, field, err) && name_check_account(account, field, err);
}

bool command_check_neon_name(const char *name, const char *field, Error *err)
{
    return name[0] == '\0' || name_check_neon(name, field, err);
}

static bool is_reference_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

// One name in the application's own folder, so neither a path nor a hidden file.
static bool is_reference_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_reference_char(*c)) {
            return false;
        }
    }
    return name[0] != '\0' && name[0] != '.' && strlen(name) <= REFERENCE_NAME_MAX_BYTES;
}

static bool check_reference(const char *reference, Error *err)
{
    static const char *const KINDS[] = {"file:", "env:"};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        size_t length = strlen(KINDS[i]);
        if (strncmp(reference, KINDS[i], length) == 0 && is_reference_name(reference + length)) {
            return true;
        }
    }
    return error_set_field(err, ERROR_INVALID, "REFERENCE_INVALID", "connect_account.reference",
                           "connect_account.reference must be file:NAME or env:NAME, where NAME "
                           "has 1 to 128 of A-Z, a-z, 0-9, '_', '-' and '.', no '.' first");
}

bool command_check_cancel(const Provisioning__V1__Command *message, Error *err)
{
    const char *field = "cancel_command.command_id";
    const char *target = message->cancel_command->command_id;
    if (!command_check_required(target, field, err)) {
        return false;
    }
    if (!uuid_is_valid(target)) {
        return refuse_value(field, "must be a UUID, other than the nil one", err);
    }
    char own_id[UUID_TEXT_BYTES];
    char target_id[UUID_TEXT_BYTES];
    uuid_normalise(message->command_id, own_id);
    uuid_normalise(target, target_id);
    return strcmp(own_id, target_id) != 0 ||
           refuse_value(field, "must be the id of another command", err);
}

bool command_check_connect(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__ConnectAccount *action = message->connect_account;
    if (!command_check_account(action->account, "connect_account.account", err)) {
        return false;
    }
    if (action->org_id[0] != '\0' &&
        !name_check_neon_id(action->org_id, "connect_account.org_id", err)) {
        return false;
    }
    if (action->api_key_case == PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY__NOT_SET) {
        return error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", "connect_account.api_key",
                               "connect_account.api_key is missing: set sealed or reference");
    }
    return action->api_key_case != PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_REFERENCE ||
           check_reference(action->reference, err);
}

bool command_check_disconnect(const Provisioning__V1__Command *message, Error *err)
{
    return command_check_account(message->disconnect_account->account, "disconnect_account.account",
                                 err);
}

bool command_check_discover(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__DiscoverAccount *action = message->discover_account;
    return command_check_account(action->account, "discover_account.account", err) &&
           command_check_neon_name(action->project_filter, "discover_account.project_filter", err);
}

bool command_check_preview_base(const Provisioning__V1__Command *message, Error *err)
{
    return command_check_environment(message->set_preview_base->environment,
                                     "set_preview_base.environment", err);
}

// Without a list there is one database of this name.
static CommandNames databases_of(const Provisioning__V1__CreateEnvironment *action)
{
    static const char *const USUAL[] = {"neondb"};
    return action->n_databases == 0 ? (CommandNames){unconst(USUAL), 1}
                                    : (CommandNames){action->databases, action->n_databases};
}

bool command_check_create(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__CreateEnvironment *action = message->create_environment;
    CommandNames databases = databases_of(action);
    return command_check_environment(action->environment, "create_environment.environment", err) &&
           command_check_account(action->account, "create_environment.account", err) &&
           command_check_required(action->region_id, "create_environment.region_id", err) &&
           name_check_neon_id(action->region_id, "create_environment.region_id", err) &&
           command_check_neon_name(action->project_name, "create_environment.project_name", err) &&
           command_check_neon_name(action->branch_name, "create_environment.branch_name", err) &&
           command_check_pg_version(action->pg_version, "create_environment.pg_version", err) &&
           command_check_databases(databases, "create_environment.databases", err) &&
           command_check_retention(action->history_retention_seconds,
                                   "create_environment.history_retention_seconds", err) &&
           command_check_endpoint(action->endpoint, "create_environment.endpoint", err) &&
           command_check_services(action->services, action->n_services, databases,
                                  "create_environment.services", err);
}

bool command_check_delete(const Provisioning__V1__Command *message, Error *err)
{
    return command_check_environment(message->delete_environment->environment,
                                     "delete_environment.environment", err);
}

// Every command that libprovision builds is read back with the worker's own decoder.
#include "lib/command.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "contract/command.h"
#include "unit.h"

static const char API_KEY[] = "napi_0123456789abcdefghijklmnopqrstuvwxyz";

typedef CryptoKeyPair Fleet;

static Fleet fleet_new(void)
{
    Fleet fleet = {.private_key = SECRET_INIT};
    uint8_t private_key[PROVISION_KEY_BYTES];
    assert_true(sodium_init() >= 0);
    randombytes_buf(private_key, sizeof(private_key));
    crypto_key_pair_set(&fleet, private_key);
    return fleet;
}

static void fleet_clear(Fleet *fleet)
{
    crypto_key_pair_clear(fleet);
}

// As the worker does it; NULL when it is rejected.
static Command *decode(const ProvisionCommand *command, const char *key, const Fleet *fleet,
                       Rejection *ret_rejection)
{
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    draft_pack(command, &value);
    Record record = {.topic = "commands", .key = bytes_of(key), .value = buffer_view(&value)};
    CommandRules rules = {
        .max_bytes = 1 << 20,
        .fleet_keys = fleet,
        .fleet_key_count = fleet == NULL ? 0 : 1,
    };
    return command_decode(&record, &rules, ret_rejection);
}

static Command *decode_valid(const ProvisionCommand *command, const Fleet *fleet)
{
    Rejection rejection;
    Command *decoded = decode(command, provision_command_application(command), fleet, &rejection);
    if (decoded == NULL) {
        fail_msg("rejected: %s", rejection.error.text);
    }
    assert_string_equal(decoded->command_id, provision_command_id(command));
    return decoded;
}

static ProvisionCommand *connect_with_key(const Fleet *fleet, const char *api_key,
                                          ProvisionError *err)
{
    ProvisionConnectAccount spec = {
        .account = "main",
        .api_key = api_key,
        .fleet_public_key = fleet->public_key,
        .org_id = "org-cool-breeze-123",
    };
    return provision_connect_account("shop", &spec, err);
}

static void an_api_key_arrives_sealed_for_the_fleet(void **state)
{
    (void)state;
    Fleet fleet CLEANUP(fleet_clear) = fleet_new();
    ProvisionCommand *command CLEANUP(draft_free_at) = connect_with_key(&fleet, API_KEY, NULL);
    assert_non_null(command);
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    draft_pack(command, &value);
    assert_null(memmem(value.data, value.size, API_KEY, sizeof(API_KEY) - 1));
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, &fleet);
    assert_string_equal(secret_reveal(&decoded->api_key), API_KEY);
    assert_string_equal(decoded->message->connect_account->account, "main");
    assert_string_equal(decoded->message->connect_account->org_id, "org-cool-breeze-123");
}

static void a_sealed_key_is_of_no_use_to_others(void **state)
{
    (void)state;
    Fleet fleet CLEANUP(fleet_clear) = fleet_new();
    Fleet other CLEANUP(fleet_clear) = fleet_new();
    ProvisionCommand *command CLEANUP(draft_free_at) = connect_with_key(&fleet, API_KEY, NULL);
    Rejection rejection;
    assert_null(decode(command, "shop", &other, &rejection));
    assert_string_equal(rejection.error.code, "SECRET_NOT_OPENABLE");
    draft_set_text(&command->message->application_id, "thief");
    assert_null(decode(command, "thief", &fleet, &rejection));
    assert_string_equal(rejection.error.code, "SEALED_FOR_OTHER");
}

static void a_key_that_cannot_be_one_is_refused_before_it_is_sealed(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"a b", "key\n", "schl\xc3\xbcssel"};
    Fleet fleet CLEANUP(fleet_clear) = fleet_new();
    for (size_t i = 0; i < UNIT_COUNT(WRONG); i++) {
        ProvisionError error;
        assert_null(connect_with_key(&fleet, WRONG[i], &error));
        assert_string_equal(error.field, "connect_account.api_key");
        assert_null(strstr(error.text, WRONG[i]));
    }
}

static void a_public_key_of_low_order_is_refused(void **state)
{
    (void)state;
    Fleet fleet = {.public_key = {0}};
    ProvisionError error;
    assert_null(connect_with_key(&fleet, API_KEY, &error));
    assert_string_equal(error.code, "KEY_INVALID");
}

static void a_reference_takes_the_place_of_a_key(void **state)
{
    (void)state;
    ProvisionConnectAccount spec = {.account = "main", .reference = "file:neon-key"};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_connect_account("shop", &spec, NULL);
    assert_non_null(command);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, NULL);
    assert_string_equal(decoded->message->connect_account->reference, "file:neon-key");
    assert_true(secret_is_empty(&decoded->api_key));
}

static void either_a_key_or_a_reference_is_needed(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionConnectAccount neither = {.account = "main"};
    assert_null(provision_connect_account("shop", &neither, &error));
    assert_string_equal(error.code, "FIELD_REQUIRED");
    ProvisionConnectAccount both = {.account = "main", .api_key = "k", .reference = "env:K"};
    assert_null(provision_connect_account("shop", &both, &error));
    assert_string_equal(error.code, "FIELD_REQUIRED");
    ProvisionConnectAccount unsealed = {.account = "main", .api_key = "k"};
    assert_null(provision_connect_account("shop", &unsealed, &error));
    assert_string_equal(error.code, "FIELD_REQUIRED");
}

static void create_environment_carries_every_field(void **state)
{
    (void)state;
    static const char *const DATABASES[] = {"orders", "logs"};
    static const ProvisionDatabaseAccess ACCESSES[] = {{"orders", PROVISION_ACCESS_ADMIN}};
    static const ProvisionService SERVICES[] = {{"api", ACCESSES, 1}};
    ProvisionCreateEnvironment spec = {
        .environment = "production",
        .account = "main",
        .region_id = "aws-eu-central-1",
        .project_name = "Shop",
        .branch_name = "trunk",
        .databases = DATABASES,
        .database_count = 2,
        .services = SERVICES,
        .service_count = 1,
        .pg_version = 17,
        .has_history_retention = true,
        .history_retention_seconds = 0,
        .endpoint = {.min_cu = 0.25, .max_cu = 2, .suspend_timeout_seconds = -1},
    };
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_create_environment("shop", &spec, NULL);
    assert_non_null(command);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, NULL);
    const Provisioning__V1__CreateEnvironment *action = decoded->message->create_environment;
    assert_string_equal(action->environment, "production");
    assert_string_equal(action->account, "main");
    assert_string_equal(action->region_id, "aws-eu-central-1");
    assert_string_equal(action->project_name, "Shop");
    assert_string_equal(action->branch_name, "trunk");
    assert_int_equal(action->n_databases, 2);
    assert_string_equal(action->databases[1], "logs");
    assert_int_equal(action->n_services, 1);
    assert_string_equal(action->services[0]->name, "api");
    assert_int_equal(action->services[0]->databases[0]->access,
                     PROVISIONING__V1__ACCESS__ACCESS_ADMIN);
    assert_int_equal(action->pg_version, 17);
    assert_int_equal(action->history_retention_seconds->value, 0);
    assert_true(action->endpoint->autoscaling_limit_min_cu->value == 0.25);
    assert_true(action->endpoint->autoscaling_limit_max_cu->value == 2);
    assert_int_equal(action->endpoint->suspend_timeout_seconds->value, -1);
}

static void what_is_not_asked_for_is_left_to_neon(void **state)
{
    (void)state;
    ProvisionCreateEnvironment spec = {
        .environment = "production", .account = "main", .region_id = "aws-eu-central-1"};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_create_environment("shop", &spec, NULL);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, NULL);
    const Provisioning__V1__CreateEnvironment *action = decoded->message->create_environment;
    assert_null(action->endpoint);
    assert_null(action->history_retention_seconds);
    assert_int_equal(action->n_databases, 0);
    assert_int_equal(action->pg_version, 0);
    assert_string_equal(action->project_name, "");
}

static void a_branch_has_one_kind_of_source(void **state)
{
    (void)state;
    ProvisionBranchEnvironment from_environment = {
        .environment = "staging", .source_environment = "production", .branch_name = "stage"};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_branch_environment("shop", &from_environment, NULL);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, NULL);
    assert_string_equal(decoded->message->branch_environment->source_environment, "production");
    assert_string_equal(decoded->message->branch_environment->branch_name, "stage");
    ProvisionBranchEnvironment from_branch = {
        .environment = "staging",
        .source_account = "main",
        .source_project_id = "cool-sun-123",
        .source_branch = "main",
        .endpoint = {.max_cu = 1},
    };
    ProvisionCommand *other CLEANUP(draft_free_at) =
        provision_branch_environment("shop", &from_branch, NULL);
    Command *second CLEANUP(command_free_at) = decode_valid(other, NULL);
    const Provisioning__V1__BranchEnvironment *action = second->message->branch_environment;
    assert_string_equal(action->source_branch->account, "main");
    assert_string_equal(action->source_branch->project_id, "cool-sun-123");
    assert_string_equal(action->source_branch->branch, "main");
    assert_null(action->endpoint->autoscaling_limit_min_cu);
    ProvisionError error;
    from_branch.source_environment = "production";
    assert_null(provision_branch_environment("shop", &from_branch, &error));
    assert_string_equal(error.field, "branch_environment.source");
    ProvisionBranchEnvironment none = {.environment = "staging"};
    assert_null(provision_branch_environment("shop", &none, &error));
    assert_string_equal(error.field, "branch_environment.source");
}

static void deleting_names_the_environment_and_the_consent(void **state)
{
    (void)state;
    ProvisionDeleteEnvironment spec = {.environment = "staging", .delete_data = true};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_delete_environment("shop", &spec, NULL);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, NULL);
    assert_string_equal(decoded->message->delete_environment->environment, "staging");
    assert_true(decoded->message->delete_environment->delete_data);
}

static void cancelling_names_another_command(void **state)
{
    (void)state;
    ProvisionCancelCommand spec = {.command_id = "5D1C6B7E-0000-4000-8000-000000000001"};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_cancel_command("shop", &spec, NULL);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, NULL);
    assert_string_equal(decoded->stops, "5d1c6b7e-0000-4000-8000-000000000001");
    ProvisionError error;
    spec.command_id = NULL;
    assert_null(provision_cancel_command("shop", &spec, &error));
    assert_string_equal(error.code, "FIELD_REQUIRED");
    assert_string_equal(error.field, "cancel_command.command_id");
}

static void a_wrong_name_is_refused_at_once(void **state)
{
    (void)state;
    ProvisionError error;
    ProvisionDeleteEnvironment spec = {.environment = "a/b"};
    assert_null(provision_delete_environment("shop", &spec, &error));
    assert_int_equal(error.kind, PROVISION_ERROR_INVALID);
    assert_string_equal(error.code, "INVALID_NAME");
    assert_string_equal(error.field, "delete_environment.environment");
    spec.environment = "a";
    assert_null(provision_delete_environment("No", &spec, &error));
    assert_string_equal(error.field, "application_id");
    assert_null(provision_delete_environment(NULL, &spec, &error));
    assert_string_equal(error.code, "FIELD_REQUIRED");
    assert_null(provision_delete_environment(NULL, &spec, NULL));
}

static void every_command_gets_an_id_of_its_own(void **state)
{
    (void)state;
    ProvisionDeleteEnvironment spec = {.environment = "staging"};
    ProvisionCommand *first CLEANUP(draft_free_at) =
        provision_delete_environment("shop", &spec, NULL);
    ProvisionCommand *second CLEANUP(draft_free_at) =
        provision_delete_environment("shop", &spec, NULL);
    assert_string_not_equal(provision_command_id(first), provision_command_id(second));
    assert_int_equal(provision_command_id(first)[14], '4'); // the version
}

static void the_envelope_can_be_set(void **state)
{
    (void)state;
    ProvisionDeleteEnvironment spec = {.environment = "staging"};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_delete_environment("shop", &spec, NULL);
    assert_true(provision_command_set_id(command, "919108f7-52d1-4320-9bac-f847db4148a8", NULL));
    assert_true(provision_command_set_deadline(command, 1795334820123, NULL));
    assert_true(provision_command_set_requested_by(command, "ann", NULL));
    assert_true(provision_command_add_label(command, "team", "a", NULL));
    assert_true(provision_command_add_label(command, "empty", "", NULL));
    assert_true(provision_command_set_traceparent(
        command, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", NULL));
    Command *decoded CLEANUP(command_free_at) = decode_valid(command, NULL);
    assert_string_equal(decoded->command_id, "919108f7-52d1-4320-9bac-f847db4148a8");
    assert_int_equal(decoded->deadline_ms, 1795334820123);
    assert_string_equal(decoded->message->requested_by, "ann");
    assert_int_equal(decoded->message->n_labels, 2);
    assert_string_equal(decoded->message->labels[0]->value, "a");
    assert_string_equal(decoded->message->labels[1]->key, "empty");
}

static void what_the_envelope_cannot_hold_is_refused(void **state)
{
    (void)state;
    ProvisionDeleteEnvironment spec = {.environment = "staging"};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_delete_environment("shop", &spec, NULL);
    char text[300];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ProvisionError error;
    assert_false(provision_command_set_id(command, "1", &error));
    assert_string_equal(error.field, "command_id");
    assert_false(provision_command_set_deadline(command, 0, &error));
    assert_false(provision_command_set_traceparent(command, "00-1", &error));
    assert_false(provision_command_set_requested_by(command, text, &error));
    assert_string_equal(error.field, "requested_by");
    uint8_t key[PROVISION_KEY_BYTES] = {1};
    assert_false(provision_command_set_api_key(command, "k", key, &error));
    assert_string_equal(error.field, "action");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_api_key_arrives_sealed_for_the_fleet),
        cmocka_unit_test(a_sealed_key_is_of_no_use_to_others),
        cmocka_unit_test(a_key_that_cannot_be_one_is_refused_before_it_is_sealed),
        cmocka_unit_test(a_public_key_of_low_order_is_refused),
        cmocka_unit_test(a_reference_takes_the_place_of_a_key),
        cmocka_unit_test(either_a_key_or_a_reference_is_needed),
        cmocka_unit_test(create_environment_carries_every_field),
        cmocka_unit_test(what_is_not_asked_for_is_left_to_neon),
        cmocka_unit_test(a_branch_has_one_kind_of_source),
        cmocka_unit_test(deleting_names_the_environment_and_the_consent),
        cmocka_unit_test(cancelling_names_another_command),
        cmocka_unit_test(a_wrong_name_is_refused_at_once),
        cmocka_unit_test(every_command_gets_an_id_of_its_own),
        cmocka_unit_test(the_envelope_can_be_set),
        cmocka_unit_test(what_the_envelope_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

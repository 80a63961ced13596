// The commands about roles that libprovision builds, read back with the worker's own decoder.
#include "lib/command.h"

#include <string.h>

#include "base/attr.h"
#include "contract/command.h"
#include "unit.h"

static Command *decode_valid(const ProvisionCommand *command)
{
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    draft_pack(command, &value);
    Record record = {.topic = "commands",
                     .key = bytes_of(provision_command_application(command)),
                     .value = buffer_view(&value)};
    CommandRules rules = {.max_bytes = 1 << 20};
    Rejection rejection;
    Command *decoded = command_decode(&record, &rules, &rejection);
    if (decoded == NULL) {
        fail_msg("rejected: %s", rejection.error.text);
    }
    return decoded;
}

static const char *const DATABASES[] = {"main", "logs"};
static const ProvisionDatabaseAccess ACCESSES[] = {{"main", PROVISION_ACCESS_WRITE},
                                                   {"logs", PROVISION_ACCESS_READ}};
static const ProvisionService SERVICES[] = {{"orders", ACCESSES, 2}, {"cron", NULL, 0}};

static void wanted_roles_are_carried_whole(void **state)
{
    (void)state;
    ProvisionSetupRoles spec = {
        .environment = "staging",
        .databases = DATABASES,
        .database_count = 2,
        .services = SERVICES,
        .service_count = 2,
        .mode = PROVISION_ROLES_PLAN,
        .policy = PROVISION_ROLES_POLICY_AUTHORITATIVE,
        .adopt = true,
    };
    ProvisionCommand *command CLEANUP(draft_free_at) = provision_setup_roles("shop", &spec, NULL);
    assert_non_null(command);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command);
    const Provisioning__V1__SetupRoles *action = decoded->message->setup_roles;
    assert_string_equal(action->environment, "staging");
    assert_int_equal(action->n_databases, 2);
    assert_string_equal(action->databases[1], "logs");
    assert_int_equal(action->n_services, 2);
    assert_string_equal(action->services[0]->name, "orders");
    assert_int_equal(action->services[0]->n_databases, 2);
    assert_int_equal(action->services[0]->databases[0]->access,
                     PROVISIONING__V1__ACCESS__ACCESS_WRITE);
    assert_string_equal(action->services[0]->databases[1]->database, "logs");
    assert_int_equal(action->services[0]->databases[1]->access,
                     PROVISIONING__V1__ACCESS__ACCESS_READ);
    assert_int_equal(action->services[1]->n_databases, 0);
    assert_int_equal(action->mode, PROVISIONING__V1__ROLES_MODE__ROLES_MODE_PLAN);
    assert_int_equal(action->policy, PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_AUTHORITATIVE);
    assert_true(action->adopt);
    assert_true(decoded->only_reads);
}

static void what_is_not_asked_for_is_left_to_the_environment(void **state)
{
    (void)state;
    ProvisionSetupRoles spec = {.environment = "staging"};
    ProvisionCommand *command CLEANUP(draft_free_at) = provision_setup_roles("shop", &spec, NULL);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command);
    const Provisioning__V1__SetupRoles *action = decoded->message->setup_roles;
    assert_int_equal(action->n_databases, 0);
    assert_int_equal(action->n_services, 0);
    assert_int_equal(action->mode, PROVISIONING__V1__ROLES_MODE__ROLES_MODE_APPLY);
    assert_int_equal(action->policy, PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_UNSPECIFIED);
    assert_false(decoded->only_reads);
    spec.policy = PROVISION_ROLES_POLICY_ADDITIVE;
    ProvisionCommand *additive CLEANUP(draft_free_at) = provision_setup_roles("shop", &spec, NULL);
    Command *second CLEANUP(command_free_at) = decode_valid(additive);
    assert_int_equal(second->message->setup_roles->policy,
                     PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_ADDITIVE);
}

static void a_name_that_is_missing_is_refused_with_its_field(void **state)
{
    (void)state;
    static const char *const NAMELESS[] = {NULL};
    static const ProvisionService SERVICE[] = {{NULL, NULL, 0}};
    ProvisionError error;
    ProvisionSetupRoles spec = {
        .environment = "staging", .databases = NAMELESS, .database_count = 1};
    assert_null(provision_setup_roles("shop", &spec, &error));
    assert_string_equal(error.field, "setup_roles.databases[0]");
    ProvisionSetupRoles services = {
        .environment = "staging", .services = SERVICE, .service_count = 1};
    assert_null(provision_setup_roles("shop", &services, &error));
    assert_string_equal(error.code, "FIELD_REQUIRED");
    assert_string_equal(error.field, "setup_roles.services[0].name");
}

static void a_branch_may_bring_its_services(void **state)
{
    (void)state;
    ProvisionBranchEnvironment spec = {.environment = "staging",
                                       .source_environment = "production",
                                       .services = SERVICES,
                                       .service_count = 2};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_branch_environment("shop", &spec, NULL);
    Command *decoded CLEANUP(command_free_at) = decode_valid(command);
    assert_int_equal(decoded->message->branch_environment->n_services, 2);
}

static void a_rotation_is_of_one_role_or_service_or_of_all(void **state)
{
    (void)state;
    ProvisionError error;
    static const ProvisionRotateCredentials WRONG[] = {
        {.environment = "staging"},
        {.environment = "staging", .role = "a", .service = "b"},
        {.environment = "staging", .role = "a", .all = true},
        {.environment = "staging", .service = "b", .all = true},
    };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        assert_null(provision_rotate_credentials("shop", &WRONG[i], &error));
        assert_string_equal(error.field, "rotate_credentials.target");
    }
    static const ProvisionRotateCredentials RIGHT[] = {
        {.environment = "staging", .role = "app_owner"},
        {.environment = "staging", .service = "orders"},
        {.environment = "staging", .all = true},
    };
    for (size_t i = 0; i < sizeof(RIGHT) / sizeof(RIGHT[0]); i++) {
        ProvisionCommand *command CLEANUP(draft_free_at) =
            provision_rotate_credentials("shop", &RIGHT[i], NULL);
        Command *decoded CLEANUP(command_free_at) = decode_valid(command);
        const Provisioning__V1__RotateCredentials *action = decoded->message->rotate_credentials;
        bool is_role = RIGHT[i].role != NULL && strcmp(action->role, "app_owner") == 0;
        bool is_service = RIGHT[i].service != NULL && strcmp(action->service, "orders") == 0;
        assert_true(is_role || is_service || action->all);
    }
}

static void a_reveal_names_a_role_or_a_service_and_the_reply_key(void **state)
{
    (void)state;
    static const uint8_t KEY[PROVISION_KEY_BYTES] = {9};
    ProvisionError error;
    ProvisionRevealCredentials spec = {
        .environment = "staging", .role = "app_owner", .reply_public_key = KEY};
    ProvisionCommand *of_role CLEANUP(draft_free_at) =
        provision_reveal_credentials("shop", &spec, NULL);
    Command *first CLEANUP(command_free_at) = decode_valid(of_role);
    const Provisioning__V1__RevealCredentials *action = first->message->reveal_credentials;
    assert_string_equal(action->environment, "staging");
    assert_string_equal(action->role, "app_owner");
    assert_int_equal(action->reply_public_key.len, PROVISION_KEY_BYTES);
    assert_memory_equal(action->reply_public_key.data, KEY, PROVISION_KEY_BYTES);
    spec.service = "api";
    assert_null(provision_reveal_credentials("shop", &spec, &error));
    assert_string_equal(error.field, "reveal_credentials.target");
    spec.role = NULL;
    ProvisionCommand *of_service CLEANUP(draft_free_at) =
        provision_reveal_credentials("shop", &spec, NULL);
    Command *second CLEANUP(command_free_at) = decode_valid(of_service);
    assert_string_equal(second->message->reveal_credentials->service, "api");
    spec.reply_public_key = NULL;
    assert_null(provision_reveal_credentials("shop", &spec, &error));
    assert_string_equal(error.field, "reveal_credentials.reply_public_key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_roles_are_carried_whole),
        cmocka_unit_test(what_is_not_asked_for_is_left_to_the_environment),
        cmocka_unit_test(a_name_that_is_missing_is_refused_with_its_field),
        cmocka_unit_test(a_branch_may_bring_its_services),
        cmocka_unit_test(a_rotation_is_of_one_role_or_service_or_of_all),
        cmocka_unit_test(a_reveal_names_a_role_or_a_service_and_the_reply_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

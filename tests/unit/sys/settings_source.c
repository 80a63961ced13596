#include "sys/settings_source.h"

#include <stdio.h>
#include <string.h>

#include "scratch.h"
#include "unit.h"

static const char *const NOTHING[] = {NULL};

// environ isn't const, but nothing writes to it.
static char *const *as_environment(const char *const *entries)
{
    union {
        const char *const *entries;
        char *const *environment;
    } view = {.entries = entries};
    return view.environment;
}

static const char *secret_of(const Settings *settings, SettingId id)
{
    return secret_reveal(settings_secret(settings, id));
}

static void later_sources_win(void **state)
{
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    const char *file = scratch_write_text(state, "w.ini",
                                          "instance.id = file\n"
                                          "group.id = file\n"
                                          "topics.events = file\n");
    const char *const environment[] = {"PROVISION_GROUP_ID=environment",
                                       "PROVISION_TOPICS_EVENTS=environment", "HOME=/", NULL};
    const char *const assignments[] = {"topics.events=first", "topics.events=a=b"};
    const SettingsSources sources = {file, as_environment(environment), assignments, 2};
    assert_true(settings_source_load(settings, &sources, &err));
    assert_string_equal(settings_text(settings, SETTING_INSTANCE_ID), "file");
    assert_string_equal(settings_text(settings, SETTING_GROUP_ID), "environment");
    assert_string_equal(settings_text(settings, SETTING_TOPIC_EVENTS), "a=b");
    assert_string_equal(settings_text(settings, SETTING_TOPIC_STATE), "provisioning.state");
}

static void the_environment_may_name_the_file(void **state)
{
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    char config[SCRATCH_PATH_BYTES + 32];
    const char *file = scratch_write_text(state, "env.ini", "group.id = by environment\n");
    const char *other = scratch_write_text(state, "option.ini", "group.id = by option\n");
    (void)snprintf(config, sizeof config, "PROVISION_CONFIG=%s", file);
    const char *const environment[] = {"A=B", config, NULL};
    SettingsSources sources = {NULL, as_environment(environment), NULL, 0};
    assert_true(settings_source_load(settings, &sources, NULL));
    assert_string_equal(settings_text(settings, SETTING_GROUP_ID), "by environment");
    sources.file = other;
    assert_true(settings_source_load(settings, &sources, NULL));
    assert_string_equal(settings_text(settings, SETTING_GROUP_ID), "by option");
}

static void no_source_leaves_the_defaults(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    const SettingsSources sources = {NULL, as_environment(NOTHING), NULL, 0};
    assert_true(settings_source_load(settings, &sources, NULL));
    assert_string_equal(settings_text(settings, SETTING_GROUP_ID), "provision-worker");
}

typedef struct EnvironmentCase {
    const char *entries[3];
    const char *refusal; // NULL: taken
} EnvironmentCase;

static const EnvironmentCase ENVIRONMENTS[] = {
    {{"PROVISION_NEON_API_URL=https://x"}, NULL},
    {{"PROVISION_CONFIG=/etc/w.ini", "PROVISION_TEST_KAFKA=localhost:1"}, NULL},
    {{"PROVISION_POSTGRES_DIRS=a:b", "PROVISION_BIN_DIR=/"}, NULL},
    {{"PROVISION_CACHE=/", "PROVISION_JOBS=2"}, NULL},
    {{"PROVISION_FLEET_PUBLIC_KEY=fleet.key.pub"}, NULL}, // provisionctl's
    {{"PROVISIONER=x", "PROVISIO"}, NULL},
    {{"PROVISION_KAFKA_BOOTSTRAP_SERVERS=a"}, NULL},
    {{"PROVISION_NEON_API_ULR=x"}, "PROVISION_NEON_API_ULR is no setting's variable"},
    {{"PROVISION_CACHES=x"}, "PROVISION_CACHES is no setting's variable"},
    {{"PROVISION_TEST=x"}, "PROVISION_TEST is no setting's variable"},
    {{"PROVISION_GROUP_ID"}, "PROVISION_GROUP_ID\xe2\x80\xa6 is no setting's variable"},
    {{"PROVISION_TOPICS_PARTITIONS=x"},
     "PROVISION_TOPICS_PARTITIONS: topics.partitions must be a whole number, 1..1000"},
    {{"PROVISION_KAFKA_ACKS=1"},
     "PROVISION_KAFKA_ACKS: kafka.acks can only be all|-1: events would be lost with their broker"},
    {{"PROVISION_LEDGER_URI=a", "PROVISION_LEDGER_URI_FILE=/etc/hostname"},
     "PROVISION_LEDGER_URI_FILE: ledger.uri has a value, too; set only one of them"},
    {{"PROVISION_LEDGER_URI_FILE=/no/such/file", "PROVISION_LEDGER_URIS"},
     "PROVISION_LEDGER_URI_FILE: can't read the setting's file /no/such/file: No such file or "
     "directory"},
    {{"PROVISION_NEON_CA_FILE=/ca.pem"}, NULL},
};

static void every_variable_is_a_setting_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(ENVIRONMENTS); i++) {
        const EnvironmentCase *c = &ENVIRONMENTS[i];
        CLEANUP(settings_free_at) Settings *settings = settings_new();
        Error err = ERROR_INIT;
        const char *const entries[] = {c->entries[0], c->entries[1], NULL};
        bool taken = settings_source_read_environment(settings, as_environment(entries), &err);
        assert_string_equal(err.text, c->refusal == NULL ? "" : c->refusal);
        assert_int_equal(taken, c->refusal == NULL);
    }
}

static void a_variable_name_without_end_is_refused(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    char entry[600] = "PROVISION_";
    memset(entry + 10, 'X', 500);
    memcpy(entry + 510, "=1", 3);
    const char *const entries[] = {entry, NULL};
    assert_false(settings_source_read_environment(settings, as_environment(entries), NULL));
}

typedef struct AssignmentCase {
    const char *assignment;
    const char *refusal; // NULL: taken
} AssignmentCase;

static const AssignmentCase ASSIGNMENTS[] = {
    {"group.id=x", NULL},
    {"group.id=", NULL},
    {"kafka.client.id=x", NULL},
    {"group.id", "--set: it must be followed by name=value"},
    {"", "--set: it must be followed by name=value"},
    {"group.ids=x", "--set: there is no setting group.ids; the nearest is group.id"},
    {"ledger.uri=hush", "--set: ledger.uri is a secret, and anyone on this machine can read a "
                        "command line: use ledger.uri_file"},
    {"kafka.sasl.password=hush", "--set: kafka.sasl.password is a secret, and anyone on this "
                                 "machine can read a command line: use kafka.sasl.password_file"},
    {"ledger.uri_file=/no/such/file",
     "--set: can't read the setting's file /no/such/file: No such file or directory"},
};

static void the_command_line_sets_everything_but_secrets(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(ASSIGNMENTS); i++) {
        const AssignmentCase *c = &ASSIGNMENTS[i];
        CLEANUP(settings_free_at) Settings *settings = settings_new();
        Error err = ERROR_INIT;
        bool taken = settings_source_read_assignment(settings, c->assignment, &err);
        assert_string_equal(err.text, c->refusal == NULL ? "" : c->refusal);
        assert_int_equal(taken, c->refusal == NULL);
    }
}

static void a_secrets_file_holds_its_value(void **state)
{
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    char text[SCRATCH_PATH_BYTES + 32];
    char variable[SCRATCH_PATH_BYTES + 64];
    (void)snprintf(text, sizeof text, "[ledger]\nuri_file = %s\n",
                   scratch_write_text(state, "uri", "postgresql://a b;c\n"));
    assert_true(settings_source_read_text(settings, bytes_of(text), "w.ini", &err));
    assert_string_equal(secret_of(settings, SETTING_LEDGER_URI), "postgresql://a b;c");
    (void)snprintf(variable, sizeof variable, "PROVISION_SECRETS_KEY_ENCRYPTION_KEY_FILE=%s",
                   scratch_write_text(state, "key", "0011\r\n"));
    const char *const entries[] = {variable, NULL};
    assert_true(settings_source_read_environment(settings, as_environment(entries), &err));
    assert_string_equal(secret_of(settings, SETTING_KEY_ENCRYPTION_KEY), "0011");
    (void)snprintf(text, sizeof text, "ledger.uri_file=%s", scratch_write_text(state, "e", ""));
    assert_true(settings_source_read_assignment(settings, text, &err));
    assert_true(secret_is_empty(settings_secret(settings, SETTING_LEDGER_URI)));
}

static void assert_file_refused(const char *path, const char *end)
{
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    char assignment[SCRATCH_PATH_BYTES + 32];
    (void)snprintf(assignment, sizeof assignment, "ledger.uri_file=%s", path);
    assert_false(settings_source_read_assignment(settings, assignment, &err));
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, end));
    assert_null(strstr(err.text, "hush"));
    assert_string_equal(secret_of(settings, SETTING_LEDGER_URI), "");
}

static void a_secrets_file_that_cannot_be_right_is_named_without_its_content(void **state)
{
    static char large[SETTINGS_SOURCE_SECRET_BYTES + 1];
    memset(large, 'x', sizeof large);
    assert_file_refused(scratch_write(state, "nul", "hush\0hush", 9), "NUL byte");
    assert_file_refused(scratch_write(state, "line", "hush\nhush", 9), "ledger.uri must be secret");
    assert_file_refused(scratch_write(state, "large", large, sizeof large), "larger than 65536");
    assert_file_refused(*state, "Is a directory");
    assert_file_refused(scratch_path(state, "nobody"), "No such file");
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    const SettingsSources sources = {scratch_path(state, "nobody.ini"), as_environment(NOTHING),
                                     NULL, 0};
    assert_false(settings_source_load(settings, &sources, &err));
    assert_string_equal(err.code, "SETTING_FILE");
    assert_non_null(strstr(err.text, "nobody.ini: No such file or directory"));
    const char *const environment[] = {"PROVISION_X=1", NULL};
    const SettingsSources unknown = {NULL, as_environment(environment), NULL, 0};
    assert_false(settings_source_load(settings, &unknown, &err));
    const char *const assignments[] = {"x"};
    const SettingsSources wrong = {NULL, as_environment(NOTHING), assignments, 1};
    assert_false(settings_source_load(settings, &wrong, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(the_environment_may_name_the_file),
        cmocka_unit_test(no_source_leaves_the_defaults),
        cmocka_unit_test(every_variable_is_a_setting_or_refused),
        cmocka_unit_test(a_variable_name_without_end_is_refused),
        cmocka_unit_test(the_command_line_sets_everything_but_secrets),
        cmocka_unit_test(a_secrets_file_holds_its_value),
        cmocka_unit_test(a_secrets_file_that_cannot_be_right_is_named_without_its_content),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}

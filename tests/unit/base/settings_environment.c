#include "base/settings.h"

#include <string.h>

#include "unit.h"

typedef struct Case {
    const char *variable;
    const char *name; // NULL: none
} Case;

static const Case CASES[] = {
    {"PROVISION_NEON_API_URL", "neon.api_url"},
    {"PROVISION_NEON_CA_FILE", "neon.ca_file"},
    {"PROVISION_INSTANCE_ID", "instance.id"},
    {"PROVISION_LEDGER_URI", "ledger.uri"},
    {"PROVISION_LEDGER_URI_FILE", "ledger.uri_file"},
    {"PROVISION_SECRETS_KEY_ENCRYPTION_KEY_FILE", "secrets.key_encryption_key_file"},
    {"PROVISION_KAFKA_BOOTSTRAP_SERVERS", "kafka.bootstrap.servers"},
    {"PROVISION_KAFKA_CONSUMER_FETCH_WAIT_MAX_MS", "kafka.consumer.fetch.wait.max.ms"},
    {"PROVISION_KAFKA_PRODUCER_LINGER_MS", "kafka.producer.linger.ms"},
    {"PROVISION_KAFKA_LOG_LEVEL", "kafka.log_level"},
    {"PROVISION_KAFKA_CONSUMER_LOG_LEVEL", "kafka.consumer.log_level"},
    {"PROVISION_KAFKA_ENABLED_EVENTS", "kafka.enabled_events"},
    {"PROVISION_KAFKA_SASL_PASSWORD", "kafka.sasl.password"},
    {"PROVISION_KAFKA_SASL_PASSWORD_FILE", "kafka.sasl.password_file"},
    {"PROVISION_KAFKA_PRODUCER_SSL_KEY_PEM_FILE", "kafka.producer.ssl.key.pem_file"},
    {"PROVISION_KAFKA_CLIENT_ID_FILE", "kafka.client.id.file"},
    {"PROVISION_KAFKA_", "kafka."},
    {"PROVISION_KAFKA_X", "kafka.x"},
    {"PROVISION_KAFKA", NULL},
    {"PROVISION_LEDGER_URI_FILES", NULL},
    {"PROVISION_GROUP_ID_FILE", NULL},
    {"PROVISION_neon_api_url", NULL},
    {"PROVISION_NEON.API_URL", NULL},
    {"PROVISION_", NULL},
    {"PROVISION", NULL},
    {"NEON_API_URL", NULL},
    {"", NULL},
};

static void variables_stand_for_settings(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        char name[128] = "";
        bool known = settings_from_environment_name(CASES[i].variable, name, sizeof name);
        if (known != (CASES[i].name != NULL)) {
            print_error("%s\n", CASES[i].variable);
        }
        assert_int_equal(known, CASES[i].name != NULL);
        if (known) {
            assert_string_equal(name, CASES[i].name);
        }
    }
}

static void every_setting_has_a_variable_of_its_own(void **state)
{
    (void)state;
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        Text variable = TEXT_INIT(100);
        char name[128];
        settings_environment_name(settings_name(id), &variable);
        assert_true(settings_from_environment_name(text_get(&variable), name, sizeof name));
        assert_string_equal(name, settings_name(id));
        text_clear(&variable);
    }
}

static void what_does_not_fit_is_not_found(void **state)
{
    (void)state;
    char name[11];
    assert_false(settings_from_environment_name("PROVISION_NEON_API_URL", name, sizeof name));
    assert_false(settings_from_environment_name("PROVISION_LEDGER_URI_FILE", name, sizeof name));
    assert_false(settings_from_environment_name("PROVISION_KAFKA_CLIENT", name, sizeof name));
    assert_true(settings_from_environment_name("PROVISION_KAFKA_ACKS", name, sizeof name));
    assert_string_equal(name, "kafka.acks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_stand_for_settings),
        cmocka_unit_test(every_setting_has_a_variable_of_its_own),
        cmocka_unit_test(what_does_not_fit_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

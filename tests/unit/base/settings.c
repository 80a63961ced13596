#include "base/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/settings_value.h"
#include "unit.h"

static void set(Settings *settings, const char *name, const char *value)
{
    Error err = ERROR_INIT;
    if (!settings_set(settings, name, value, "test", &err)) {
        fail_msg("%s", err.text);
    }
}

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    assert_string_equal(settings_text(settings, SETTING_GROUP_ID), "provision-worker");
    assert_string_equal(settings_text(settings, SETTING_LOG_LEVEL), "info");
    assert_int_equal(settings_number(settings, SETTING_TOPICS_PARTITIONS), 12);
    assert_int_equal(settings_number(settings, SETTING_COMMANDS_MAX_BYTES), 1048576);
    assert_int_equal(settings_number(settings, SETTING_NEON_SEND_WINDOW), 15000);
    assert_true(settings_number(settings, SETTING_LEDGER_RETENTION) == 2592000000);
    assert_true(settings_flag(settings, SETTING_CHECK_LOGIN));
    assert_false(settings_flag(settings, SETTING_ALLOW_PLAINTEXT));
    assert_true(secret_is_empty(settings_secret(settings, SETTING_LEDGER_URI)));
}

static void the_last_value_wins(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    set(settings, "group.id", "a");
    set(settings, "group.id", "b");
    set(settings, "environments.check_login", "off");
    set(settings, "publish.linger", "2s");
    set(settings, "ledger.uri", "postgresql://one");
    set(settings, "ledger.uri", "postgresql://two");
    assert_string_equal(settings_text(settings, SETTING_GROUP_ID), "b");
    assert_false(settings_flag(settings, SETTING_CHECK_LOGIN));
    assert_int_equal(settings_number(settings, SETTING_PUBLISH_LINGER), 2000);
    assert_string_equal(secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)),
                        "postgresql://two");
}

static void a_refused_value_leaves_the_old_one(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    assert_false(settings_set(settings, "topics.partitions", "0", "w.ini:7", &err));
    assert_string_equal(err.code, "SETTING_INVALID");
    assert_string_equal(err.text, "w.ini:7: topics.partitions must be a whole number, 1..1000");
    assert_int_equal(settings_number(settings, SETTING_TOPICS_PARTITIONS), 12);
    assert_false(settings_set(settings, "kafka.acks", "0", "--set", &err));
    assert_string_equal(err.code, "SETTING_REFUSED");
}

typedef struct NearestCase {
    const char *name;
    const char *nearest;
} NearestCase;

static const NearestCase NEAREST[] = {
    {"neon.api_ulr", "neon.api_url"},      {"neon.apiurl", "neon.api_url"},
    {"topic.commands", "topics.commands"}, {"commands.max_wiat", "commands.max_wait"},
    {"instance_id", "instance.id"},        {"log.formats", "log.format"},
};

static void an_unknown_name_is_told_the_nearest(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    for (size_t i = 0; i < UNIT_COUNT(NEAREST); i++) {
        Error err = ERROR_INIT;
        char expected[200];
        assert_false(settings_set(settings, NEAREST[i].name, "x", "PROVISION_X", &err));
        assert_string_equal(err.code, "SETTING_UNKNOWN");
        (void)snprintf(expected, sizeof expected,
                       "PROVISION_X: there is no setting %s; the nearest is %s", NEAREST[i].name,
                       NEAREST[i].nearest);
        assert_string_equal(err.text, expected);
    }
}

static void an_endless_name_is_still_answered(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    char name[1000];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    Error err = ERROR_INIT;
    assert_false(settings_set(settings, name, "x", "--set", &err));
    assert_string_equal(err.code, "SETTING_UNKNOWN");
}

typedef struct FileCase {
    const char *name;
    const char *secret; // NULL: not a setting's file
} FileCase;

static const FileCase FILES[] = {
    {"ledger.uri_file", "ledger.uri"},
    {"secrets.fleet_private_key_file", "secrets.fleet_private_key"},
    {"kafka.sasl.password_file", "kafka.sasl.password"},
    {"kafka.producer.ssl.key.pem_file", "kafka.producer.ssl.key.pem"},
    {"reveal.recipients_file", "reveal.recipients"},
    {"kafka.client.id_file", NULL},
    {"neon.ca_file", NULL},
    {"group.id_file", NULL},
    {"ledger.uri", NULL},
    {"ledger.uri.file", NULL},
    {"_file", NULL},
    {"no.such_file", NULL},
    {"", NULL},
};

static void every_secret_and_list_has_a_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(FILES); i++) {
        char name[64] = "";
        bool is_file = settings_is_file(FILES[i].name, name, sizeof name);
        assert_int_equal(is_file, FILES[i].secret != NULL);
        if (is_file) {
            assert_string_equal(name, FILES[i].secret);
        }
    }
    char small[10];
    assert_false(settings_is_file("ledger.uri_file", small, sizeof small));
}

typedef struct Visits {
    Text text;
} Visits;

static void note(void *context, const char *property, const char *value, bool is_secret)
{
    Visits *visits = context;
    text_printf(&visits->text, "%s=%s%s ", property, value, is_secret ? "!" : "");
}

static void each_client_gets_the_common_properties_and_its_own(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Visits visits = {TEXT_INIT(1000)};
    set(settings, "kafka.producer.linger.ms", "1");
    set(settings, "kafka.client.id", "old");
    set(settings, "kafka.consumer.client.id", "c");
    set(settings, "kafka.client.id", "new");
    set(settings, "kafka.sasl.password", "p");
    settings_each_kafka(settings, KAFKA_CLIENT_CONSUMER, note, &visits);
    assert_string_equal(text_get(&visits.text), "client.id=new sasl.password=p! client.id=c ");
    text_clear(&visits.text);
    settings_each_kafka(settings, KAFKA_CLIENT_PRODUCER, note, &visits);
    assert_string_equal(text_get(&visits.text), "client.id=new sasl.password=p! linger.ms=1 ");
    text_clear(&visits.text);
    settings_each_kafka(settings, KAFKA_CLIENT_BOTH, note, &visits);
    assert_string_equal(text_get(&visits.text), "client.id=new sasl.password=p! ");
    text_clear(&visits.text);
}

// Names are lower-case with dots and underscores, help doesn't break the table, and defaults are
// taken.
static void every_row_of_the_table_is_sound(void **state)
{
    (void)state;
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        const SettingRow *row = settings_row(id);
        int64_t number = 0;
        assert_string_equal(settings_name(id), row->name);
        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_."), strlen(row->name));
        assert_true(row->help[0] != '\0' && row->help[strlen(row->help) - 1] != '.');
        assert_true(settings_value_check(row, row->value, "", &number, NULL));
        for (SettingId other = 0; other < id; other++) {
            assert_string_not_equal(settings_name(other), row->name);
        }
    }
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    settings_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(the_last_value_wins),
        cmocka_unit_test(a_refused_value_leaves_the_old_one),
        cmocka_unit_test(an_unknown_name_is_told_the_nearest),
        cmocka_unit_test(an_endless_name_is_still_answered),
        cmocka_unit_test(every_secret_and_list_has_a_file),
        cmocka_unit_test(each_client_gets_the_common_properties_and_its_own),
        cmocka_unit_test(every_row_of_the_table_is_sound),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

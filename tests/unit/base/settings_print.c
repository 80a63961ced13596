#include "base/settings.h"

#include <string.h>

#include "unit.h"

static void set(Settings *settings, const char *name, const char *value)
{
    assert_true(settings_set(settings, name, value, "test", NULL));
}

static void secrets_are_masked_and_all_else_is_shown(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Text text = TEXT_INIT(20000);
    set(settings, "instance.id", "w-1");
    set(settings, "neon.poll_interval", "70ms");
    set(settings, "secrets.key_encryption_key", "hush-1");
    set(settings, "kafka.producer.linger.ms", "5");
    set(settings, "kafka.sasl.password", "hush-2");
    set(settings, "kafka.consumer.ssl.key.password", "");
    set(settings, "kafka.sasl.username", "me");
    set(settings, "reveal.recipients", "a=1,\n\tb=2");
    settings_print(settings, &text);
    const char *out = text_get(&text);
    assert_true(text_ok(&text));
    assert_memory_equal(out, "instance.id = w-1\nlog.level = info\n", 35);
    assert_non_null(strstr(out, "\nneon.poll_interval = 70ms\n"));
    assert_non_null(strstr(out, "\nreveal.recipients = a=1,  b=2\n"));
    assert_non_null(strstr(out, "\nsecrets.key_encryption_key = ***\n"));
    assert_non_null(strstr(out, "\nsecrets.fleet_private_key = \n"));
    assert_non_null(strstr(out, "\nkafka.sasl.password = ***\n"
                                "kafka.sasl.username = me\n"
                                "kafka.consumer.ssl.key.password = \n"
                                "kafka.producer.linger.ms = 5\n"));
    assert_null(strstr(out, "hush"));
    text_clear(&text);
}

static void what_is_printed_can_be_set_again(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    CLEANUP(settings_free_at) Settings *again = settings_new();
    Text first = TEXT_INIT(20000);
    Text second = TEXT_INIT(20000);
    set(settings, "publish.linger", "10ms");
    settings_print(settings, &first);
    for (char *line = first.data; *line != '\0';) {
        char *equals = strstr(line, " = ");
        char *end = strchr(line, '\n');
        assert_true(equals != NULL && end != NULL && equals < end);
        *equals = '\0';
        *end = '\0';
        set(again, line, equals + 3);
        *equals = ' ';
        *end = '\n';
        line = end + 1;
    }
    settings_print(again, &second);
    assert_string_equal(text_get(&first), text_get(&second));
    text_clear(&first);
    text_clear(&second);
}

static size_t count_of(const char *text, char wanted)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == wanted ? 1 : 0;
    }
    return count;
}

static void the_markdown_table_has_a_row_a_setting(void **state)
{
    (void)state;
    Text text = TEXT_INIT(40000);
    settings_print_markdown(&text);
    const char *out = text_get(&text);
    assert_true(text_ok(&text));
    assert_int_equal(count_of(out, '\n'), SETTING_COUNT_OF + 2);
    assert_non_null(strstr(out,
                           "\n| `log.format` | one of auto\\|json\\|text | `auto` | "
                           "`PROVISION_LOG_FORMAT` | auto: text on a terminal, else JSON |\n"));
    assert_non_null(
        strstr(out, "\n| `ledger.uri` | secret, required |  | `PROVISION_LEDGER_URI` | "));
    assert_non_null(strstr(out, "\n| `drain.timeout` | a number of ms, s, m, h or d, 1s..1h | "
                                "`30s` | "));
    text_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_masked_and_all_else_is_shown),
        cmocka_unit_test(what_is_printed_can_be_set_again),
        cmocka_unit_test(the_markdown_table_has_a_row_a_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

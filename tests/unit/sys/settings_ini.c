#include "sys/settings_ini.h"

#include <string.h>

#include "scratch.h"
#include "sys/settings_source.h"
#include "unit.h"

typedef struct Case {
    const char *text;
    const char *group_id; // NULL: refused
    const char *refusal;
} Case;

static const Case CASES[] = {
    {"", "provision-worker", NULL},
    {"\n\n  \n", "provision-worker", NULL},
    {"group.id = a", "a", NULL},
    {"group.id = a\n", "a", NULL},
    {"group.id=a\r\n", "a", NULL},
    {"group.id: a\n", "a", NULL},
    {"[group]\nid = a\n", "a", NULL},
    {"[group]\n  id = a\n", "a", NULL},
    {"[group]\nid = a\n   id = b\n", "b", NULL},
    {"\xef\xbb\xbfgroup.id = a\n", "a", NULL},
    {"# comment\n  ; comment = 1\ngroup.id = a;b#c\n", "a;b#c", NULL},
    {"; [section] ; with # all\ngroup.id = a\n", "a", NULL},
    {"group.id = a = b\n", "a = b", NULL},
    {"group.id =\n", "", NULL},
    {"\ngroup.id = a ; b\n", NULL,
     "w.ini:2: a comment stands on a line of its own, and a value can't have ';' or '#' after "
     "white space"},
    {"group.id = a\t# b\n", NULL,
     "w.ini:1: a comment stands on a line of its own, and a value can't have ';' or '#' after "
     "white space"},
    {"group.id = a\n\nnothing\n", NULL, "w.ini:3: this is neither [section] nor name = value"},
    {"nothing\ngroup.id = a\ntopics.partitions = 0\n", NULL,
     "w.ini:1: this is neither [section] nor name = value"},
    {"[group\nid = a\n", NULL, "w.ini:1: a section is [name], and its name has at most 48 bytes"},
    {"[group] id = a\n", NULL, "w.ini:1: a section is [name], and its name has at most 48 bytes"},
    {"[]\ngroup.id = a\n", "a", NULL},
    {"\n[group]\nit = a\n", NULL, "w.ini:3: there is no setting group.it; the nearest is group.id"},
    {"topics.partitions = 0\n", NULL, "w.ini:1: topics.partitions must be a whole number, 1..1000"},
    {"[kafka]\nacks = 1\n", NULL,
     "w.ini:2: kafka.acks can only be all|-1: events would be lost with their broker"},
};

static void a_file_is_taken_or_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        const Case *c = &CASES[i];
        CLEANUP(settings_free_at) Settings *settings = settings_new();
        Error err = ERROR_INIT;
        bool taken = settings_source_read_text(settings, bytes_of(c->text), "w.ini", &err);
        assert_string_equal(err.text, c->refusal == NULL ? "" : c->refusal);
        assert_int_equal(taken, c->refusal == NULL);
        if (c->group_id != NULL) {
            assert_string_equal(settings_text(settings, SETTING_GROUP_ID), c->group_id);
        }
    }
}

static void a_line_has_at_most_198_bytes(void **state)
{
    (void)state;
    enum { NAME_BYTES = 11 }; // "group.id = "
    char text[400] = "\ngroup.id = ";
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    memset(text + 1 + NAME_BYTES, 'x', SETTINGS_SOURCE_LINE_BYTES + 1 - NAME_BYTES);
    assert_false(settings_source_read_text(settings, bytes_of(text), "w.ini", &err));
    assert_string_equal(err.code, "SETTING_SYNTAX");
    assert_string_equal(err.text,
                        "w.ini:2: the line is longer than 198 bytes; a long secret goes into a "
                        "file, named by <setting>_file");
    text[1 + SETTINGS_SOURCE_LINE_BYTES] = '\0';
    assert_true(settings_source_read_text(settings, bytes_of(text), "w.ini", &err));
    assert_int_equal(strlen(settings_text(settings, SETTING_GROUP_ID)),
                     SETTINGS_SOURCE_LINE_BYTES - NAME_BYTES);
}

static void a_long_comment_is_refused_too(void **state)
{
    (void)state;
    char text[300];
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    memset(text, '#', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_false(settings_source_read_text(settings, bytes_of(text), "w.ini", NULL));
}

static void sections_have_at_most_48_bytes(void **state)
{
    (void)state;
    char text[100] = "[kafka.";
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    memset(text + 7, 's', 42);
    memcpy(text + 49, "]\nx = 1\n", 9);
    assert_true(settings_source_read_text(settings, bytes_of(text), "w.ini", &err));
    memset(text + 7, 's', 43);
    memcpy(text + 50, "]\nx = 1\n", 9);
    assert_false(settings_source_read_text(settings, bytes_of(text), "w.ini", &err));
    assert_string_equal(err.text,
                        "w.ini:1: a section is [name], and its name has at most 48 bytes");
}

static void bytes_that_no_text_has_are_refused(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    Bytes nul = {(const uint8_t *)"group.id = a\0b\n", 15};
    assert_false(settings_source_read_text(settings, nul, "w.ini", &err));
    assert_string_equal(err.text, "w.ini:1: the line has a NUL byte in it");
    assert_false(settings_source_read_text(settings, bytes_of("group.id = \xff\n"), "w.ini", &err));
    assert_string_equal(err.text, "w.ini:1: group.id must be text");
    assert_true(settings_source_read_text(settings, (Bytes){NULL, 0}, "w.ini", &err));
}

static void kafka_has_sections_of_its_own(void **state)
{
    (void)state;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Text text = TEXT_INIT(20000);
    assert_true(settings_source_read_text(settings,
                                          bytes_of("[kafka]\n"
                                                   "bootstrap.servers = a:1,b:2\n"
                                                   "[kafka.producer]\n"
                                                   "linger.ms = 1\n"),
                                          "w.ini", NULL));
    settings_print(settings, &text);
    assert_non_null(strstr(text_get(&text), "\nkafka.bootstrap.servers = a:1,b:2\n"
                                            "kafka.producer.linger.ms = 1\n"));
    text_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_taken_or_refused_with_its_line),
        cmocka_unit_test(a_line_has_at_most_198_bytes),
        cmocka_unit_test(a_long_comment_is_refused_too),
        cmocka_unit_test(sections_have_at_most_48_bytes),
        cmocka_unit_test(bytes_that_no_text_has_are_refused),
        cmocka_unit_test(kafka_has_sections_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

static const Error DENIED = {
    .kind = ERROR_DENIED, .code = "KEY_REJECTED", .field = "api_key", .text = "Neon says \"no\""};

static const LogFields FIELDS = {
    .application_id = "shop",
    .command_id = "919108f7-52d1-4320-9bac-f847db4148a8",
    .subject = "applications/shop/environments/production",
    .step = "create_project",
    .record = "provisioning.commands/3@17",
    .error = &DENIED,
};

static const char *member(const json_t *line, const char *name)
{
    const char *value = json_string_value(json_object_get(line, name));
    return value == NULL ? "(none)" : value;
}

static void a_json_line_names_everything_it_is_about(void **state)
{
    (void)state;
    log_install(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "w-1");
    scratch_begin_capture();
    log_write(LOG_LEVEL_WARNING, &FIELDS, "attempt %d failed", 3);
    char *text = scratch_end_capture();
    assert_int_equal(text[strlen(text) - 1], '\n');
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_int_equal(json_object_size(line), 13);
    assert_int_equal(strlen(member(line, "time")), 24);
    assert_string_equal(member(line, "level"), "warning");
    assert_string_equal(member(line, "message"), "attempt 3 failed");
    assert_string_equal(member(line, "application"), "shop");
    assert_string_equal(member(line, "command"), FIELDS.command_id);
    assert_string_equal(member(line, "subject"), FIELDS.subject);
    assert_string_equal(member(line, "step"), "create_project");
    assert_string_equal(member(line, "record"), "provisioning.commands/3@17");
    assert_string_equal(member(line, "kind"), "denied");
    assert_string_equal(member(line, "code"), "KEY_REJECTED");
    assert_string_equal(member(line, "field"), "api_key");
    assert_string_equal(member(line, "error"), "Neon says \"no\"");
    assert_string_equal(member(line, "worker"), "w-1");
    json_decref(line);
    free(text);
}

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    static const Error NOTHING = {.kind = ERROR_NONE, .text = "old"};
    log_install(LOG_LEVEL_DEBUG, LOG_FORMAT_AUTO, "");
    scratch_begin_capture();
    log_write(LOG_LEVEL_DEBUG, &(LogFields){.step = "", .error = &NOTHING}, "%s", "hello");
    log_write(LOG_LEVEL_ERROR, NULL, "hello");
    char *text = scratch_end_capture();
    char *second = strchr(text, '\n') + 1;
    second[-1] = '\0';
    assert_string_equal(text + 35, "\"level\":\"debug\",\"message\":\"hello\"}");
    assert_string_equal(second + 35, "\"level\":\"error\",\"message\":\"hello\"}\n");
    free(text);
}

static void a_text_line_is_for_people(void **state)
{
    (void)state;
    log_install(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "w-1");
    scratch_begin_capture();
    log_write(LOG_LEVEL_ERROR, &FIELDS, "gave \"up\" \\ \x1b[31m");
    char *text = scratch_end_capture();
    assert_string_equal(
        text + 24, " error gave \"up\" \\ \\u001b[31m application=shop "
                   "command=919108f7-52d1-4320-9bac-f847db4148a8 "
                   "subject=applications/shop/environments/production step=create_project "
                   "record=provisioning.commands/3@17 kind=denied code=KEY_REJECTED field=api_key "
                   "error=Neon says \"no\" worker=w-1\n");
    free(text);
}

static void lines_below_the_level_are_left_out(void **state)
{
    (void)state;
    log_install(LOG_LEVEL_WARNING, LOG_FORMAT_JSON, "w");
    assert_false(log_is_enabled(LOG_LEVEL_INFO));
    assert_true(log_is_enabled(LOG_LEVEL_WARNING));
    scratch_begin_capture();
    log_write(LOG_LEVEL_INFO, NULL, "nobody reads this");
    char *text = scratch_end_capture();
    assert_string_equal(text, "");
    free(text);
}

static void a_line_has_no_control_characters_and_no_broken_utf8(void **state)
{
    (void)state;
    static const char NASTY[] =
        "a\n\t\"\\\x01\x7f\xc2\x85\xff\xed\xa0\x80 gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x98";
    log_install(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "w");
    scratch_begin_capture();
    log_write(LOG_LEVEL_INFO, &(LogFields){.step = NASTY}, "%s", NASTY);
    char *text = scratch_end_capture();
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    static const char CLEAN[] =
        "a\n\t\"\\\x01\x7f\xc2\x85\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf"
        "\xbd gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x98";
    assert_string_equal(member(line, "message"), CLEAN);
    assert_string_equal(member(line, "step"), CLEAN);
    for (const char *c = text; c[1] != '\0'; c++) {
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
    json_decref(line);
    free(text);
}

static void a_line_is_bounded_and_stays_json(void **state)
{
    (void)state;
    static char huge[20000];
    memset(huge, '\x01', sizeof huge - 1);
    Error err = {.kind = ERROR_UNAVAILABLE};
    memset(err.code, '"', sizeof err.code - 1);
    memset(err.field, '\\', sizeof err.field - 1);
    memset(err.text, '\x7f', sizeof err.text - 1);
    log_install(LOG_LEVEL_INFO, LOG_FORMAT_JSON, huge);
    scratch_begin_capture();
    log_write(LOG_LEVEL_INFO, &(LogFields){huge, huge, huge, huge, huge, &err}, "%s", huge);
    char *text = scratch_end_capture();
    assert_in_range(strlen(text), 7000, LOG_LINE_BYTES);
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    const char *message = member(line, "message");
    assert_string_equal(message + strlen(message) - 4, "\x01...");
    assert_int_equal(json_object_size(line), 13);
    json_decref(line);
    free(text);
}

static void errno_survives(void **state)
{
    (void)state;
    log_install(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "w");
    int original = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_int_equal(close(STDERR_FILENO), 0);
    errno = ENOENT;
    log_write(LOG_LEVEL_INFO, NULL, "nobody listens");
    int seen = errno;
    assert_int_equal(dup2(original, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(seen, ENOENT);
    assert_int_equal(close(original), 0);
}

enum { THREADS = 4, LINES = 200 };

static void *write_lines(void *context)
{
    for (int i = 0; i < LINES; i++) {
        log_write(LOG_LEVEL_INFO, &FIELDS, "%s %d", (const char *)context, i);
    }
    return NULL;
}

// Into a pipe, where a write of more than its free room is taken in parts.
static void *read_lines(void *context)
{
    FILE *pipe_end = fdopen(*(int *)context, "re");
    size_t size = 0;
    char *line = NULL;
    static size_t whole;
    whole = 0;
    while (getline(&line, &size, pipe_end) > 0) {
        json_t *json = json_loads(line, 0, NULL);
        whole += json != NULL ? 1 : 0;
        json_decref(json);
    }
    free(line);
    (void)fclose(pipe_end);
    return &whole;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t writers[THREADS];
    pthread_t reader;
    int ends[2];
    void *whole = NULL;
    log_install(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "w");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int original = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_lines, &ends[0]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&writers[i], NULL, write_lines, names[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(writers[i], NULL), 0);
    }
    assert_int_equal(dup2(original, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(original), 0);
    assert_int_equal(pthread_join(reader, &whole), 0);
    assert_int_equal(*(size_t *)whole, THREADS * LINES);
}

// A pseudo terminal takes stderr's place.
static char *line_on_terminal(LogFormat format)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    int original = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_int_equal(dup2(terminal, STDERR_FILENO), STDERR_FILENO);
    log_install(LOG_LEVEL_INFO, format, "w");
    log_write(LOG_LEVEL_INFO, NULL, "hello");
    assert_int_equal(dup2(original, STDERR_FILENO), STDERR_FILENO);
    char *text = calloc(1, 1000);
    assert_non_null(text);
    assert_true(read(master, text, 999) > 0);
    (void)close(original);
    (void)close(terminal);
    (void)close(master);
    return text;
}

static void a_terminal_gets_text_in_colour(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    char *text = line_on_terminal(LOG_FORMAT_AUTO);
    assert_string_equal(text + 24, " \x1b[32minfo\x1b[0m hello worker=w\r\n");
    free(text);
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    text = line_on_terminal(LOG_FORMAT_AUTO);
    assert_string_equal(text + 24, " info hello worker=w\r\n");
    free(text);
    text = line_on_terminal(LOG_FORMAT_JSON);
    assert_int_equal(text[0], '{');
    free(text);
}

static void names_of_levels_and_formats_are_those_of_the_settings(void **state)
{
    (void)state;
    static const char *const LEVELS[] = {"debug", "info", "warning", "error"};
    static const char *const FORMATS[] = {"auto", "json", "text"};
    for (size_t i = 0; i < UNIT_COUNT(LEVELS); i++) {
        LogLevel level = LOG_LEVEL_DEBUG;
        assert_true(log_level_parse(LEVELS[i], &level));
        assert_int_equal(level, i);
    }
    for (size_t i = 0; i < UNIT_COUNT(FORMATS); i++) {
        LogFormat format = LOG_FORMAT_AUTO;
        assert_true(log_format_parse(FORMATS[i], &format));
        assert_int_equal(format, i);
    }
    assert_false(log_level_parse("loud", &(LogLevel){LOG_LEVEL_INFO}));
    assert_false(log_format_parse("xml", &(LogFormat){LOG_FORMAT_AUTO}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_line_names_everything_it_is_about),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(a_text_line_is_for_people),
        cmocka_unit_test(lines_below_the_level_are_left_out),
        cmocka_unit_test(a_line_has_no_control_characters_and_no_broken_utf8),
        cmocka_unit_test(a_line_is_bounded_and_stays_json),
        cmocka_unit_test(errno_survives),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
        cmocka_unit_test(a_terminal_gets_text_in_colour),
        cmocka_unit_test(names_of_levels_and_formats_are_those_of_the_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

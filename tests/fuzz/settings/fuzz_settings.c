/*
 * The configuration file's reader: whatever the bytes are, they are taken or refused with a place
 * and a code; what was taken can be printed, and what was printed is taken again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "sys/settings_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool held)
{
    if (!held) {
        abort();
    }
}

// No file may be opened while fuzzing: a path such as /dev/stdin would never end.
static bool names_a_file(const uint8_t *data, size_t size)
{
    return memmem(data, size, "_file", 5) != NULL;
}

static void expect_printed_is_taken(const Settings *settings)
{
    CLEANUP(settings_free_at) Settings *again = settings_new();
    CLEANUP(text_clear) Text first = TEXT_INIT(1 << 20);
    CLEANUP(text_clear) Text second = TEXT_INIT(1 << 20);
    settings_print(settings, &first);
    expect(text_ok(&first));
    char *line = first.data;
    for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
        char *equals = strstr(line, " = ");
        expect(equals != NULL && equals < end);
        *equals = '\0';
        *end = '\0';
        expect(settings_set(again, line, equals + 3, "printed", NULL));
        *equals = ' ';
        *end = '\n';
        line = end + 1;
    }
    settings_print(again, &second);
    expect(strcmp(text_get(&first), text_get(&second)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (names_a_file(data, size)) {
        return 0;
    }
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    if (!settings_source_read_text(settings, (Bytes){data, size}, "fuzz.ini", &err)) {
        expect(err.kind == ERROR_INVALID && strncmp(err.code, "SETTING_", 8) == 0);
        expect(strncmp(err.text, "fuzz.ini:", 9) == 0);
        return 0;
    }
    expect(err.kind == ERROR_NONE);
    (void)settings_check(settings, &err);
    expect_printed_is_taken(settings);
    return 0;
}

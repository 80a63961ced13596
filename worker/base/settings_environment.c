#include "base/settings.h"

#include <ctype.h>
#include <string.h>

#include "base/settings_kafka.h"

static const char PREFIX[] = "PROVISION_";

void settings_environment_name(const char *name, Text *text)
{
    text_append(text, PREFIX);
    for (; *name != '\0'; name++) {
        int c = *name == '.' ? '_' : toupper((unsigned char)*name);
        text_append_char(text, (char)c);
    }
}

static bool has_environment_name(const char *name, const char *variable)
{
    Text expected = TEXT_INIT(200);
    settings_environment_name(name, &expected);
    bool same = strcmp(text_get(&expected), variable) == 0;
    text_clear(&expected);
    return same;
}

static bool find_setting(const char *variable, char *ret_name, size_t ret_name_bytes)
{
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        Text file = TEXT_INIT(200);
        text_printf(&file, "%s_file", settings_name(id));
        const char *found = NULL;
        if (has_environment_name(settings_name(id), variable)) {
            found = settings_name(id);
        } else if (has_environment_name(text_get(&file), variable) &&
                   settings_is_file(text_get(&file), ret_name, ret_name_bytes)) {
            found = text_get(&file);
        }
        bool copied = found != NULL && text_copy(ret_name, ret_name_bytes, found);
        text_clear(&file);
        if (copied) {
            return true;
        }
    }
    return false;
}

// Properties have dots only, with these exceptions.
static void restore_underscores(char *name)
{
    static const char *const UNDERSCORED[] = {"log_level", "enabled_events"};
    for (size_t i = 0; i < sizeof UNDERSCORED / sizeof UNDERSCORED[0]; i++) {
        size_t length = strlen(UNDERSCORED[i]);
        size_t name_length = strlen(name);
        char *end = name_length > length ? name + name_length - length : name;
        bool same = end > name && end[-1] == '.';
        for (size_t j = 0; same && j < length; j++) {
            same = end[j] == UNDERSCORED[i][j] || (end[j] == '.' && UNDERSCORED[i][j] == '_');
        }
        if (same) {
            memcpy(end, UNDERSCORED[i], length);
        }
    }
}

static bool find_kafka(const char *variable, char *ret_name, size_t ret_name_bytes)
{
    const char *rest = variable + strlen(PREFIX);
    if (strncmp(rest, "KAFKA_", 6) != 0 || strlen(rest) >= ret_name_bytes) {
        return false;
    }
    size_t length = strlen(rest);
    for (size_t i = 0; i <= length; i++) {
        int c = rest[i] == '_' ? '.' : tolower((unsigned char)rest[i]);
        ret_name[i] = (char)c;
    }
    restore_underscores(ret_name);
    static const char FILE_END[] = ".file";
    size_t end = length - (sizeof FILE_END - 1);
    char secret[256];
    if (length > sizeof FILE_END && strcmp(ret_name + end, FILE_END) == 0) {
        ret_name[end] = '_';
        if (!settings_is_file(ret_name, secret, sizeof secret)) {
            ret_name[end] = '.';
        }
    }
    return true;
}

bool settings_from_environment_name(const char *variable, char *ret_name, size_t ret_name_bytes)
{
    return strncmp(variable, PREFIX, strlen(PREFIX)) == 0 &&
           (find_kafka(variable, ret_name, ret_name_bytes) ||
            find_setting(variable, ret_name, ret_name_bytes));
}

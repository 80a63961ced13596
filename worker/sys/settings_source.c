#include "sys/settings_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sys/file_text.h"
#include "sys/settings_ini.h"

static const char PREFIX[] = "PROVISION_";
static const char CONFIG[] = "PROVISION_CONFIG=";

typedef struct ReadLimit {
    const char *origin;
    const char *what;
    size_t bytes;
} ReadLimit;

static bool read_path(const char *path, ReadLimit limit, Buffer *ret_content, Error *err)
{
    CLEANUP(file_close_at) int fd = open(path, O_RDONLY | O_CLOEXEC);
    FileResult result = fd < 0 ? FILE_FAILED : file_read(fd, limit.bytes, ret_content);
    if (result == FILE_FAILED) {
        return error_set(err, ERROR_INVALID, "SETTING_FILE", "%s: can't read %s %s: %s",
                         limit.origin, limit.what, path, strerror(errno));
    }
    if (result == FILE_TOO_LARGE) {
        return error_set(err, ERROR_INVALID, "SETTING_FILE", "%s: %s %s is larger than %zu bytes",
                         limit.origin, limit.what, path, limit.bytes);
    }
    return true;
}

// The content goes nowhere but into the setting; errors name the file.
static bool set_from_file(Settings *settings, const char *name, const char *path,
                          const char *origin, Error *err)
{
    CLEANUP(buffer_clear) Buffer content = {NULL, 0};
    const ReadLimit limit = {origin, "the setting's file", SETTINGS_SOURCE_SECRET_BYTES};
    if (!read_path(path, limit, &content, err)) {
        return false;
    }
    Bytes value = file_without_line_break(buffer_view(&content));
    if (value.size > 0 && memchr(value.data, '\0', value.size) != NULL) {
        return error_set(err, ERROR_INVALID, "SETTING_FILE",
                         "%s: the setting's file %s has a NUL byte in it", origin, path);
    }
    Secret secret = SECRET_INIT;
    secret_set(&secret, value);
    bool set = settings_set(settings, name, secret_reveal(&secret), path, err);
    secret_clear(&secret);
    return set;
}

bool settings_source_set(Settings *settings, const char *name, const char *value,
                         const char *origin, Error *err)
{
    char secret[SETTINGS_SOURCE_NAME_BYTES];
    if (settings_is_file(name, secret, sizeof secret)) {
        return set_from_file(settings, secret, value, origin, err);
    }
    return settings_set(settings, name, value, origin, err);
}

static bool read_config(Settings *settings, const char *path, Error *err)
{
    CLEANUP(buffer_clear) Buffer content = {NULL, 0};
    const ReadLimit limit = {"configuration", "file", SETTINGS_SOURCE_FILE_BYTES};
    return read_path(path, limit, &content, err) &&
           settings_source_read_text(settings, buffer_view(&content), path, err);
}

// NULL when there is none.
static const char *find_config(char *const *environment)
{
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, CONFIG, strlen(CONFIG)) == 0) {
            return *environment + strlen(CONFIG);
        }
    }
    return NULL;
}

static bool is_left_alone(const char *variable)
{
    static const char *const OTHERS[] = {"PROVISION_CONFIG",        "PROVISION_FLEET_PUBLIC_KEY",
                                         "PROVISION_POSTGRES_DIRS", "PROVISION_BIN_DIR",
                                         "PROVISION_CACHE",         "PROVISION_JOBS"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        if (strcmp(variable, OTHERS[i]) == 0) {
            return true;
        }
    }
    return strncmp(variable, "PROVISION_TEST_", 15) == 0;
}

// Of a value and a file for the same secret neither can be meant to win.
static bool is_given_twice(char *const *environment, const char *variable)
{
    static const char SUFFIX[] = "_FILE";
    size_t length = strlen(variable);
    size_t base = length < sizeof SUFFIX ? 0 : length - (sizeof SUFFIX - 1);
    if (base == 0 || strcmp(variable + base, SUFFIX) != 0) {
        return false;
    }
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, variable, base) == 0 && (*environment)[base] == '=') {
            return true;
        }
    }
    return false;
}

static bool read_variable(Settings *settings, char *const *environment, const char *entry,
                          Error *err)
{
    char variable[SETTINGS_SOURCE_NAME_BYTES];
    char name[SETTINGS_SOURCE_NAME_BYTES];
    size_t length = strcspn(entry, "=");
    if (length >= sizeof variable || entry[length] == '\0') {
        return error_set(err, ERROR_INVALID, "SETTING_UNKNOWN", "%.64s… is no setting's variable",
                         entry);
    }
    memcpy(variable, entry, length);
    variable[length] = '\0';
    if (is_left_alone(variable)) {
        return true;
    }
    if (!settings_from_environment_name(variable, name, sizeof name)) {
        return error_set(err, ERROR_INVALID, "SETTING_UNKNOWN", "%s is no setting's variable",
                         variable);
    }
    char secret[SETTINGS_SOURCE_NAME_BYTES];
    if (settings_is_file(name, secret, sizeof secret) && is_given_twice(environment, variable)) {
        return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                         "%s: %s has a value, too; set only one of them", variable, secret);
    }
    return settings_source_set(settings, name, entry + length + 1, variable, err);
}

bool settings_source_read_environment(Settings *settings, char *const *environment, Error *err)
{
    for (char *const *entry = environment; *entry != NULL; entry++) {
        if (strncmp(*entry, PREFIX, strlen(PREFIX)) == 0 &&
            !read_variable(settings, environment, *entry, err)) {
            return false;
        }
    }
    return true;
}

bool settings_source_read_assignment(Settings *settings, const char *assignment, Error *err)
{
    char name[SETTINGS_SOURCE_NAME_BYTES];
    size_t length = strcspn(assignment, "=");
    if (assignment[length] == '\0' || length >= sizeof name) {
        return error_set(err, ERROR_INVALID, "SETTING_SYNTAX",
                         "--set: it must be followed by name=value");
    }
    memcpy(name, assignment, length);
    name[length] = '\0';
    if (settings_is_secret(name)) {
        return error_set(err, ERROR_INVALID, "SETTING_REFUSED",
                         "--set: %s is a secret, and anyone on this machine can read a command "
                         "line: use %s_file",
                         name, name);
    }
    return settings_source_set(settings, name, assignment + length + 1, "--set", err);
}

bool settings_source_load(Settings *settings, const SettingsSources *sources, Error *err)
{
    const char *file = sources->file != NULL ? sources->file : find_config(sources->environment);
    if ((file != NULL && !read_config(settings, file, err)) ||
        !settings_source_read_environment(settings, sources->environment, err)) {
        return false;
    }
    for (size_t i = 0; i < sources->assignment_count; i++) {
        if (!settings_source_read_assignment(settings, sources->assignments[i], err)) {
            return false;
        }
    }
    return true;
}

#include "ctl/state_text.h"

#include <string.h>

#include "ctl/enum_text.h"

static void append_scalar(Text *text, const json_t *value)
{
    static const char *const PREFIXES[] = {"ENVIRONMENT_STATUS_", "ORIGIN_", "KEY_KIND_",
                                           "ROLES_POLICY_", "ACCESS_"};
    if (json_is_integer(value)) {
        text_printf(text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        text_printf(text, "%g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        text_append(text, json_is_true(value) ? "true" : "false");
    } else if (json_is_string(value)) {
        const char *string = json_string_value(value);
        for (size_t i = 0; i < sizeof(PREFIXES) / sizeof(PREFIXES[0]); i++) {
            if (strncmp(string, PREFIXES[i], strlen(PREFIXES[i])) == 0) {
                enum_text_append(text, string, PREFIXES[i]);
                return;
            }
        }
        text_append(text, string);
    }
}

// orders (main write, logs read)
static void append_service(Text *text, const json_t *service)
{
    const json_t *databases = json_object_get(service, "databases");
    size_t index = 0;
    const json_t *element = NULL;
    append_scalar(text, json_object_get(service, "name"));
    json_array_foreach(databases, index, element)
    {
        const json_t *access = json_object_get(element, "access");
        text_append(text, index == 0 ? " (" : ", ");
        append_scalar(text, json_object_get(element, "database"));
        text_append(text, " ");
        if (access == NULL) {
            text_append(text, "write");
        } else {
            append_scalar(text, access);
        }
    }
    text_append(text, json_array_size(databases) == 0 ? "" : ")");
}

void state_text_append(Text *text, const json_t *value)
{
    if (!json_is_array(value)) {
        append_scalar(text, value);
        return;
    }
    size_t index = 0;
    const json_t *element = NULL;
    json_array_foreach(value, index, element)
    {
        text_append(text, index == 0 ? "" : ", ");
        if (json_is_object(element)) {
            append_service(text, element);
        } else {
            append_scalar(text, element);
        }
    }
}

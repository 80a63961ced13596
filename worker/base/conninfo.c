#include "base/conninfo.h"

#include <stddef.h>
#include <string.h>

bool conninfo_is_safe_to_repeat(const char *keyword, const char *value)
{
    if (value == NULL) {
        return true;
    }
    if (strcmp(keyword, "port") == 0) {
        return strspn(value, "0123456789,") == strlen(value);
    }
    bool is_host = strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0;
    return !is_host || strchr(value, '@') == NULL;
}

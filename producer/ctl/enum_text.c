#include "ctl/enum_text.h"

#include <string.h>

void enum_text_append(Text *text, const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    const char *shown = strncmp(name, prefix, length) == 0 ? name + length : name;
    for (const char *c = shown; *c != '\0'; c++) {
        text_append_char(text, (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c));
    }
}

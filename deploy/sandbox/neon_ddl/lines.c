#include "lines.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *write_hex(char *at, const char *text)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (; *text != '\0'; text++) {
        *at++ = DIGITS[(unsigned char)*text / 16];
        *at++ = DIGITS[(unsigned char)*text % 16];
    }
    return at;
}

bool lines_write(int file, char kind, const char *role, const char *password)
{
    size_t most = 2 * strlen(role) + 2 * (password == NULL ? 0 : strlen(password)) + 4;
    char *line = malloc(most);
    if (line == NULL) {
        abort();
    }
    char *at = line;
    *at++ = kind;
    *at++ = ' ';
    at = write_hex(at, role);
    if (password != NULL) {
        *at++ = ' ';
        at = write_hex(at, password);
    }
    *at++ = '\n';
    size_t length = (size_t)(at - line);
    bool written = write(file, line, length) == (ssize_t)length;
    explicit_bzero(line, length);
    free(line);
    return written;
}

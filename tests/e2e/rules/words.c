#include "rules/words.h"

#include <string.h>

// The next one's length, its @ included; 0: there are no more.
static size_t length_of(const char *command)
{
    return command[0] == '@' ? strcspn(command, " ") : 0;
}

bool words_has(const char *command, const char *word)
{
    for (size_t length = length_of(command); length > 0; length = length_of(command)) {
        if (length == strlen(word) + 1 && strncmp(command + 1, word, length - 1) == 0) {
            return true;
        }
        command += length;
        command += strspn(command, " ");
    }
    return false;
}

const char *words_skip(const char *command)
{
    for (size_t length = length_of(command); length > 0; length = length_of(command)) {
        command += length;
        command += strspn(command, " ");
    }
    return command;
}

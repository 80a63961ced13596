#include "neon/mark.h"

#include <string.h>

static bool is_whole(const NeonMark *mark)
{
    return mark->installation[0] != '\0' && mark->application[0] != '\0' &&
           mark->environment[0] != '\0' && mark->command[0] != '\0';
}

bool neon_mark_is_empty(const NeonMark *mark)
{
    return mark->installation[0] == '\0' && mark->application[0] == '\0' &&
           mark->environment[0] == '\0' && mark->command[0] == '\0';
}

bool neon_mark_same_environment(const NeonMark *a, const NeonMark *b)
{
    return is_whole(a) && is_whole(b) && strcmp(a->installation, b->installation) == 0 &&
           strcmp(a->application, b->application) == 0 &&
           strcmp(a->environment, b->environment) == 0;
}

bool neon_mark_equal(const NeonMark *a, const NeonMark *b)
{
    return neon_mark_same_environment(a, b) && strcmp(a->command, b->command) == 0;
}

#include "sys/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

enum {
    STAT_BYTES = 1024,
    FIELD_RESIDENT = 2, // of statm
    FIELD_COMMAND = 2,  // of stat
    FIELD_START = 22,
    NS_PER_S = 1000000000
};

static bool read_line(const char *path, char line[STAT_BYTES])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool is_read = fgets(line, STAT_BYTES, file) != NULL;
    (void)fclose(file);
    return is_read;
}

// The number of this field; fields are apart by one blank, and `line` begins with number `first`.
static bool read_field(const char *line, int first, int wanted, int64_t *ret_number)
{
    for (int number = first; line != NULL && number < wanted; number++) {
        line = strchr(line, ' ');
        line = line != NULL ? line + 1 : NULL;
    }
    if (line == NULL) {
        return false;
    }
    char *end = NULL;
    *ret_number = strtoll(line, &end, 10);
    return end != line;
}

static bool read_resident(Usage *usage)
{
    char line[STAT_BYTES];
    int64_t pages = 0;
    if (!read_line("/proc/self/statm", line) || !read_field(line, 1, FIELD_RESIDENT, &pages)) {
        return false;
    }
    usage->resident_bytes = pages * sysconf(_SC_PAGESIZE);
    return true;
}

static bool read_start(Usage *usage)
{
    char line[STAT_BYTES];
    int64_t ticks = 0;
    if (!read_line("/proc/self/stat", line)) {
        return false;
    }
    // from the end of field 2: a command's name may hold anything
    const char *command_end = strrchr(line, ')');
    if (command_end == NULL || !read_field(command_end, FIELD_COMMAND, FIELD_START, &ticks)) {
        return false;
    }
    int64_t up_ms = clock_boot_ms() - ticks * 1000 / sysconf(_SC_CLK_TCK);
    usage->started_ms = clock_wall_ms() - up_ms;
    return true;
}

bool usage_read(Usage *ret_usage)
{
    struct timespec cpu = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    ret_usage->cpu_seconds = (double)cpu.tv_sec + (double)cpu.tv_nsec / NS_PER_S;
    return read_resident(ret_usage) && read_start(ret_usage);
}

#include "sys/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

enum { STAT_BYTES = 1024, FIELD_COMMAND = 2, FIELD_START = 22, NS_PER_S = 1000000000 };

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

static bool read_resident(Usage *usage)
{
    char line[STAT_BYTES];
    int64_t pages = 0;
    if (!read_line("/proc/self/statm", line) || sscanf(line, "%*d %" SCNd64, &pages) != 1) {
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
    const char *field = strrchr(line, ')'); // the command's name may hold anything
    for (int number = FIELD_COMMAND; field != NULL && number < FIELD_START; number++) {
        field = strchr(field + 1, ' ');
    }
    if (field == NULL || sscanf(field, "%" SCNd64, &ticks) != 1) {
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

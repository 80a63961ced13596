#include "support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/probe.h"

enum { PATH_BYTES = 64 };

static bool is_release;

void memory_use_release(void)
{
    const char *program = getenv("PROVISION_TEST_RELEASE_WORKER");
    is_release = program != NULL && setenv("PROVISION_TEST_WORKER", program, 1) == 0;
    if (!is_release && getenv("CI") != NULL) {
        (void)fprintf(stderr, "PROVISION_TEST_RELEASE_WORKER is not set: tests/run builds it\n");
        exit(EXIT_FAILURE);
    }
}

// Resident memory at its highest, by the kernel.
static double peak_bytes(const Process *worker)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)worker->pid);
    char *text = process_read_log(path);
    const char *found = strstr(text, "VmHWM:");
    double kib = found == NULL ? 0 : strtod(found + strlen("VmHWM:"), NULL);
    free(text);
    return kib * 1024;
}

void memory_expect_bounded(const Process *worker)
{
    double bound = probe_metric(worker, "provision_memory_bound_bytes");
    double peak = peak_bytes(worker);
    print_message("memory: %.0f MiB of at most %.0f MiB%s\n", peak / 1024 / 1024,
                  bound / 1024 / 1024, is_release ? "" : " (not checked: a build with sanitizers)");
    assert_true(bound > 0 && peak > 0);
    assert_true(!is_release || peak <= bound);
}

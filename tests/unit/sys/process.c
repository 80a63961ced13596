#include "sys/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

// In a child, because none of it can be taken back. Its status says what didn't hold.
static int harden_and_look(void)
{
    struct rlimit limit = {.rlim_cur = 1};
    Error err = ERROR_INIT;
    if (!process_harden(&err) || err.kind != ERROR_NONE) {
        return 1;
    }
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0) {
        return 2;
    }
    if (umask(0) != (S_IRWXG | S_IRWXO)) {
        return 3;
    }
#if !UNIT_SANITIZED
    if (prctl(PR_GET_DUMPABLE) != 0) {
        return 4;
    }
#endif
    return process_harden(&err) ? 0 : 5;
}

static void a_hardened_process_leaves_no_core_and_no_open_files(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(harden_and_look());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hardened_process_leaves_no_core_and_no_open_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sys/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

#ifdef PROVISION_CRASH_POINTS

// Passes three points in a process of its own; returns how that ended (waitpid).
static int pass_three(const char *wish)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fclose(stderr);
        setenv("CRASH_POINT_AT", wish, 1);
        crash_point(CRASH_INTENT_AFTER, "CreateEnvironment", "create_project");
        crash_point(CRASH_INTENT_AFTER, "BranchEnvironment", "create_branch");
        crash_point(CRASH_END_AFTER, NULL, NULL);
        _Exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        int rest = 0;
        assert_int_equal(waitpid(pid, &rest, 0), pid);
    }
    return status;
}

static void assert_ends(const char *wish, int signal_number)
{
    int status = pass_three(wish);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signal_number);
}

static void assert_passes(const char *wish)
{
    int status = pass_three(wish);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void the_first_point_that_matches_stops(void **state)
{
    (void)state;
    assert_ends("intent.after", SIGABRT);
    assert_ends("intent.after/BranchEnvironment", SIGABRT);
    assert_ends("intent.after/CreateEnvironment/create_project=kill", SIGKILL);
    assert_ends("transaction.end.after=kill", SIGKILL);
    assert_ends("call.before,transaction.end.after=kill", SIGKILL);
    assert_true(WIFSTOPPED(pass_three("transaction.end.after=stop")));
}

static void the_nth_passing_stops(void **state)
{
    (void)state;
    assert_ends("intent.after#2=kill", SIGKILL);
    assert_passes("intent.after#3");
    assert_passes("intent.after/CreateEnvironment#2");
}

static void what_does_not_match_is_passed(void **state)
{
    (void)state;
    assert_passes("");
    assert_passes("intent");
    assert_passes("intent.after/Create");
    assert_passes("transaction.end.after/CreateEnvironment");
}

static void what_is_passed_is_traced(void **state)
{
    const char *file = scratch_path(state, "trace");
    char text[256] = "";
    setenv("CRASH_POINT_TRACE", file, 1);
    crash_point(CRASH_CALL_BEFORE, "CreateEnvironment", "create_project");
    crash_point(CRASH_BEGIN_BEFORE, NULL, NULL);
    unsetenv("CRASH_POINT_TRACE");
    FILE *stream = fopen(file, "re");
    assert_non_null(stream);
    size_t size = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[size] = '\0';
    assert_string_equal(text,
                        "call.before/CreateEnvironment/create_project\ntransaction.begin.before\n");
}

static void a_held_thread_goes_on_when_the_fifo_is_opened(void **state)
{
    const char *fifo = scratch_path(state, "hold");
    int status = 0;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    setenv("CRASH_POINT_HOLD", fifo, 1);
    pid_t opener = fork();
    assert_true(opener >= 0);
    if (opener == 0) {
        _exit(open(fifo, O_WRONLY) >= 0 ? 0 : 1); // waits for the one that holds
    }
    assert_passes("call.before,transaction.end.after=hold");
    unsetenv("CRASH_POINT_HOLD");
    assert_int_equal(waitpid(opener, &status, 0), opener);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_point_that_matches_stops),
        cmocka_unit_test(the_nth_passing_stops),
        cmocka_unit_test(what_does_not_match_is_passed),
        cmocka_unit_test_setup_teardown(what_is_passed_is_traced, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_held_thread_goes_on_when_the_fifo_is_opened,
                                        scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; // built without crash points
}

#endif

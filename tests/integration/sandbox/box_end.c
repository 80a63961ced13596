/* Ways in which a box ends by itself, or does not begin. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"

const char *box_complaint(const Box *box, const char *arguments)
{
    char text[2048];
    // NOLINTNEXTLINE(cert-env33-c): a fixed command
    FILE *output = popen(
        box_text("%s --state %s --port 0 %s 2>&1 >/dev/null", NEON_SANDBOX, box->dir, arguments),
        "r");
    assert_non_null(output);
    size_t bytes = fread(text, 1, sizeof(text) - 1, output);
    text[bytes] = '\0';
    assert_int_equal(WEXITSTATUS(pclose(output)), 70);
    return box_text("%s", text);
}

pid_t box_kill_soon(const Box *box, int least_ms, int most_ms)
{
    long moment_ms = least_ms + random() % (most_ms - least_ms);
    pid_t killer = fork();
    if (killer == 0) {
        sigset_t alarms;
        int number = 0;
        struct itimerval timer = {.it_value = {.tv_usec = moment_ms * 1000}};
        sigemptyset(&alarms);
        sigaddset(&alarms, SIGALRM);
        sigprocmask(SIG_BLOCK, &alarms, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
        sigwait(&alarms, &number);
        kill(box->pid, SIGKILL);
        _exit(0);
    }
    return killer;
}

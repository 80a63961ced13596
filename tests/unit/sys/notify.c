#include "sys/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

// The manager's end of the socket.
static int manager_open(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    assert_true(length < sizeof address.sun_path);
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void assert_received(int manager, const char *wanted)
{
    char message[256] = "";
    ssize_t size = recv(manager, message, sizeof message - 1, 0);
    assert_int_equal(size, strlen(wanted));
    assert_string_equal(message, wanted);
}

static int forget_environment(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

static void messages_reach_a_socket_of_either_kind(void **state)
{
    (void)state;
    char dir[] = "/tmp/notify-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[64];
    char abstract[64];
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    (void)snprintf(abstract, sizeof abstract, "@notify-test-%ld", (long)getpid());
    const char *const NAMES[] = {path, abstract};
    for (size_t i = 0; i < UNIT_COUNT(NAMES); i++) {
        Notify notify;
        int manager = manager_open(NAMES[i]);
        notify_open(&notify);
        assert_true(notify_is_open(&notify));
        assert_true(notify_send(&notify, "READY=1\nSTATUS=fine"));
        assert_received(manager, "READY=1\nSTATUS=fine");
        notify_close(&notify);
        assert_false(notify_is_open(&notify));
        close(manager);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void without_a_manager_nothing_is_sent(void **state)
{
    (void)state;
    static const char *const NAMES[] = {NULL,          "", "@", "relative", "/nowhere/at/all",
                                        "vsock:2:1234"};
    for (size_t i = 0; i < UNIT_COUNT(NAMES); i++) {
        Notify notify;
        if (NAMES[i] != NULL) {
            assert_int_equal(setenv("NOTIFY_SOCKET", NAMES[i], 1), 0);
        }
        assert_int_equal(setenv("WATCHDOG_USEC", "3000000", 1), 0);
        notify_open(&notify);
        assert_false(notify_is_open(&notify));
        assert_int_equal(notify.watchdog_interval_ms, 0);
        assert_false(notify_send(&notify, "READY=1"));
        notify_close(&notify);
    }
}

static void a_manager_that_does_not_read_holds_up_nothing(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof name, "@notify-full-%ld", (long)getpid());
    int manager = manager_open(name);
    Notify notify;
    notify_open(&notify);
    bool taken = true;
    for (int i = 0; i < 100000 && taken; i++) {
        taken = notify_send(&notify, "STATUS=again");
    }
    assert_false(taken);
    close(manager);
    assert_false(notify_send(&notify, "STATUS=gone"));
    notify_close(&notify);
}

static void the_watchdog_is_told_to_one_process(void **state)
{
    (void)state;
    char own[32];
    (void)snprintf(own, sizeof own, "%ld", (long)getpid());
    const struct {
        const char *usec;
        const char *pid;
        int64_t interval_ms;
    } CASES[] = {
        {"3000000", NULL, 3000}, {"3000000", own, 3000}, {"3000000", "1", 0}, {"", NULL, 0},
        {"-5", NULL, 0},         {"3s", NULL, 0},        {NULL, own, 0},
    };
    char name[64];
    (void)snprintf(name, sizeof name, "@notify-dog-%ld", (long)getpid());
    int manager = manager_open(name);
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        Notify notify;
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (CASES[i].usec != NULL) {
            setenv("WATCHDOG_USEC", CASES[i].usec, 1);
        }
        if (CASES[i].pid != NULL) {
            setenv("WATCHDOG_PID", CASES[i].pid, 1);
        }
        notify_open(&notify);
        assert_int_equal(notify.watchdog_interval_ms, CASES[i].interval_ms);
        notify_close(&notify);
    }
    close(manager);
}

#define NOTIFY_TEST(test) cmocka_unit_test_setup(test, forget_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NOTIFY_TEST(messages_reach_a_socket_of_either_kind),
        NOTIFY_TEST(without_a_manager_nothing_is_sent),
        NOTIFY_TEST(a_manager_that_does_not_read_holds_up_nothing),
        NOTIFY_TEST(the_watchdog_is_told_to_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

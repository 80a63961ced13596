/* What is kept over restarts without clusters: that it is all there, and what is said where it
 * can't be. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"

static Box box;

static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "5", NULL};

static int start(void **state)
{
    (void)state;
    box_start_kept(&box, ARGUMENTS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void crash(void)
{
    box_kill(&box);
    box_restart(&box, ARGUMENTS);
}

enum { LOAD_MOST = 4000 };

static void kills_during_a_load_lose_nothing_that_was_told(void **state)
{
    (void)state;
    static const char *paths[LOAD_MOST];
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"load\"}}");
    const char *id = box_string(made.json, "project.id");
    int count = 0;
    for (int round = 0; round < 6; round++) {
        pid_t killer = box_kill_soon(&box, 50, 750);
        long status = 201;
        while (status == 201 && count < LOAD_MOST) {
            REPLY branch = box_call(&box, "POST", box_text("/projects/%s/branches", id),
                                    box_text("{\"branch\":{\"name\":\"b%d\"}}", count));
            status = branch.status;
            if (status == 201) {
                paths[count++] =
                    box_text("/projects/%s/branches/%s", id, box_string(branch.json, "branch.id"));
            }
            status = status == 423 ? 201 : status;
        }
        assert_int_equal(status, 0);
        waitpid(killer, NULL, 0);
        crash();
        box_wait(&box, id);
    }
    assert_true(count > 10);
    for (int i = 0; i < count; i++) {
        REPLY branch = box_call(&box, "GET", paths[i], NULL);
        assert_int_equal(branch.status, 200);
        assert_string_equal(box_string(branch.json, "branch.name"), box_text("b%d", i));
        assert_string_equal(box_string(branch.json, "branch.current_state"), "ready");
    }
    REPLY counted = box_call(&box, "GET", box_text("/projects/%s/branches/count", id), NULL);
    /* The one whose reply got lost may be there. */
    assert_in_range(box_integer(counted.json, "count"), count + 1, count + 7);
}

static void keys_that_were_made_and_revoked_stay_so(void **state)
{
    (void)state;
    static const char PERSONAL[] = "sandbox-personal-key";
    REPLY kept = box_call_as(&box, PERSONAL, NULL, "POST", "/api_keys", "{\"key_name\":\"kept\"}");
    REPLY gone = box_call_as(&box, PERSONAL, NULL, "POST", "/api_keys", "{\"key_name\":\"gone\"}");
    const char *revoke = box_text("/api_keys/%lld", (long long)box_integer(gone.json, "id"));
    REPLY revoked = box_call_as(&box, PERSONAL, NULL, "DELETE", revoke, NULL);
    assert_int_equal(revoked.status, 200);
    REPLY solo = box_call_as(&box, "sandbox-solo-key", NULL, "GET", "/api_keys", NULL);
    REPLY end =
        box_call_as(&box, "sandbox-solo-key", NULL, "DELETE",
                    box_text("/api_keys/%lld", (long long)box_integer(solo.json, "0.id")), NULL);
    assert_int_equal(end.status, 200);
    crash();
    REPLY with_kept =
        box_call_as(&box, box_string(kept.json, "key"), NULL, "GET", "/users/me", NULL);
    assert_int_equal(with_kept.status, 200);
    REPLY with_gone =
        box_call_as(&box, box_string(gone.json, "key"), NULL, "GET", "/users/me", NULL);
    assert_int_equal(with_gone.status, 401);
    REPLY with_given = box_call_as(&box, "sandbox-solo-key", NULL, "GET", "/users/me", NULL);
    assert_int_equal(with_given.status, 401);
    REPLY list = box_call_as(&box, PERSONAL, NULL, "GET", "/api_keys", NULL);
    REPLY next = box_call_as(&box, PERSONAL, NULL, "POST", "/api_keys", "{\"key_name\":\"next\"}");
    for (size_t i = 0; i < json_array_size(list.json); i++) {
        assert_true(box_integer(list.json, box_text("%zu.id", i)) != box_integer(next.json, "id"));
    }
}

static void deleted_projects_can_still_be_recovered(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"back\"}}");
    const char *path = box_text("/projects/%s", box_string(made.json, "project.id"));
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    crash();
    assert_int_equal(box_status(&box, "GET", path, NULL), 404);
    assert_int_equal(box_status(&box, "POST", box_text("%s/recover", path), NULL), 200);
    crash();
    assert_int_equal(box_status(&box, "GET", path, NULL), 200);
}

static bool is_gone(void *argument)
{
    return box_status(&box, "GET", argument, NULL) == 404;
}

static void branches_expire_over_a_restart(void **state)
{
    (void)state;
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    const char *id = box_string(made.json, "project.id");
    time_t soon = time(NULL) + 2;
    struct tm parts;
    char text[40];
    gmtime_r(&soon, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    REPLY branch = box_call(&box, "POST", box_text("/projects/%s/branches", id),
                            box_text("{\"branch\":{\"expires_at\":\"%s\"}}", text));
    assert_int_equal(branch.status, 201);
    box_wait(&box, id);
    crash();
    char path[200];
    snprintf(path, sizeof(path), "/projects/%s/branches/%s", id,
             box_string(branch.json, "branch.id"));
    box_until(is_gone, path, 20);
    box_wait(&box, id);
}

static void assert_refused(const char *arguments, const char *file, const char *reason)
{
    const char *error = box_complaint(&box, arguments);
    if (strstr(error, file) == NULL || strstr(error, reason) == NULL) {
        fail_msg("neither '%s' nor '%s' in: %s", file, reason, error);
    }
}

/* Bytes of the kept file, written over; those that were there go to `was`. */
static void overwrite(long offset, const char *bytes, char *was, size_t count)
{
    int file = open(box_text("%s/sandbox.db", box.dir), O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pread(file, was, count, offset), count);
    assert_int_equal(pwrite(file, bytes, count, offset), count);
    close(file);
}

static void a_folder_that_can_t_be_gone_on_with_is_named_and_left(void **state)
{
    (void)state;
    char was[512];
    char ignored[512];
    char noise[512];
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    const char *path = box_text("/projects/%s", box_string(made.json, "project.id"));
    box_end(&box);
    assert_refused("--ephemeral --no-compute", box.dir, "choose another folder");
    assert_refused("", box.dir, "--no-compute");
    memset(noise, 'x', sizeof(noise));
    /* https://www.sqlite.org/fileformat.html: the user version stands at 60. */
    overwrite(60, "\0\0\0\7", was, 4);
    assert_refused("--no-compute", "sandbox.db", "layout 7");
    overwrite(60, was, ignored, 4);
    overwrite(0, noise, was, sizeof(noise));
    assert_refused("--no-compute", "sandbox.db", "damaged");
    overwrite(0, was, ignored, sizeof(was));
    box_restart(&box, ARGUMENTS);
    assert_int_equal(box_status(&box, "GET", path, NULL), 200);
}

static void clusters_of_an_unknown_sandbox_are_left(void **state)
{
    (void)state;
    Box other = {0};
    snprintf(other.dir, sizeof(other.dir), "%.100s/other", box.dir);
    assert_int_equal(mkdir(other.dir, 0755), 0);
    assert_int_equal(mkdir(box_text("%s/clusters", other.dir), 0755), 0);
    assert_int_equal(mkdir(box_text("%s/clusters/br-x.1", other.dir), 0755), 0);
    close(open(box_text("%s/sandbox.lock", other.dir), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const char *error = box_complaint(&other, "--no-compute");
    assert_non_null(strstr(error, "sandbox.db is missing"));
    assert_int_equal(access(box_text("%s/clusters/br-x.1", other.dir), F_OK), 0);
    assert_int_equal(access(box_text("%s/sandbox.db", other.dir), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_during_a_load_lose_nothing_that_was_told),
        cmocka_unit_test(keys_that_were_made_and_revoked_stay_so),
        cmocka_unit_test(deleted_projects_can_still_be_recovered),
        cmocka_unit_test(branches_expire_over_a_restart),
        cmocka_unit_test(a_folder_that_can_t_be_gone_on_with_is_named_and_left),
        cmocka_unit_test(clusters_of_an_unknown_sandbox_are_left),
    };
    srandom((unsigned)time(NULL));
    return cmocka_run_group_tests(tests, start, stop);
}

/* Large projects: what a page costs doesn't grow with what there is, and a branch costs disk for
 * what changes where the file system can do that. */
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "login.h"

enum { FEW = 200, MANY = 2000, ROUNDS = 5, CALLS = 20, MOST_GROWTH = 3 };

/* CPU time bears what else runs on the machine; the best of some rounds bears it better. */
static double measure_cpu_ms(const Box *box, const char *path)
{
    clockid_t clock = 0;
    double best_ms = 0;
    assert_int_equal(clock_getcpuclockid(box->pid, &clock), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct timespec before;
        struct timespec after;
        assert_int_equal(clock_gettime(clock, &before), 0);
        for (int i = 0; i < CALLS; i++) {
            assert_int_equal(box_status(box, "GET", path, NULL), 200);
        }
        assert_int_equal(clock_gettime(clock, &after), 0);
        double took_ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
                         (double)(after.tv_nsec - before.tv_nsec) / 1e6;
        best_ms = round == 0 || took_ms < best_ms ? took_ms : best_ms;
    }
    return best_ms / CALLS;
}

static void add_branches(const Box *box, const char *project, int first, int count)
{
    for (int i = first; i < first + count;) {
        long status = box_status(box, "POST", box_text("%s/branches", project),
                                 box_text("{\"branch\":{\"name\":\"b-%05d-of-%d\"},"
                                          "\"endpoints\":[{\"type\":\"read_write\"}]}",
                                          i * 7919 % 10007, i));
        assert_true(status == 201 || status == 423);
        i += status == 201 ? 1 : 0;
    }
}

static const char *const PAGES[] = {
    "branches?limit=1",
    "branches?limit=1&sort_by=name&sort_order=asc",
    "branches?limit=1&sort_by=created_at&sort_order=desc",
    "branches?limit=1&search=B-0",
    "branches/count",
    "operations?limit=1",
};

enum { PAGE_COUNT = sizeof(PAGES) / sizeof(PAGES[0]) };

static void a_page_costs_the_same_in_a_larger_project(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", "--quiet", "--operation-ms", "0", NULL};
    Box box;
    double few_ms[PAGE_COUNT];
    box_start(&box, ARGUMENTS);
    REPLY made = box_create_project(&box, "{\"project\":{\"name\":\"large\"}}");
    const char *project = box_text("/projects/%s", box_string(made.json, "project.id"));
    add_branches(&box, project, 0, FEW);
    for (int i = 0; i < PAGE_COUNT; i++) {
        few_ms[i] = measure_cpu_ms(&box, box_text("%s/%s", project, PAGES[i]));
    }
    add_branches(&box, project, FEW, MANY - FEW);
    for (int i = 0; i < PAGE_COUNT; i++) {
        double many_ms = measure_cpu_ms(&box, box_text("%s/%s", project, PAGES[i]));
        print_message("%s: %.3f ms of %d, %.3f ms of %d\n", PAGES[i], few_ms[i], FEW, many_ms,
                      MANY);
        assert_true(many_ms <= few_ms[i] * MOST_GROWTH);
    }
    box_stop(&box);
}

static bool can_clone(const char *dir)
{
    const char *from_path = box_text("%s/from", dir);
    const char *to_path = box_text("%s/to", dir);
    int from = open(from_path, O_RDWR | O_CREAT, 0600);
    int to = open(to_path, O_WRONLY | O_CREAT, 0600);
    assert_true(from >= 0 && to >= 0);
    assert_int_equal(write(from, "data", 4), 4);
    bool cloned = ioctl(to, FICLONE, from) == 0;
    close(from);
    close(to);
    unlink(from_path);
    unlink(to_path);
    return cloned;
}

static bool log_has(const Box *box, const char *part)
{
    char line[4096];
    bool found = false;
    FILE *log = fopen(box->log, "re");
    assert_non_null(log);
    while (!found && fgets(line, sizeof(line), log) != NULL) {
        found = strstr(line, part) != NULL;
    }
    fclose(log);
    return found;
}

/* What it says is what its file system does. */
static bool check_sharing(const Box *box)
{
    bool shares = can_clone(box->dir);
    REPLY told = box_call(box, "GET", "/sandbox/state", NULL);
    const json_t *said = box_find(told.json, "shares_blocks");
    assert_true(json_is_boolean(said));
    assert_int_equal(json_is_true(said), shares);
    assert_int_equal(log_has(box, "branches share blocks with their parents"), shares);
    assert_int_equal(log_has(box, "branches are whole copies on disk"), !shares);
    return shares;
}

static void it_says_whether_branches_share_blocks(void **state)
{
    (void)state;
    Box box;
    LoginVersions versions = login_list_versions("--operation-ms", "10");
    box_start(&box, versions.arguments);
    check_sharing(&box);
    box_stop(&box);
}

typedef struct Image {
    char file[64];
    char folder[64];
} Image;

/* A file system of its own, or why there is none. */
static const char *mount_xfs(Image *image)
{
    *image = (Image){"/tmp/neon-sandbox-xfs-XXXXXX", "/tmp/neon-sandbox-mount-XXXXXX"};
    if (geteuid() != 0) {
        image->folder[0] = '\0';
        return "only root can mount";
    }
    int file = mkstemp(image->file);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, 1LL << 30), 0);
    close(file);
    assert_non_null(mkdtemp(image->folder));
    // NOLINTBEGIN(cert-env33-c): fixed commands
    const char *why =
        system(box_text("mkfs.xfs -q -m reflink=1 %s 2>/dev/null", image->file)) != 0
            ? "mkfs.xfs isn't here (xfsprogs)"
        : system(box_text("mount -o loop %s %s 2>/dev/null", image->file, image->folder)) != 0
            ? "XFS can't be mounted here"
            : NULL;
    // NOLINTEND(cert-env33-c)
    if (why != NULL) {
        rmdir(image->folder);
        unlink(image->file);
        image->folder[0] = '\0';
    }
    return why;
}

/* Also after a failure, while the sandbox there may still be ending. */
static int unmount(void **state)
{
    const Image *image = *state;
    if (image->folder[0] != '\0') {
        assert_int_equal(umount2(image->folder, MNT_DETACH), 0);
        rmdir(image->folder);
        unlink(image->file);
    }
    unsetenv("BOX_FOLDER");
    return 0;
}

static double read_used_mib(const char *path)
{
    struct statvfs info;
    sync(); /* blocks are given out when data is written */
    assert_int_equal(statvfs(path, &info), 0);
    return (double)(info.f_blocks - info.f_bfree) * (double)info.f_frsize / (1024 * 1024);
}

static const char DATA[] = "CREATE TABLE filler AS SELECT n, md5(n::text) a, md5((n + 1)::text) b "
                           "FROM generate_series(1, 300000) n; "
                           "SELECT pg_database_size('neondb') > 30000000";

static void measure_branch(const Image *image)
{
    Box box;
    const char *uri = NULL;
    LoginVersions versions = login_list_versions("--operation-ms", "10");
    box_start(&box, versions.arguments);
    assert_true(check_sharing(&box));
    REPLY made = login_create_project(&box, versions.majors[0], &uri);
    login_assert(&box, uri, DATA, "t");
    /* Else the first to read sets the hints of every row, which is a change, too. */
    login_assert(&box, uri, "VACUUM FREEZE filler", "");
    const char *id = box_string(made.json, "project.id");
    REPLY first = login_create_branch(&box, id, "first", &uri); /* the parent writes out its own */
    double before_mib = read_used_mib(image->folder);
    REPLY branch = login_create_branch(&box, id, "second", &uri);
    login_assert(&box, uri, "SELECT count(*) FROM filler", "300000");
    double cost_mib = read_used_mib(image->folder) - before_mib;
    print_message("a branch of 31 MB in a table took %.1f MiB\n", cost_mib);
    assert_true(cost_mib < 12);
    box_stop(&box);
}

static void a_branch_costs_disk_for_what_changes(void **state)
{
    static Image image;
    *state = &image;
    const char *why = mount_xfs(&image);
    if (why != NULL) {
        print_message("skipped: %s\n", why);
        skip();
    }
    setenv("BOX_FOLDER", image.folder, 1);
    measure_branch(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_costs_the_same_in_a_larger_project),
        cmocka_unit_test(it_says_whether_branches_share_blocks),
        cmocka_unit_test_teardown(a_branch_costs_disk_for_what_changes, unmount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

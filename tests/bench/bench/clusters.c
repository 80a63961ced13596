#include "bench/clusters.h"

#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bench/caller.h"
#include "bench/meter.h"
#include "login.h"
#include "support/cmocka.h"

enum { WAKE = 20, SUSPEND_SECONDS = 120, PATH_BYTES = 320, MIB = 1024 * 1024 };

static const char DATA[] = "CREATE TABLE filler AS SELECT n, md5(n::text) a, md5((n + 1)::text) b "
                           "FROM generate_series(1, 300000) n; SELECT count(*) FROM filler";

typedef struct Clusters {
    Box box;
    size_t count;
    const char **uris;
    double *made_ms;
    const char *project_id;
    double free_mib; // of the file system, before the first branch
    double used_mib; // of the state folder, likewise
} Clusters;

static double folder_bytes;

static int add_size(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)path;
    (void)type;
    (void)place;
    folder_bytes += (double)info->st_blocks * 512;
    return 0;
}

static double measure_folder_mib(const char *path)
{
    folder_bytes = 0;
    (void)nftw(path, add_size, 16, FTW_PHYS);
    return folder_bytes / MIB;
}

static double measure_free_mib(const char *path)
{
    struct statvfs info;
    sync(); // blocks are given out when data is written
    assert_int_equal(statvfs(path, &info), 0);
    return (double)info.f_bfree * (double)info.f_frsize / MIB;
}

static void begin(Clusters *clusters, const char *major)
{
    const char *uri = NULL;
    LoginVersions versions = login_list_versions("--operation-ms", "0");
    int count = 0;
    while (versions.arguments[count] != NULL) {
        count++;
    }
    versions.arguments[count++] = "--suspend-ms";
    versions.arguments[count++] = "1000";
    box_start(&clusters->box, versions.arguments);
    REPLY made = login_create_project(&clusters->box, major, &uri);
    clusters->project_id = box_text("%s", box_string(made.json, "project.id"));
    login_assert(&clusters->box, uri, DATA, "300000");
    // Else the first to read sets the hints of every row: a change of each branch.
    login_assert(&clusters->box, uri, "VACUUM FREEZE filler", "");
    clusters->used_mib = measure_folder_mib(clusters->box.dir);
    clusters->free_mib = measure_free_mib(clusters->box.dir);
}

static void make_branches(Clusters *clusters)
{
    for (size_t i = 0; i < clusters->count; i++) {
        int64_t begun_us = meter_now_us();
        REPLY made = login_create_branch(&clusters->box, clusters->project_id,
                                         box_text("preview-%04zu", i), &clusters->uris[i]);
        clusters->made_ms[i] = (double)(meter_now_us() - begun_us) / 1000;
    }
}

static size_t count_children(pid_t pid)
{
    char path[PATH_BYTES];
    long child = 0;
    size_t count = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    // NOLINTNEXTLINE(cert-err34-c): the kernel writes it
    while (fscanf(file, "%ld", &child) == 1) {
        count++;
    }
    (void)fclose(file);
    return count;
}

static bool is_asleep(void *argument)
{
    Clusters *clusters = argument;
    REPLY list = box_call(&clusters->box, "GET",
                          box_text("/projects/%s/endpoints", clusters->project_id), NULL);
    size_t i = 0;
    const json_t *endpoint = NULL;
    json_array_foreach(json_object_get(list.json, "endpoints"), i, endpoint)
    {
        if (strcmp(box_string(endpoint, "current_state"), "idle") != 0) {
            return false;
        }
    }
    return true;
}

static size_t count_files(pid_t pid, const char *prefix)
{
    char path[PATH_BYTES];
    size_t count = 0;
    DIR *folder = opendir(box_text("/proc/%ld/fd", (long)pid));
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char target[PATH_BYTES] = "";
        (void)snprintf(path, sizeof path, "/proc/%ld/fd/%s", (long)pid, entry->d_name);
        if (readlink(path, target, sizeof target - 1) > 0 &&
            strncmp(target, prefix, strlen(prefix)) == 0) {
            count++;
        }
    }
    (void)closedir(folder);
    return count;
}

static double resident_mib(pid_t pid)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen(box_text("/proc/%ld/status", (long)pid), "re");
    assert_non_null(file);
    while (kib == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kib = strtol(line + 6, NULL, 10);
        }
    }
    (void)fclose(file);
    return (double)kib / 1024;
}

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_times(const char *title, double *times_ms, size_t count)
{
    qsort(times_ms, count, sizeof times_ms[0], compare_numbers);
    print_message("%-36s p50 %.0f ms, p99 %.0f ms, max %.0f ms\n", title, times_ms[count / 2],
                  times_ms[(count - 1) * 99 / 100], times_ms[count - 1]);
}

static void print_costs(const Clusters *clusters)
{
    const char *dir = clusters->box.dir;
    pid_t pid = clusters->box.pid;
    double used_mib = measure_folder_mib(dir) - clusters->used_mib;
    double taken_mib = clusters->free_mib - measure_free_mib(dir);
    double each = (double)clusters->count;
    print_message("%-36s %.1f MiB a branch in files, %.1f MiB taken from the file system\n", "disk",
                  used_mib / each, taken_mib / each);
    print_message("%-36s %.1f MiB\n", "memory of the sandbox", resident_mib(pid));
    print_message("%-36s %zu, sockets among them %zu\n", "open files", count_files(pid, ""),
                  count_files(pid, "socket:"));
    print_message("%-36s %zu\n", "its processes (computes that run)", count_children(pid));
}

static void wake(Clusters *clusters)
{
    double times_ms[WAKE];
    size_t at = 0;
    for (size_t i = 0; i < WAKE; i++) {
        at = (at + 7919) % clusters->count; // a prime: none twice for a while
        int64_t begun_us = meter_now_us();
        login_assert(&clusters->box, clusters->uris[at], "SELECT count(*) FROM filler", "300000");
        times_ms[i] = (double)(meter_now_us() - begun_us) / 1000;
    }
    print_times("a login that wakes one (20 of them)", times_ms, WAKE);
}

void clusters_measure(size_t branches, const char *major)
{
    Clusters clusters = {.count = branches};
    clusters.uris = calloc(branches, sizeof *clusters.uris);
    clusters.made_ms = calloc(branches, sizeof *clusters.made_ms);
    assert_non_null(clusters.uris);
    assert_non_null(clusters.made_ms);
    begin(&clusters, major);
    int64_t begun_us = meter_now_us();
    make_branches(&clusters);
    print_message("\n%zu branches with clusters of PostgreSQL %s: made in %.1f s\n", branches,
                  major, (double)(meter_now_us() - begun_us) / 1e6);
    print_times("a branch with endpoint, until ready", clusters.made_ms, branches);
    box_until(is_asleep, &clusters, SUSPEND_SECONDS);
    print_costs(&clusters);
    wake(&clusters);
    box_stop(&clusters.box);
    free((void *)clusters.uris);
    free(clusters.made_ms);
}

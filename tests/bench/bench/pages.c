#include "bench/pages.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "bench/caller.h"
#include "bench/meter.h"
#include "support/cmocka.h"

enum { CALLS = 200, LONG_CALLS = 20, PAGE_MOST = 10000, KEPT_BYTES = 2048, MIX = 40503 };

typedef struct Pages {
    Box box;
    Caller *caller;
    const char *project; // "/projects/ID", the last one
} Pages;

static void begin(Pages *pages)
{
    static const char *const ARGUMENTS[] = {"--no-compute", "--quiet", "--operation-ms", "0", NULL};
    *pages = (Pages){0};
    box_start(&pages->box, ARGUMENTS);
    pages->caller = caller_open(&pages->box);
}

static void end(Pages *pages)
{
    caller_close(pages->caller);
    box_stop(&pages->box);
}

static void measure(const Pages *pages, const char *title, const char *path, size_t count)
{
    CallerFigures figures = caller_measure(pages->caller, path, count);
    print_message("%-46s %8.2f %8.2f %8.2f %8.2f %9zu\n", title, figures.p50_ms, figures.p99_ms,
                  figures.max_ms, figures.cpu_ms, figures.bytes / 1024);
}

static void print_head(void)
{
    print_message("%-46s %8s %8s %8s %8s %9s\n", "", "p50 ms", "p99 ms", "max ms", "CPU ms", "KiB");
}

static void add_project(Pages *pages, size_t number)
{
    json_t *made = caller_send(pages->caller, "POST", "/projects",
                               box_text("{\"project\":{\"name\":\"project-%06zu\"}}", number), 201);
    pages->project = box_text("/projects/%s", box_string(made, "project.id"));
    json_decref(made);
}

// Names in no order: every name is multiplied.
static void add_branches(Pages *pages, size_t first, size_t count)
{
    char body[256];
    const char *path = box_text("%s/branches", pages->project);
    for (size_t i = first; i < first + count; i++) {
        (void)snprintf(body, sizeof body,
                       "{\"branch\":{\"name\":\"preview-%05zu-of-%06zu\"},"
                       "\"endpoints\":[{\"type\":\"read_write\"}]}",
                       i * MIX % 100003, i);
        json_decref(caller_send(pages->caller, "POST", path, body, 201));
    }
}

// The cursor after about `skip` things, escaped for a URL.
static const char *find_cursor(const Pages *pages, const char *path, const char *member,
                               size_t skip, size_t page)
{
    char cursor[KEPT_BYTES] = "";
    CURL *curl = curl_easy_init();
    for (size_t at = 0; at < skip; at += page) {
        json_t *json = caller_send(
            pages->caller, "GET", cursor[0] == '\0' ? path : box_text("%s&cursor=%s", path, cursor),
            NULL, 200);
        char *escaped = curl_easy_escape(curl, box_string(json, member), 0);
        (void)snprintf(cursor, sizeof cursor, "%s", escaped);
        curl_free(escaped);
        json_decref(json);
    }
    curl_easy_cleanup(curl);
    return box_text("%s", cursor);
}

static void measure_order(const Pages *pages, const char *key, const char *direction,
                          size_t branches)
{
    const char *order =
        box_text("%s/branches?sort_by=%s&sort_order=%s", pages->project, key, direction);
    const char *name = box_text("by %s %s", key, direction);
    const char *page = box_text("%s&limit=100", order);
    measure(pages, box_text("%s, 100 first ones", name), page, CALLS);
    const char *walk = box_text("%s&limit=%d", order, PAGE_MOST);
    const char *next = find_cursor(pages, walk, "pagination.next", branches / 2, PAGE_MOST);
    measure(pages, box_text("%s, 100 in the middle", name), box_text("%s&cursor=%s", page, next),
            CALLS);
    next = find_cursor(pages, walk, "pagination.next", branches, PAGE_MOST);
    measure(pages, box_text("%s, the end", name), box_text("%s&cursor=%s", page, next), CALLS);
}

static void measure_branches(const Pages *pages, size_t branches)
{
    static const char *const KEYS[] = {"name", "created_at", "updated_at"};
    const char *list = box_text("%s/branches", pages->project);
    measure(pages, "branches, 1", box_text("%s?limit=1", list), CALLS);
    measure(pages, "branches, 100", box_text("%s?limit=100", list), CALLS);
    measure(pages, "branches, 1000", box_text("%s?limit=1000", list), LONG_CALLS);
    measure(pages, "branches, no limit (10000)", list, LONG_CALLS);
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        measure_order(pages, KEYS[i], "asc", branches);
        measure_order(pages, KEYS[i], "desc", branches);
    }
    const char *last = box_text("of-%06zu", branches - 1);
    measure(pages, "search: a name, no limit", box_text("%s?search=%s", list, last), CALLS);
    measure(pages, "search: nobody's name, no limit", box_text("%s?search=of-777777", list), CALLS);
    measure(pages, "search: part of every name, 100", box_text("%s?search=VIEW&limit=100", list),
            CALLS);
    json_t *one = caller_send(pages->caller, "GET", box_text("%s?limit=1", list), NULL, 200);
    const char *id = box_text("%s", box_string(one, "branches.0.id"));
    json_decref(one);
    measure(pages, "search: part of an id, no limit",
            box_text("%s?search=%s", list, id + strlen("br-")), CALLS);
    measure(pages, "count", box_text("%s/count", list), CALLS);
    measure(pages, "count, search", box_text("%s/count?search=%s", list, last), CALLS);
    measure(pages, "one branch", box_text("%s/%s", list, id), CALLS);
    measure(pages, "one branch's endpoints", box_text("%s/%s/endpoints", list, id), CALLS);
}

static void measure_operations(const Pages *pages, size_t branches)
{
    const char *list = box_text("%s/operations", pages->project);
    measure(pages, "operations, 1", box_text("%s?limit=1", list), CALLS);
    measure(pages, "operations, 100", box_text("%s?limit=100", list), CALLS);
    measure(pages, "operations, 1000", box_text("%s?limit=1000", list), LONG_CALLS);
    const char *walk = box_text("%s?limit=1000", list);
    const char *next = find_cursor(pages, walk, "pagination.cursor", branches, 1000);
    measure(pages, "operations, 100 in the middle", box_text("%s?limit=100&cursor=%s", list, next),
            CALLS);
    measure(pages, "endpoints (has no pages), all", box_text("%s/endpoints", pages->project), 3);
}

static void print_filled(const Pages *pages, int64_t begun_us, const char *what)
{
    print_message("\n%s: made in %.1f s, %.0f MiB\n", what,
                  (double)(meter_now_us() - begun_us) / 1e6, meter_peak_mib(pages->box.pid));
    print_head();
}

void pages_measure_project(size_t branches)
{
    Pages pages;
    begin(&pages);
    int64_t begun_us = meter_now_us();
    add_project(&pages, 0);
    add_branches(&pages, 0, branches);
    print_filled(&pages, begun_us, box_text("%zu branches in one project", branches));
    measure_branches(&pages, branches);
    measure_operations(&pages, branches);
    end(&pages);
}

void pages_measure_projects(size_t branches, size_t projects)
{
    Pages pages;
    size_t each = branches / projects;
    begin(&pages);
    int64_t begun_us = meter_now_us();
    for (size_t i = 0; i < projects; i++) {
        add_project(&pages, i);
        add_branches(&pages, i * each, each);
    }
    print_filled(&pages, begun_us, box_text("%zu projects of %zu branches", projects, each));
    const char *walk = "/projects?limit=400";
    measure(&pages, "projects, 10", "/projects", CALLS);
    measure(&pages, "projects, 100", "/projects?limit=100", CALLS);
    measure(&pages, "projects, 400 (most)", walk, CALLS);
    const char *next = find_cursor(&pages, walk, "pagination.cursor", projects / 2, 400);
    measure(&pages, "projects, 100 in the middle", box_text("/projects?limit=100&cursor=%s", next),
            CALLS);
    measure(&pages, "search: a name",
            box_text("/projects?limit=400&search=project-%06zu", projects - 1), CALLS);
    measure(&pages, "search: nobody's name", "/projects?limit=400&search=project-777777", CALLS);
    measure(&pages, "branches of one", box_text("%s/branches", pages.project), CALLS);
    measure(&pages, "endpoints of one", box_text("%s/endpoints", pages.project), CALLS);
    measure(&pages, "operations of one", box_text("%s/operations", pages.project), CALLS);
    end(&pages);
}

#include "ctl/event_report.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/event_sweep.h"
#include "ctl/role_changes.h"

enum { LINE_MAX_BYTES = 4096 };

static void free_json(json_t **json)
{
    json_decref(*json);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

// "1 project", "2 projects"; "1 branch", "2 branches".
static void append_count(Text *text, size_t count, const char *one, const char *more)
{
    text_printf(text, "%zu %s%s", count, one, count == 1 ? "" : more);
}

static size_t count_branches(const json_t *projects)
{
    size_t count = 0;
    size_t index = 0;
    const json_t *project = NULL;
    json_array_foreach(projects, index, project)
    {
        count += json_array_size(json_object_get(project, "branches"));
    }
    return count;
}

void event_report_inventory(Text *text, const json_t *body)
{
    const json_t *projects = json_object_get(body, "projects");
    long long pages = json_integer_value(json_object_get(body, "pages"));
    append_count(text, json_array_size(projects), "project", "s");
    text_append(text, ", ");
    append_count(text, count_branches(projects), "branch", "es");
    text_append(text, ", ");
    append_count(text, json_array_size(json_object_get(body, "regions")), "region", "s");
    if (pages > 1) {
        text_printf(text, "  page %lld of %lld",
                    (long long)json_integer_value(json_object_get(body, "page")), pages);
    }
}

void event_report_imported(Text *text, const json_t *body)
{
    append_count(text, json_array_size(json_object_get(body, "databases")), "database", "s");
    text_append(text, json_is_true(json_object_get(body, "loginWorks")) ? ", a login works"
                                                                        : ", no login works");
    size_t changes = json_array_size(json_object_get(body, "setupWouldChange"));
    if (changes > 0) {
        text_append(text, ", roles setup would make ");
        append_count(text, changes, "change", "s");
    }
}

static void print_branch(const Screen *screen, const json_t *branch, const json_t *branches,
                         int depth);

// A branch whose parent isn't listed stands at the top.
static bool is_child(const json_t *branch, const char *parent_id, const json_t *branches)
{
    const char *own = text_at(branch, "parentId");
    size_t index = 0;
    const json_t *other = NULL;
    if (parent_id[0] != '\0') {
        return strcmp(own, parent_id) == 0;
    }
    json_array_foreach(branches, index, other)
    {
        if (own[0] != '\0' && strcmp(text_at(other, "branchId"), own) == 0) {
            return false;
        }
    }
    return true;
}

static void print_children(const Screen *screen, const json_t *branches, const char *parent_id,
                           int depth)
{
    size_t index = 0;
    const json_t *branch = NULL;
    // no deeper than there are branches, whatever an event says
    if ((size_t)depth > json_array_size(branches)) {
        return;
    }
    json_array_foreach(branches, index, branch)
    {
        if (is_child(branch, parent_id, branches)) {
            print_branch(screen, branch, branches, depth);
        }
    }
}

static void print_branch(const Screen *screen, const json_t *branch, const json_t *branches,
                         int depth)
{
    (void)fprintf(screen->file, "%*s", 4 + 2 * depth, "");
    screen_print(screen, SCREEN_PLAIN, text_at(branch, "name"), 0);
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_DIM, text_at(branch, "branchId"), 0);
    (void)fputs(json_is_true(json_object_get(branch, "default")) ? "  default" : "", screen->file);
    (void)fputs(json_is_true(json_object_get(branch, "protected")) ? "  protected" : "",
                screen->file);
    (void)fputc('\n', screen->file);
    if (text_at(branch, "branchId")[0] != '\0') {
        print_children(screen, branches, text_at(branch, "branchId"), depth + 1);
    }
}

static void print_project(const Screen *screen, const json_t *project)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
    text_printf(&text, "%s  %s  PostgreSQL %lld", text_at(project, "projectId"),
                text_at(project, "regionId"),
                (long long)json_integer_value(json_object_get(project, "pgVersion")));
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_PLAIN, text_at(project, "name"), 0);
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_DIM, text_get(&text), 0);
    (void)fputc('\n', screen->file);
    print_children(screen, json_object_get(project, "branches"), "", 0);
}

static void print_list(const Screen *screen, const json_t *list, const char *title,
                       const char *first, const char *second)
{
    size_t index = 0;
    const json_t *element = NULL;
    json_array_foreach(list, index, element)
    {
        (void)fputs(index == 0 ? "  " : ", ", screen->file);
        if (index == 0) {
            screen_print(screen, SCREEN_DIM, title, 0);
            (void)fputs(" ", screen->file);
        }
        const char *name =
            json_is_string(element) ? json_string_value(element) : text_at(element, first);
        screen_print(screen, SCREEN_PLAIN, name, 0);
        if (second != NULL && text_at(element, second)[0] != '\0') {
            (void)fputs(" (", screen->file);
            screen_print(screen, SCREEN_PLAIN, text_at(element, second), 0);
            (void)fputs(")", screen->file);
        }
    }
    (void)fputs(index == 0 ? "" : "\n", screen->file);
}

static void print_inventory(const Screen *screen, const json_t *body)
{
    size_t index = 0;
    const json_t *project = NULL;
    json_array_foreach(json_object_get(body, "projects"), index, project)
    {
        print_project(screen, project);
    }
    print_list(screen, json_object_get(body, "regions"), "regions:", "regionId", NULL);
}

static void print_imported(const Screen *screen, const json_t *body)
{
    print_list(screen, json_object_get(body, "databases"), "databases (owner):", "name", "owner");
    print_list(screen, json_object_get(body, "extensions"), "extensions:", "", NULL);
    print_list(screen, json_object_get(body, "reservedRoles"),
               "roles with names that SetupRoles uses:", "", NULL);
    const json_t *changes = json_object_get(body, "setupWouldChange");
    if (json_array_size(changes) > 0) {
        (void)fputs("  ", screen->file);
        screen_print(screen, SCREEN_DIM, "roles setup would:", 0);
        (void)fputc('\n', screen->file);
        role_changes_list(screen, changes);
    }
}

void event_report_print(const Screen *screen, const ProvisionEvent *event)
{
    json_t *json CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    const json_t *inventory = json_object_get(json, "accountInventory");
    const json_t *imported = json_object_get(json, "environmentImported");
    const json_t *swept = json_object_get(json, "accountSwept");
    if (inventory != NULL) {
        print_inventory(screen, inventory);
    } else if (imported != NULL) {
        print_imported(screen, imported);
    } else if (swept != NULL) {
        event_sweep_print(screen, swept);
    }
    (void)fflush(screen->file);
}

bool event_report_goes_on(const ProvisionEvent *event)
{
    if (strcmp(event->type, "AccountInventory") != 0) {
        return false;
    }
    json_t *json CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    const json_t *body = json_object_get(json, "accountInventory");
    return json_integer_value(json_object_get(body, "page")) <
           json_integer_value(json_object_get(body, "pages"));
}

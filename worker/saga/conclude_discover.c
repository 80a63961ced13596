#include "saga/conclude_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "saga/inventory.h"

/*
 * The inventory as events of a bounded size: pages of whole projects. One with more branches than a
 * page should hold stands on several, each with some of them.
 */

enum { PAGE_BYTES = 128 * 1024, BRANCHES_AT_ONCE = 400 };

// A project with some of its branches.
typedef struct Part {
    Provisioning__V1__Project project;
    Provisioning__V1__Branch *storage;
    int page; // from 1
} Part;

typedef struct Parts {
    Part *list;
    size_t count;
} Parts;

static char *member(const json_t *object, const char *key)
{
    return conclude_text(json_string_value(json_object_get(object, key)));
}

static size_t parts_of(const json_t *project)
{
    size_t branches = json_array_size(json_object_get(project, "branches"));
    return branches == 0 ? 1 : (branches + BRANCHES_AT_ONCE - 1) / BRANCHES_AT_ONCE;
}

static void fill_part(const json_t *from, size_t first, Part *ret_part)
{
    const json_t *branches = json_object_get(from, "branches");
    size_t left = json_array_size(branches) - first;
    size_t count = left < BRANCHES_AT_ONCE ? left : BRANCHES_AT_ONCE;
    Provisioning__V1__Project *project = &ret_part->project;
    provisioning__v1__project__init(project);
    project->project_id = member(from, "project_id");
    project->name = member(from, "name");
    project->region_id = member(from, "region_id");
    project->pg_version = (int32_t)json_integer_value(json_object_get(from, "pg_version"));
    ret_part->storage = alloc_zeroed(count + 1, sizeof *ret_part->storage);
    project->branches = alloc_zeroed(count + 1, sizeof(Provisioning__V1__Branch *));
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(branches, first + i);
        Provisioning__V1__Branch *branch = &ret_part->storage[i];
        provisioning__v1__branch__init(branch);
        branch->branch_id = member(one, "branch_id");
        branch->name = member(one, "name");
        branch->parent_id = member(one, "parent_id");
        branch->default_ = json_is_true(json_object_get(one, "default"));
        branch->protected_ = json_is_true(json_object_get(one, "protected"));
        project->branches[project->n_branches++] = branch;
    }
}

static Parts new_parts(const json_t *projects)
{
    Parts parts = {.list = NULL};
    for (size_t i = 0; i < json_array_size(projects); i++) {
        parts.count += parts_of(json_array_get(projects, i));
    }
    parts.list = alloc_zeroed(parts.count + 1, sizeof *parts.list);
    Part *next = parts.list;
    for (size_t i = 0; i < json_array_size(projects); i++) {
        const json_t *project = json_array_get(projects, i);
        for (size_t part = 0; part < parts_of(project); part++) {
            fill_part(project, part * BRANCHES_AT_ONCE, next++);
        }
    }
    return parts;
}

static void clear_parts(Parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free((void *)parts->list[i].project.branches);
        free(parts->list[i].storage);
    }
    free(parts->list);
}

// Which page each part stands on; returns how many there are.
static int number_pages(Parts *parts)
{
    int page = 1;
    size_t bytes = 0;
    for (size_t i = 0; i < parts->count; i++) {
        size_t size = provisioning__v1__project__get_packed_size(&parts->list[i].project);
        if (bytes > 0 && bytes + size > PAGE_BYTES) {
            page++;
            bytes = 0;
        }
        bytes += size;
        parts->list[i].page = page;
    }
    return page;
}

static void emit(Ending *ending, Provisioning__V1__AccountInventory *inventory)
{
    provisioning__v1__event__init(&ending->event);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ACCOUNT_INVENTORY;
    ending->event.account_inventory = inventory;
    if (inventory->page == inventory->pages) {
        conclude_add_event(ending, "AccountInventory");
        return;
    }
    Error err = ERROR_INIT;
    char transition[32];
    (void)snprintf(transition, sizeof transition, "inventory-%" PRId32, inventory->page);
    bool added = outcome_add_event(ending->conclusion->outcome, &ending->event,
                                   &ending->saga->command->writes, 0, transition, NULL, &err);
    assert(added); // pages are bounded
    (void)added;
}

static void emit_pages(Ending *ending, Parts *parts, Provisioning__V1__AccountInventory *inventory)
{
    Provisioning__V1__Project **list =
        alloc_zeroed(parts->count + 1, sizeof(Provisioning__V1__Project *));
    for (int page = 1; page <= inventory->pages; page++) {
        inventory->page = page;
        inventory->projects = list;
        inventory->n_projects = 0;
        for (size_t i = 0; i < parts->count; i++) {
            if (parts->list[i].page == page) {
                list[inventory->n_projects++] = &parts->list[i].project;
            }
        }
        emit(ending, inventory);
        inventory->n_regions = 0; // on the first page only
    }
    free((void *)list);
}

void conclude_discover(Ending *ending)
{
    const Journal *journal = &ending->saga->journal;
    const json_t *from = journal_note(journal, NOTE_REGIONS);
    size_t count = json_array_size(from);
    Provisioning__V1__Region *storage = alloc_zeroed(count + 1, sizeof *storage);
    Provisioning__V1__Region **regions =
        alloc_zeroed(count + 1, sizeof(Provisioning__V1__Region *));
    for (size_t i = 0; i < count; i++) {
        provisioning__v1__region__init(&storage[i]);
        storage[i].region_id = member(json_array_get(from, i), "region_id");
        storage[i].name = member(json_array_get(from, i), "name");
        regions[i] = &storage[i];
    }
    Parts parts = new_parts(journal_note(journal, NOTE_PROJECTS));
    Provisioning__V1__AccountInventory inventory;
    provisioning__v1__account_inventory__init(&inventory);
    inventory.account = conclude_text(ending->saga->command->writes.name);
    inventory.pages = number_pages(&parts);
    inventory.regions = regions;
    inventory.n_regions = count;
    emit_pages(ending, &parts, &inventory);
    clear_parts(&parts);
    free((void *)regions);
    free(storage);
}

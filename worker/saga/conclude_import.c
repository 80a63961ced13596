#include "saga/conclude_parts.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "saga/facts.h"

// Of a branch, https://neon.com/docs/manage/databases
typedef struct Report {
    Provisioning__V1__EnvironmentImported imported;
    Provisioning__V1__ImportedDatabase databases[ENVIRONMENT_NAMES_MAX];
    Provisioning__V1__ImportedDatabase *database_list[ENVIRONMENT_NAMES_MAX];
    char *extensions[ENVIRONMENT_NAMES_MAX];
    char *reserved[ENVIRONMENT_NAMES_MAX];
    ConcludeChanges changes;
} Report;

static char *member(const json_t *object, const char *key)
{
    return conclude_text(json_string_value(json_object_get(object, key)));
}

static void fill_databases(const Saga *saga, Report *report)
{
    size_t i;
    json_t *one;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_DATABASE_OWNERS)), i, one)
    {
        Provisioning__V1__ImportedDatabase *database = &report->databases[i];
        provisioning__v1__imported_database__init(database);
        database->name = member(one, "name");
        database->owner = member(one, "owner");
        report->database_list[i] = database;
        report->imported.n_databases = i + 1;
    }
    report->imported.databases = report->database_list;
}

static Report *new_report(const Saga *saga, EnvironmentMessage *message, const json_t *details)
{
    Report *report = alloc_zeroed(1, sizeof *report);
    Provisioning__V1__EnvironmentImported *imported = &report->imported;
    provisioning__v1__environment_imported__init(imported);
    imported->environment = &message->state;
    imported->login_works = json_is_true(json_object_get(details, FACT_LOGIN_WORKS));
    imported->extensions = report->extensions;
    imported->n_extensions =
        conclude_texts(saga, FACT_EXTENSIONS, report->extensions, ENVIRONMENT_NAMES_MAX);
    imported->reserved_roles = report->reserved;
    imported->n_reserved_roles =
        conclude_texts(saga, FACT_RESERVED, report->reserved, ENVIRONMENT_NAMES_MAX);
    fill_databases(saga, report);
    report->changes = conclude_changes(saga);
    imported->setup_would_change = report->changes.list;
    imported->n_setup_would_change = report->changes.count;
    return report;
}

void conclude_import(Ending *ending)
{
    const Saga *saga = ending->saga;
    bool is_new = !journal_has(&saga->journal, FACT_UNCHANGED);
    EnvironmentView view =
        is_new ? conclude_view_of_journal(saga) : conclude_view_of_row(&saga->ledger->environment);
    json_t *details =
        is_new ? environment_details(saga) : json_deep_copy(saga->ledger->environment.details);
    EnvironmentMessage message;
    view.details = details;
    environment_message(&view, &message);
    Report *report = new_report(saga, &message, details);
    ending->sequence = is_new ? saga->ledger->subject_sequence + 1 : 0;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_IMPORTED;
    ending->event.environment_imported = &report->imported;
    conclude_add_event(ending, "EnvironmentImported");
    if (is_new) {
        conclude_add_environment_state(ending, &message);
        conclude_set_row(ending, LEDGER_STATE_READY, &view, json_incref(details));
    }
    environment_message_clear(&message);
    conclude_changes_clear(&report->changes);
    free(report);
    json_decref(details);
}

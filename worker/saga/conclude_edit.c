#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "saga/conclude_parts.h"
#include "saga/facts.h"

// What the row keeps once the settings are as they were read last.
static json_t *new_details(const Saga *saga)
{
    json_t *details = json_deep_copy(saga->ledger->environment.details);
    json_object_update(details, unconst(journal_value(&saga->journal, FACT_PRESENT)));
    return details;
}

static bool has_changed(const Saga *saga)
{
    return !json_equal(journal_value(&saga->journal, FACT_BEFORE),
                       journal_value(&saga->journal, FACT_PRESENT));
}

// The event, and the environment's new state where it is another one than the row has.
static void end_with(Ending *ending, const char *type)
{
    const LedgerEnvironment *row = &ending->saga->ledger->environment;
    json_t *details = new_details(ending->saga);
    bool is_new = !json_equal(details, row->details);
    ending->sequence = is_new ? ending->saga->ledger->subject_sequence + 1 : 0;
    conclude_add_event(ending, type);
    if (is_new) {
        conclude_set_details(ending, details);
    } else {
        json_decref(details);
    }
}

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

// The other environments of the project, of whatever application, find out by themselves.
static void tell_siblings(Ending *ending)
{
    size_t i;
    json_t *sibling;
    json_array_foreach(unconst(journal_value(&ending->saga->journal, FACT_SIBLINGS)), i, sibling)
    {
        Provisioning__V1__EditProject edit;
        Provisioning__V1__Command command;
        provisioning__v1__edit_project__init(&edit);
        provisioning__v1__command__init(&command);
        edit.environment = conclude_text(member(sibling, "environment"));
        edit.refresh = true;
        command.application_id = conclude_text(member(sibling, "application"));
        command.action_case = PROVISIONING__V1__COMMAND__ACTION_EDIT_PROJECT;
        command.edit_project = &edit;
        CLEANUP(text_clear) Text identity = TEXT_INIT(NAME_APPLICATION_BYTES + 80);
        text_printf(&identity, "refresh/%s/%s", command.application_id, edit.environment);
        outcome_add_command(ending->conclusion->outcome, &command, text_get(&identity));
    }
}

static size_t name_siblings(const Saga *saga, Text *texts, char **ret_names)
{
    size_t count = 0;
    size_t i;
    json_t *sibling;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_SIBLINGS)), i, sibling)
    {
        bool is_own = strcmp(member(sibling, "application"), saga->command->application_id) == 0;
        texts[i] = TEXT_INIT(NAME_APPLICATION_BYTES + NAME_ENVIRONMENT_BYTES);
        text_printf(&texts[i], "%s%s%s", is_own ? "" : member(sibling, "application"),
                    is_own ? "" : "/", member(sibling, "environment"));
        ret_names[count++] = conclude_text(text_get(&texts[i]));
    }
    return count;
}

void conclude_edit_project(Ending *ending)
{
    const Saga *saga = ending->saga;
    const Journal *journal = &saga->journal;
    Text texts[SAGA_DEPENDENTS_MAX];
    char *names[SAGA_DEPENDENTS_MAX];
    Provisioning__V1__ProjectEdited edited;
    provisioning__v1__project_edited__init(&edited);
    edited.environment = conclude_text(saga->command->writes.name);
    edited.project_id = conclude_text(journal_text(journal, FACT_PROJECT_ID));
    edited.changed = has_changed(saga);
    edited.history_retention_seconds_before =
        json_integer_value(json_object_get(journal_value(journal, FACT_BEFORE), FACT_RETENTION));
    edited.history_retention_seconds_after =
        json_integer_value(json_object_get(journal_value(journal, FACT_PRESENT), FACT_RETENTION));
    edited.sibling_environments = names;
    edited.n_sibling_environments = name_siblings(saga, texts, names);
    edited.siblings_omitted = (int32_t)journal_number(journal, FACT_SIBLINGS_OMITTED);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_PROJECT_EDITED;
    ending->event.project_edited = &edited;
    end_with(ending, "ProjectEdited");
    if (edited.changed) {
        tell_siblings(ending);
    }
    for (size_t i = 0; i < edited.n_sibling_environments; i++) {
        text_clear(&texts[i]);
    }
}

typedef struct Settings {
    Provisioning__V1__EndpointSettings message;
    Google__Protobuf__DoubleValue min_cu, max_cu;
    Google__Protobuf__Int64Value suspend;
} Settings;

static void fill_settings(const json_t *values, Settings *ret_settings)
{
    provisioning__v1__endpoint_settings__init(&ret_settings->message);
    google__protobuf__double_value__init(&ret_settings->min_cu);
    google__protobuf__double_value__init(&ret_settings->max_cu);
    google__protobuf__int64_value__init(&ret_settings->suspend);
    ret_settings->min_cu.value = json_number_value(json_object_get(values, FACT_MIN_CU));
    ret_settings->max_cu.value = json_number_value(json_object_get(values, FACT_MAX_CU));
    ret_settings->suspend.value = json_integer_value(json_object_get(values, FACT_SUSPEND));
    ret_settings->message.autoscaling_limit_min_cu = &ret_settings->min_cu;
    ret_settings->message.autoscaling_limit_max_cu = &ret_settings->max_cu;
    ret_settings->message.suspend_timeout_seconds = &ret_settings->suspend;
}

void conclude_edit_endpoint(Ending *ending)
{
    const Saga *saga = ending->saga;
    Settings before;
    Settings after;
    fill_settings(journal_value(&saga->journal, FACT_BEFORE), &before);
    fill_settings(journal_value(&saga->journal, FACT_PRESENT), &after);
    Provisioning__V1__EndpointEdited edited;
    provisioning__v1__endpoint_edited__init(&edited);
    edited.environment = conclude_text(saga->command->writes.name);
    edited.changed = has_changed(saga);
    edited.before = &before.message;
    edited.after = &after.message;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENDPOINT_EDITED;
    ending->event.endpoint_edited = &edited;
    end_with(ending, "EndpointEdited");
}

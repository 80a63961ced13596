#include "ctl/event_details.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/enum_text.h"
#include "ctl/event_edits.h"
#include "ctl/event_report.h"
#include "ctl/event_sweep.h"
#include "ctl/role_changes.h"

// What a line shows of a body: the values at these paths, each with its label in front.
typedef struct Detail {
    const char *type;
    const char *path;
    const char *label;
    const char *prefix; // of an enum's names, or NULL
} Detail;

static const Detail DETAILS[] = {
    {"CommandAccepted", "action", "", NULL},
    {"StepFinished", "step", "", NULL},
    {"AccountConnected", "account.keyKind", "", "KEY_KIND_"},
    {"AccountConnected", "account.orgId", "organization", NULL},
    {"AccountConnected", "account.projectId", "project", NULL},
    {"EnvironmentCreated", "environment.projectId", "project", NULL},
    {"EnvironmentCreated", "environment.branchName", "branch", NULL},
    {"EnvironmentCreated", "environment.host", "host", NULL},
    {"EnvironmentBranched", "environment.sourceEnvironment", "from", NULL},
    {"EnvironmentBranched", "environment.projectId", "project", NULL},
    {"EnvironmentBranched", "environment.branchName", "branch", NULL},
    {"EnvironmentBranched", "environment.host", "host", NULL},
    {"EnvironmentBranched", "rotatedRoles", "rotated", NULL},
    {"EnvironmentBranched", "environment.expiresAt", "expires", NULL},
    {"EnvironmentImported", "environment.projectId", "project", NULL},
    {"EnvironmentImported", "environment.branchName", "branch", NULL},
    {"EnvironmentImported", "environment.host", "host", NULL},
    {"ProjectEdited", "projectId", "project", NULL},
    {"PreviewBaseSet", "environment", "", NULL},
    {"EnvironmentReset", "environment.sourceEnvironment", "to", NULL},
    {"EnvironmentReset", "environment.branchName", "branch", NULL},
    {"EnvironmentReset", "environment.host", "host", NULL},
    {"EnvironmentReset", "rotatedRoles", "rotated", NULL},
    {"EnvironmentDeleted", "projectId", "project", NULL},
    {"EnvironmentDeleted", "branchId", "branch", NULL},
    {"OrphanDeleted", "projectId", "project", NULL},
    {"OrphanDeleted", "branchId", "branch", NULL},
    {"CredentialsRotated", "roles", "", NULL},
    {"CredentialsIssued", "sealed.fleetKeyId", "for key", NULL},
    {"DriftReported", "code", "", NULL},
    {"DriftReported", "message", "", NULL},
    {"DriftReported", "resources", "", NULL},
    {"CancelAccepted", "commandId", "of", NULL},
    {"CancelAccepted", "action", "", NULL},
    {"CommandCancelled", "cancelledBy", "by", NULL},
    {"CommandCancelled", "undone", "undone", NULL},
    {"CommandCancelled", "left", "left", NULL},
    {"CommandSuperseded", "supersededBy", "by", NULL},
    {"CommandSuperseded", "undone", "undone", NULL},
    {"CommandSuperseded", "left", "left", NULL},
    {"CommandRejected", "code", "", NULL},
    {"CommandRejected", "message", "", NULL},
    {"CommandFailed", "code", "", NULL},
    {"CommandFailed", "message", "", NULL},
    {"CommandFailed", "step", "step", NULL},
    {"CommandFailed", "neonRequestId", "Neon's request", NULL},
    {"CommandFailed", "undone", "undone", NULL},
    {"CommandFailed", "left", "left", NULL},
};

static const json_t *value_at(const json_t *json, const char *path)
{
    const char *dot = strchr(path, '.');
    if (dot == NULL) {
        return json_object_get(json, path);
    }
    char key[64];
    size_t length = (size_t)(dot - path);
    memcpy(key, path, length);
    key[length] = '\0';
    return value_at(json_object_get(json, key), dot + 1);
}

static void append_value(Text *text, const json_t *value)
{
    size_t index = 0;
    const json_t *element = NULL;
    if (json_is_string(value)) {
        text_append(text, json_string_value(value));
    }
    json_array_foreach(value, index, element)
    {
        text_append(text, index == 0 ? "" : ", ");
        append_value(text, element);
    }
}

static void append_detail(Text *text, const Detail *detail, const json_t *value)
{
    text_append(text, text->length == 0 ? "" : "  ");
    text_append(text, detail->label);
    text_append(text, detail->label[0] == '\0' ? "" : " ");
    if (detail->prefix != NULL && json_is_string(value)) {
        enum_text_append(text, json_string_value(value), detail->prefix);
    } else {
        append_value(text, value);
    }
}

static void append_details(Text *text, const json_t *body, const char *type)
{
    for (size_t i = 0; i < sizeof(DETAILS) / sizeof(DETAILS[0]); i++) {
        const json_t *value =
            strcmp(DETAILS[i].type, type) == 0 ? value_at(body, DETAILS[i].path) : NULL;
        if (value != NULL) {
            append_detail(text, &DETAILS[i], value);
        }
    }
}

// A repeated create or branch changes nothing: the body lacks "created": true.
static bool found_it_there(const json_t *body, const char *type)
{
    bool creates =
        strcmp(type, "EnvironmentCreated") == 0 || strcmp(type, "EnvironmentBranched") == 0;
    return creates && !json_is_true(json_object_get(body, "created"));
}

// What takes more than a look at a path.
static const struct {
    const char *type;
    void (*append)(Text *text, const json_t *body);
} SUMMARIES[] = {
    {"RolesConfigured", role_changes_summary},      {"ProjectEdited", event_edits_project},
    {"EndpointEdited", event_edits_endpoint},       {"AccountInventory", event_report_inventory},
    {"EnvironmentImported", event_report_imported}, {"AccountSwept", event_sweep_summary},
};

static void append_word(Text *text, const json_t *body, const char *member, const char *word)
{
    if (json_is_true(json_object_get(body, member))) {
        text_append(text, text->length == 0 ? "" : "  ");
        text_append(text, word);
    }
}

void event_details_append(Text *text, const json_t *body, const char *type)
{
    append_details(text, body, type);
    for (size_t i = 0; i < sizeof(SUMMARIES) / sizeof(SUMMARIES[0]); i++) {
        if (strcmp(SUMMARIES[i].type, type) == 0) {
            text_append(text, text->length == 0 ? "" : "  ");
            SUMMARIES[i].append(text, body);
        }
    }
    append_word(text, body, "replaced", "(another key than before)");
    append_word(text, body, "forgottenOnly", "(only forgotten: it was imported)");
    append_word(text, body, "projectDeleted", "(the whole project)");
    bool is_orphan = strcmp(type, "OrphanDeleted") == 0;
    if (is_orphan && !json_is_true(json_object_get(body, "deleted"))) {
        text_append(text, "  (was gone already)");
    }
    if (found_it_there(body, type)) {
        text_append(text, "  (was there already)");
    }
}

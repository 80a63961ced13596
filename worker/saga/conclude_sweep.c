#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "saga/conclude_parts.h"
#include "saga/facts.h"
#include "saga/sweep.h"

typedef Provisioning__V1__SweepVerdict SweepVerdict;

// A finding, and all that its message points to.
typedef struct Finding {
    Provisioning__V1__SweepFinding message;
    Google__Protobuf__Timestamp created_at, expires_at;
    char sent_command_id[UUID_TEXT_BYTES];
} Finding;

typedef struct Findings {
    Finding *storage;
    Provisioning__V1__SweepFinding **list;
    size_t count;
} Findings;

static char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return conclude_text(text != NULL ? text : "");
}

static Google__Protobuf__Timestamp *timestamp_of(const json_t *object, const char *key,
                                                 Google__Protobuf__Timestamp *storage)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return NULL;
    }
    google__protobuf__timestamp__init(storage);
    storage->seconds = json_integer_value(value) / 1000;
    storage->nanos = (int32_t)(json_integer_value(value) % 1000) * 1000000;
    return storage;
}

static Verdict verdict_in(const json_t *finding)
{
    return (Verdict)json_integer_value(json_object_get(finding, "verdict"));
}

static SweepVerdict verdict_message(Verdict verdict)
{
    static const SweepVerdict MESSAGES[VERDICT_COUNT_OF] = {
        [VERDICT_ORPHAN] = PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_ORPHAN,
        [VERDICT_EXPIRED] = PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_EXPIRED,
        [VERDICT_IN_FLIGHT] = PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_IN_FLIGHT,
        [VERDICT_UNKNOWN_COMMAND] = PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_UNKNOWN_COMMAND,
        [VERDICT_FAILED_ENVIRONMENT] =
            PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_FAILED_ENVIRONMENT,
        [VERDICT_DOUBTFUL] = PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_DOUBTFUL,
    };
    return MESSAGES[verdict];
}

// What the command for it is called among those of this sweep.
static void identify(const json_t *finding, Text *ret_identity)
{
    text_printf(ret_identity, "sweep/%s/%s/%s", text_of(finding, "project"),
                text_of(finding, "branch"), text_of(finding, "environment"));
}

enum { IDENTITY_BYTES = 2 * NAME_NEON_ID_BYTES + NAME_ENVIRONMENT_BYTES + 16 };

static void fill(const Ending *ending, const json_t *from, Finding *ret_finding)
{
    Provisioning__V1__SweepFinding *message = &ret_finding->message;
    provisioning__v1__sweep_finding__init(message);
    message->verdict = verdict_message(verdict_in(from));
    message->environment = text_of(from, "environment");
    message->command_id = text_of(from, "command");
    message->project_id = text_of(from, "project");
    message->branch_id = text_of(from, "branch");
    message->name = text_of(from, "name");
    message->is_project = json_is_true(json_object_get(from, "is_project"));
    message->created_at = timestamp_of(from, "created_at_ms", &ret_finding->created_at);
    message->expires_at = timestamp_of(from, "expires_at_ms", &ret_finding->expires_at);
    if (sweep_deletes_finding(ending->saga, from)) {
        CLEANUP(text_clear) Text identity = TEXT_INIT(IDENTITY_BYTES);
        identify(from, &identity);
        outcome_command_id(ending->conclusion->outcome, text_get(&identity),
                           ret_finding->sent_command_id);
        message->sent_command_id = ret_finding->sent_command_id;
    }
}

static Findings new_findings(const Ending *ending, const json_t *from)
{
    Findings findings = {.count = json_array_size(from)};
    findings.storage = alloc_zeroed(findings.count + 1, sizeof *findings.storage);
    findings.list = alloc_zeroed(findings.count + 1, sizeof(Provisioning__V1__SweepFinding *));
    for (size_t i = 0; i < findings.count; i++) {
        fill(ending, json_array_get(from, i), &findings.storage[i]);
        findings.list[i] = &findings.storage[i].message;
    }
    return findings;
}

static int32_t number(const Ending *ending, const char *note)
{
    return (int32_t)journal_note_number(&ending->saga->journal, note);
}

// ---- what follows

static void delete_orphan(Ending *ending, const json_t *finding, Provisioning__V1__Command *command,
                          const char *identity)
{
    const LedgerAccount *account = &ending->saga->ledger->account;
    Provisioning__V1__DeleteOrphan orphan;
    provisioning__v1__delete_orphan__init(&orphan);
    orphan.environment = text_of(finding, "environment");
    orphan.account = conclude_text(ending->saga->command->writes.name);
    orphan.project_id = text_of(finding, "project");
    orphan.branch_id = text_of(finding, "branch");
    orphan.command_id = text_of(finding, "command");
    orphan.neon_account_id = conclude_text(account->neon_account_id);
    // a key of one project doesn't list an organization's
    orphan.org_id = conclude_text(strcmp(account->key_kind, "project") != 0 ? account->org_id : "");
    command->action_case = PROVISIONING__V1__COMMAND__ACTION_DELETE_ORPHAN;
    command->delete_orphan = &orphan;
    outcome_add_command(ending->conclusion->outcome, command, identity);
}

static void close_preview(Ending *ending, const char *environment,
                          Provisioning__V1__Command *command, const char *identity)
{
    Provisioning__V1__ClosePreview close;
    provisioning__v1__close_preview__init(&close);
    close.pull_request = (int32_t)strtol(environment + strlen("pr:"), NULL, 10);
    close.if_expired = true;
    command->action_case = PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW;
    command->close_preview = &close;
    outcome_add_command(ending->conclusion->outcome, command, identity);
}

static void delete_environment(Ending *ending, const char *environment,
                               Provisioning__V1__Command *command, const char *identity)
{
    Provisioning__V1__DeleteEnvironment deletion;
    provisioning__v1__delete_environment__init(&deletion);
    deletion.environment = conclude_text(environment);
    deletion.if_expired = true;
    command->action_case = PROVISIONING__V1__COMMAND__ACTION_DELETE_ENVIRONMENT;
    command->delete_environment = &deletion;
    outcome_add_command(ending->conclusion->outcome, command, identity);
}

static void follow(Ending *ending, const json_t *finding)
{
    const char *environment = text_of(finding, "environment");
    Provisioning__V1__Command command;
    provisioning__v1__command__init(&command);
    command.application_id = conclude_text(ending->saga->command->application_id);
    command.requested_by = conclude_text("sweep");
    CLEANUP(text_clear) Text identity = TEXT_INIT(IDENTITY_BYTES);
    identify(finding, &identity);
    if (verdict_in(finding) == VERDICT_ORPHAN) {
        delete_orphan(ending, finding, &command, text_get(&identity));
    } else if (name_is_preview(environment)) {
        close_preview(ending, environment, &command, text_get(&identity));
    } else {
        delete_environment(ending, environment, &command, text_get(&identity));
    }
}

static size_t doubts_of(const Ending *ending, char **ret_doubts, size_t max)
{
    const json_t *doubts = journal_note(&ending->saga->journal, NOTE_SWEEP_DOUBTS);
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(doubts) && i < max; i++) {
        ret_doubts[count++] = conclude_text(json_string_value(json_array_get(doubts, i)));
    }
    return count;
}

enum { DOUBTS_MAX = 32 };

void conclude_sweep(Ending *ending)
{
    const Saga *saga = ending->saga;
    const json_t *found = journal_note(&saga->journal, NOTE_SWEEP_FINDINGS);
    char *doubts[DOUBTS_MAX];
    Findings findings = new_findings(ending, found);
    Provisioning__V1__AccountSwept swept;
    provisioning__v1__account_swept__init(&swept);
    swept.account = conclude_text(saga->command->writes.name);
    swept.deleting = sweep_deletes(saga);
    swept.projects = number(ending, NOTE_SWEEP_PROJECTS);
    swept.branches = number(ending, NOTE_SWEEP_BRANCHES);
    swept.marked = number(ending, NOTE_SWEEP_MARKED);
    swept.other_applications = number(ending, NOTE_SWEEP_OTHERS);
    swept.foreign = number(ending, NOTE_SWEEP_FOREIGN);
    swept.omitted = number(ending, NOTE_SWEEP_OMITTED);
    swept.doubts = doubts;
    swept.n_doubts = doubts_of(ending, doubts, DOUBTS_MAX);
    swept.findings = findings.list;
    swept.n_findings = findings.count;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ACCOUNT_SWEPT;
    ending->event.account_swept = &swept;
    conclude_add_event(ending, "AccountSwept");
    bool is_told = strcmp(ending->conclusion->type, "AccountSwept") == 0;
    for (size_t i = 0; i < findings.count && is_told; i++) {
        if (sweep_deletes_finding(saga, json_array_get(found, i))) {
            follow(ending, json_array_get(found, i));
        }
    }
    free((void *)findings.list);
    free(findings.storage);
}

void conclude_orphan(Ending *ending)
{
    const Saga *saga = ending->saga;
    const Journal *journal = &saga->journal;
    const Provisioning__V1__DeleteOrphan *orphan = saga->command->message->delete_orphan;
    Provisioning__V1__OrphanDeleted deleted;
    provisioning__v1__orphan_deleted__init(&deleted);
    deleted.environment = orphan->environment;
    deleted.project_id = orphan->project_id;
    deleted.branch_id = orphan->branch_id;
    deleted.command_id = orphan->command_id;
    // a deletion whose result was never read was ours, too
    deleted.deleted =
        journal_has(journal, FACT_ORPHAN_DELETED) || journal_number(journal, FACT_DOUBTS) > 0;
    deleted.project_deleted = deleted.deleted && journal_has(journal, FACT_ORPHAN_WHOLE);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ORPHAN_DELETED;
    ending->event.orphan_deleted = &deleted;
    conclude_add_event(ending, "OrphanDeleted");
}

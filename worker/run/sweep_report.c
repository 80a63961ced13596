#include "run/sweep_report.h"

#include <inttypes.h>
#include <string.h>

#include "base/instant.h"
#include "contract/framing.h"
#include "contract/json.h"

#define VERDICT(name) PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_##name

typedef Provisioning__V1__AccountSwept AccountSwept;
typedef Provisioning__V1__SweepFinding SweepFinding;
typedef Provisioning__V1__Event Event;

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };

static const struct {
    const char *name;
    const char *meaning;
} VERDICTS[SWEEP_VERDICTS] = {
    [VERDICT(UNSPECIFIED)] = {"unspecified", ""},
    [VERDICT(ORPHAN)] = {"orphan", "a finished command made it and no environment owns it: "
                                   "--delete removes it"},
    [VERDICT(EXPIRED)] = {"expired", "an environment past its expiry: --delete closes it"},
    [VERDICT(IN_FLIGHT)] = {"in_flight", "it is being made, or may be: look again later"},
    [VERDICT(UNKNOWN_COMMAND)] = {"unknown_command",
                                  "this ledger doesn't know the command that made it: never "
                                  "deleted by a sweep, look for yourself"},
    [VERDICT(FAILED_ENVIRONMENT)] = {"failed_environment",
                                     "left by an environment that failed: provisionctl send "
                                     "delete-environment removes it"},
    [VERDICT(DOUBTFUL)] = {"doubtful", "its command made another branch, or none, or it was "
                                       "deleted before: perhaps it is a person's copy, or was "
                                       "recovered at Neon, so look for yourself"},
};

const char *sweep_report_verdict(Provisioning__V1__SweepVerdict verdict)
{
    size_t index = (size_t)verdict;
    return VERDICTS[index < SWEEP_VERDICTS ? index : VERDICT(UNSPECIFIED)].name;
}

static bool is_outcome(const Event *event)
{
    return event->body_case != PROVISIONING__V1__EVENT__BODY_DRIFT_REPORTED &&
           event->body_case != PROVISIONING__V1__EVENT__BODY__NOT_SET;
}

Event *sweep_report_event(const OutcomeMessage *outcome)
{
    for (size_t i = outcome->n_records; i > 0; i--) {
        const Provisioning__Internal__V1__OutcomeRecord *record = outcome->records[i - 1];
        Bytes message;
        Error err = ERROR_INIT;
        if (record->topic != PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS ||
            !framing_open((Bytes){record->value.data, record->value.len}, &message, &err)) {
            continue;
        }
        Event *event = provisioning__v1__event__unpack(NULL, message.size, message.data);
        if (event != NULL && is_outcome(event)) {
            return event;
        }
        provisioning__v1__event__free_unpacked(event, NULL);
    }
    return NULL;
}

static void print_json(const SweepReport *report, const Event *event)
{
    json_t *json = json_from_message(&event->base);
    (void)json_dumpf(json, report->out, JSON_COMPACT);
    (void)fputc('\n', report->out);
    json_decref(json);
}

static const char *instant_of(const Google__Protobuf__Timestamp *instant,
                              char ret_text[INSTANT_TEXT_BYTES])
{
    if (instant == NULL) {
        return "";
    }
    instant_format_seconds(instant->seconds * MS_PER_S + instant->nanos / NS_PER_MS, ret_text);
    return ret_text;
}

static void print_finding(const SweepReport *report, const SweepFinding *finding)
{
    char created[INSTANT_TEXT_BYTES] = "";
    char expires[INSTANT_TEXT_BYTES] = "";
    (void)fprintf(report->out, "  %-18s %s: %s%s%s%s in %s", sweep_report_verdict(finding->verdict),
                  finding->environment, finding->is_project ? "the whole project of " : "branch ",
                  finding->branch_id, finding->name[0] == '\0' ? "" : " ", finding->name,
                  finding->project_id);
    if (finding->created_at != NULL) {
        (void)fprintf(report->out, ", created %s", instant_of(finding->created_at, created));
    }
    if (finding->expires_at != NULL) {
        (void)fprintf(report->out, ", expired %s", instant_of(finding->expires_at, expires));
    }
    if (finding->command_id[0] != '\0') {
        (void)fprintf(report->out, ", by command %s", finding->command_id);
    }
    (void)fprintf(report->out, "%s%s\n", finding->sent_command_id[0] == '\0' ? "" : "; goes by ",
                  finding->sent_command_id);
}

static void print_swept(const SweepReport *report, const Event *event)
{
    const AccountSwept *swept = event->account_swept;
    (void)fprintf(report->out,
                  "%s/%s: %" PRId32 " projects, %" PRId32 " branches; made by this application "
                  "%" PRId32 ", by others of this installation %" PRId32
                  ", by other installations %" PRId32 "\n",
                  event->application_id, swept->account, swept->projects, swept->branches,
                  swept->marked, swept->other_applications, swept->foreign);
    for (size_t i = 0; i < swept->n_doubts; i++) {
        (void)fprintf(report->out, "  nothing is deleted: %s\n", swept->doubts[i]);
    }
    for (size_t i = 0; i < swept->n_findings; i++) {
        print_finding(report, swept->findings[i]);
    }
    if (swept->omitted > 0) {
        (void)fprintf(report->out, "  and %" PRId32 " more\n", swept->omitted);
    }
}

void sweep_report_swept(SweepReport *report, const Event *event)
{
    const AccountSwept *swept = event->account_swept;
    report->accounts++;
    report->doubtful += swept->n_doubts > 0;
    report->omitted += (size_t)swept->omitted;
    for (size_t i = 0; i < swept->n_findings; i++) {
        size_t verdict = (size_t)swept->findings[i]->verdict;
        report->found[verdict < SWEEP_VERDICTS ? verdict : VERDICT(UNSPECIFIED)]++;
        report->sent += swept->findings[i]->sent_command_id[0] != '\0';
    }
    if (report->json) {
        print_json(report, event);
    } else {
        print_swept(report, event);
    }
}

// A refusal's or failure's code and message; NULL: it is none.
static const char *refusal_of(const Event *event, const char **ret_message)
{
    if (event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED) {
        *ret_message = event->command_rejected->message;
        return event->command_rejected->code;
    }
    if (event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED) {
        *ret_message = event->command_failed->message;
        return event->command_failed->code;
    }
    bool is_stopped = event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_CANCELLED ||
                      event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_SUPERSEDED;
    *ret_message = "another command has stopped it";
    return is_stopped ? "STOPPED" : NULL;
}

void sweep_report_removal(SweepReport *report, const Event *event)
{
    const char *message = "";
    const char *code = refusal_of(event, &message);
    bool was_gone = event->body_case == PROVISIONING__V1__EVENT__BODY_ORPHAN_DELETED &&
                    !event->orphan_deleted->deleted;
    report->refused += code != NULL;
    report->removed += code == NULL;
    report->gone += was_gone;
    if (report->json) {
        print_json(report, event);
    } else if (code == NULL) {
        (void)fprintf(report->out, "%s: %s (%s)\n", was_gone ? "gone already" : "deleted",
                      event->subject, event->command_id);
    } else {
        (void)fprintf(report->out, "stays: %s (%s): %s: %s\n", event->subject, event->command_id,
                      code, message);
    }
}

void sweep_report_totals(const SweepReport *report, bool deletes)
{
    if (report->json) {
        return;
    }
    (void)fprintf(report->out, "accounts swept: %zu", report->accounts);
    if (report->doubtful > 0) {
        (void)fprintf(report->out, ", with doubts: %zu", report->doubtful);
    }
    if (deletes) {
        (void)fprintf(report->out, "; deleted: %zu, refused: %zu", report->removed - report->gone,
                      report->refused);
    }
    if (report->gone > 0) {
        (void)fprintf(report->out, ", gone already: %zu", report->gone);
    }
    (void)fputc('\n', report->out);
    for (size_t i = 0; i < SWEEP_VERDICTS; i++) {
        if (report->found[i] > 0) {
            (void)fprintf(report->out, "%5zu %-18s %s\n", report->found[i], VERDICTS[i].name,
                          VERDICTS[i].meaning);
        }
    }
}

bool sweep_report_is_clean(const SweepReport *report)
{
    size_t left = report->doubtful + report->omitted + report->refused;
    for (size_t i = 0; i < SWEEP_VERDICTS; i++) {
        left += i == VERDICT(IN_FLIGHT) ? 0 : report->found[i];
    }
    return left == report->removed;
}

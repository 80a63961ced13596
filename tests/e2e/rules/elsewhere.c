#include "rules/elsewhere.h"

#include <stdlib.h>
#include <string.h>

#include "box.h"
#include "support/cmocka.h"
#include "support/process.h"

#define REPLIES "tests/unit/neon/reply.c"
#define READY "tests/unit/saga/ready.c"
#define SIGNED "tests/e2e/test_signed.c"

typedef struct Elsewhere {
    const char *code;
    const char *commands; // part of the README's first column; "": of any
    const char *file;
    const char *test; // "": a row of the file's tables, or one of several
} Elsewhere;

static const Elsewhere ELSEWHERE[] = {
    // what is no message, or goes where its key doesn't belong
    {"RECORD_EMPTY", "any command", "tests/e2e/test_records.c", "an_empty_record_is_a_dead_letter"},
    {"RECORD_TOO_LARGE", "any command", "tests/e2e/test_records.c",
     "a_record_of_five_megabytes_is_told_by_its_hash"},
    {"RECORD_UNREADABLE", "any command", "tests/e2e/test_records.c", "garbage_is_a_dead_letter"},
    {"FRAMING_UNREADABLE", "any command", "tests/unit/contract/command_decode.c",
     "a_broken_record_is_refused_with_what_can_be_read"},
    {"FIELD_NOT_SUPPORTED", "any command", "tests/e2e/test_records.c",
     "an_unknown_field_is_rejected_by_its_number"},
    {"WRONG_PARTITION", "any command", "tests/e2e/test_records.c",
     "a_wrong_partition_is_refused_with_the_remedy"},
    // what a failed creation left
    {"HAS_DEPENDENTS", "CreateEnvironment", "tests/e2e/test_leftover.c",
     "a_project_that_another_has_branched_stays"},
    {"NOT_VISIBLE", "CreateEnvironment", "tests/unit/saga/guard.c", ""},
    // the sandbox has no read-only endpoints
    {"ENDPOINT_READ_ONLY", "EditEndpoint", "tests/unit/saga/edit.c", ""},
    // more projects than a test should make, and listings that stay partial for long
    {"INVENTORY_TOO_LARGE", "DiscoverAccount", "tests/unit/saga/discover.c",
     "more_than_can_be_held_is_refused"},
    {"INVENTORY_PARTIAL", "DiscoverAccount", "tests/unit/saga/discover.c", ""},
    // trouble in the middle of a command
    {"PASSWORD_NOT_SET", "RotateCredentials", "tests/e2e/test_roles_rotate.c",
     "a_role_that_is_not_ours_is_told_of_and_the_others_are_rotated"},
    {"PASSWORD_NOT_SET", "RevealCredentials", "tests/e2e/test_roles_rotate.c",
     "a_role_that_is_not_ours_is_told_of_and_the_others_are_rotated"},
    // a ledger out of a backup
    {"LEDGER_CHANGED", "SweepAccount", "tests/e2e/test_sweep_ledgers.c",
     "a_ledger_out_of_a_backup_deletes_nothing_that_it_does_not_know"},
    {"NEON_UNAVAILABLE", "failures", "tests/e2e/test_faults.c",
     "a_project_that_stays_locked_is_given_up"},
    {"DEADLINE_EXCEEDED", "failures", "tests/e2e/test_faults.c",
     "a_deadline_that_passes_on_the_way_undoes_what_was_made"},
    {"CRASH_LOOP", "failures", "tests/e2e/test_skip.c",
     "a_command_whose_workers_die_is_given_up_and_undone"},
    // what Neon, its operations and the branch's database answer; told of in words
    {"NEON_AWAY", "", REPLIES, ""},
    {"NEON_DENIED", "", "tests/unit/saga/edit.c", ""},
    {"NEON_EXISTS", "", REPLIES, ""},
    {"NEON_LIMIT", "", REPLIES, ""},
    {"NEON_LOCKED", "", REPLIES, ""},
    {"NEON_NOT_FOUND", "", READY, ""},
    {"NEON_PRECONDITION", "", REPLIES, ""},
    {"NEON_RATE_LIMITED", "", REPLIES, ""},
    {"NEON_UNKNOWN", "", REPLIES, ""},
    {"BRANCH_NOT_READY", "", READY, ""},
    {"ENDPOINT_NOT_READY", "", READY, ""},
    {"ENDPOINT_MISSING", "", READY, ""},
    {"DATABASE_MISSING", "", READY, ""},
    {"OPERATION_FAILED", "", "tests/e2e/test_faults.c", ""},
    {"OPERATION_TIMEOUT", "", READY, ""},
    {"LOGIN_FAILED", "", "tests/e2e/test_faults_compute.c", ""},
    {"UNEXPECTED_REPLY", "", "tests/unit/saga/project_undo.c", ""},
    {"DUPLICATE_REMOVED", "", "tests/unit/saga/project_lost.c", ""},
    {"TOO_MANY_PROJECTS", "", "tests/unit/saga/limits.c", ""},
    {"TOO_MANY_ROLES", "", "tests/unit/saga/limits.c", ""},
    {"OUTCOME_TOO_LARGE", "", "tests/unit/contract/outcome.c", ""},
    {"ROLE_MISSING", "", "tests/unit/saga/setup.c", ""},
    {"ROLES_BLOCKED", "", "tests/unit/saga/branch_roles.c", ""},
    {"ROLES_BUSY", "", "tests/unit/saga/setup.c", ""},
    {"ROLES_FAILED", "", "tests/unit/saga/setup.c", ""},
    {"ROLES_FENCED", "", "tests/unit/saga/setup.c", ""},
    {"ROLES_MISSING", "", "tests/unit/saga/roles.c", ""},
    {"ROLES_ROW_INVALID", "", "tests/unit/roles/plan.c", ""},
    {"ROLES_UNAVAILABLE", "", "tests/e2e/test_roles_rotate.c", ""},
    // where commands are signed
    {"SIGNATURE_MISSING", "", SIGNED, ""},
    {"SIGNATURE_INVALID", "", SIGNED, ""},
    {"SIGNATURE_KEY_UNKNOWN", "", SIGNED, ""},
    {"REQUESTED_IN_FUTURE", "", SIGNED, ""},
};

static const size_t COUNT = sizeof(ELSEWHERE) / sizeof(ELSEWHERE[0]);

bool elsewhere_has(const char *code, const char *commands)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(ELSEWHERE[i].code, code) == 0 &&
            strstr(commands, ELSEWHERE[i].commands) != NULL) {
            return true;
        }
    }
    return false;
}

bool elsewhere_has_any(const char *code)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(ELSEWHERE[i].code, code) == 0) {
            return true;
        }
    }
    return false;
}

size_t elsewhere_find_lost(void)
{
    size_t lost = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const Elsewhere *one = &ELSEWHERE[i];
        char *text = process_read_log(box_text("%s/%s", RULES_PROJECT, one->file));
        bool has_test = one->test[0] == '\0' ||
                        strstr(text, box_text("\nstatic void %s(void **state)", one->test)) != NULL;
        if (strstr(text, one->code) == NULL || !has_test) {
            print_message("%s has no test %s of %s\n", one->file, one->test, one->code);
            lost++;
        }
        free(text);
    }
    return lost;
}

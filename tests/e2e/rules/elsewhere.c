#include "rules/elsewhere.h"

#include <stdlib.h>
#include <string.h>

#include "box.h"
#include "support/cmocka.h"
#include "support/process.h"

#define FAULTS "tests/e2e/test_faults.c"
#define ROTATION "tests/e2e/test_roles_rotate.c"
#define REPLIES "tests/unit/neon/reply.c"
#define READY "tests/unit/saga/ready.c"
#define SETUP "tests/unit/saga/setup.c"
#define STATUSES "each_status_has_its_meaning"

typedef struct Elsewhere {
    const char *code;
    const char *command; // of the README's first column; "": of none there
    const char *file;
    const char *test; // its function, or the title of a conversation
} Elsewhere;

static const Elsewhere ELSEWHERE[] = {
    // the sandbox has no read-only endpoints
    {"ENDPOINT_READ_ONLY", "EditEndpoint", "tests/unit/saga/edit.c",
     "an endpoint that became read-only"},
    // more projects than a test should make
    {"INVENTORY_TOO_LARGE", "DiscoverAccount", "tests/unit/saga/discover.c",
     "more_than_can_be_held_is_refused"},
    // workers that die
    {"CRASH_LOOP", "any command's failures", "tests/e2e/test_skip.c",
     "a_command_whose_workers_die_is_given_up_and_undone"},
    // what Neon, its operations and the branch's database answer; told of in words
    {"NEON_AWAY", "", REPLIES, STATUSES},
    {"NEON_LOCKED", "", REPLIES, STATUSES},
    {"NEON_RATE_LIMITED", "", REPLIES, STATUSES},
    {"NEON_UNKNOWN", "", REPLIES, STATUSES},
    {"BRANCH_NOT_READY", "", READY, "a branch that does not become ready"},
    {"ENDPOINT_NOT_READY", "", READY, "an endpoint that does not start"},
    {"ENDPOINT_MISSING", "", READY, "an endpoint that is not made"},
    {"DATABASE_MISSING", "", READY,
     "... and when none can lag any more, there is nothing to log in to"},
    {"OPERATION_FAILED", "", FAULTS, "an_operation_that_fails_for_good_is_undone"},
    {"OPERATION_TIMEOUT", "", READY, "an operation that does not end"},
    {"LOGIN_FAILED", "", "tests/e2e/test_faults_compute.c", "one_that_never_lets_in_is_undone"},
    {"UNEXPECTED_REPLY", "", "tests/unit/saga/project_undo.c",
     "an unreadable listing that stays so ends the command"},
    {"DUPLICATE_REMOVED", "", "tests/unit/saga/project_lost.c",
     "a duplicate whose removal nobody read is reported"},
    {"LEFT_ALONE", "", "tests/unit/saga/delete.c",
     "what a command has made that the ledger doesn't know is left alone, and told"},
    {"TOO_MANY_PROJECTS", "", "tests/unit/saga/limits.c", "projects_of_one_name_are_bounded"},
    {"TOO_MANY_ROLES", "", "tests/unit/saga/limits.c", "roles_are_bounded"},
    {"OUTCOME_TOO_LARGE", "", "tests/unit/contract/outcome.c",
     "what_a_broker_would_not_take_is_not_added"},
    {"ROLE_MISSING", "", SETUP, "a list without a role that could change others"},
    {"ROLES_BLOCKED", "", "tests/unit/saga/branch_roles.c",
     "every password of ours is replaced by SQL, every other by the API"},
    {"ROLES_BUSY", "", SETUP,
     "a busy branch is waited for, and an error that lasts ends the command"},
    {"ROLES_FAILED", "", SETUP, "what fails when it was begun stays, and the environment with it"},
    {"ROLES_FENCED", "", SETUP, "a newer fence is passed by one that is newer still"},
    {"ROLES_MISSING", "", "tests/unit/saga/roles.c", "... unless it is none of them"},
    {"ROLES_ROW_INVALID", "", "tests/unit/roles/plan.c", "rows_that_no_plan_has_are_refused"},
    {"ROLES_UNAVAILABLE", "", ROTATION, "a_rotation_that_failed_leaves_what_works"},
};

static const size_t COUNT = sizeof(ELSEWHERE) / sizeof(ELSEWHERE[0]);

bool elsewhere_has(const char *code, const char *command)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(ELSEWHERE[i].code, code) == 0 && strcmp(ELSEWHERE[i].command, command) == 0) {
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

// From its head to its end; NULL: there is none.
static const char *find_test(const char *text, const char *test)
{
    const char *function = strstr(text, box_text("\nstatic void %s(", test));
    if (function != NULL) {
        const char *end = strstr(function, "\n}\n");
        return end == NULL ? NULL : box_text("%.*s", (int)(end - function), function);
    }
    const char *talk = strstr(text, box_text("\"%s\",", test));
    if (talk == NULL) {
        return NULL;
    }
    const char *line = strchr(talk, '\n');
    while (line != NULL && strspn(line + 1, " ") > 4) {
        line = strchr(line + 1, '\n');
    }
    return line == NULL ? talk : box_text("%.*s", (int)(line - talk), talk);
}

// Where workers run, calls that change something are counted; a conversation lists them all, and
// what is smaller makes none.
static bool has_count(const Elsewhere *one, const char *test)
{
    bool has_workers = strncmp(one->file, "tests/e2e/", strlen("tests/e2e/")) == 0;
    return !has_workers || strstr(test, "sandbox_count_calls(") != NULL ||
           strstr(test, "sandbox_count_changes(") != NULL;
}

size_t elsewhere_find_lost(void)
{
    size_t lost = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const Elsewhere *one = &ELSEWHERE[i];
        char *text = process_read_log(box_text("%s/%s", RULES_PROJECT, one->file));
        const char *test = find_test(text, one->test);
        if (test == NULL || strstr(test, one->code) == NULL) {
            print_message("%s has no test %s of %s\n", one->file, one->test, one->code);
            lost++;
        } else if (!has_count(one, test)) {
            print_message("%s of %s counts no calls\n", one->test, one->file);
            lost++;
        }
        free(text);
    }
    return lost;
}

/*
 * What comes from a branch's server and from the ledger's rows: the first byte picks what reads the
 * rest.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/utf8.h"
#include "roles/plan.h"
#include "roles/report.h"
#include "roles/spec.h"
#include "roles/verifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

// ---- a verifier; large numbers of iterations only cost time

static void verifier(const char *text)
{
    const char *number = strchr(text, '$');
    size_t digits = number == NULL ? 0 : strspn(number + 1, "0123456789 +-\t\n\v\f\r");
    if (digits <= 3) {
        (void)roles_verifier_check(text, "password");
    }
}

// ---- a spec

static void free_json(json_t **json)
{
    json_decref(*json);
}

static void check_logins(const json_t *spec)
{
    CLEANUP(free_json) json_t *logins = roles_spec_logins(spec);
    size_t index = 0;
    const json_t *login = NULL;
    must(json_array_size(logins) <= ROLES_LIMIT, "logins within the limit");
    json_array_foreach(logins, index, login)
    {
        size_t length = json_string_length(login);
        must(length >= 1 && length < ROLES_NAME_BYTES, "a name that PostgreSQL doesn't cut");
        must(roles_is_reserved(roles_spec_prefix(spec), json_string_value(login)), "ours by name");
        (void)roles_spec_may_connect(spec, json_string_value(login), "main");
        for (size_t i = 0; i < index; i++) {
            must(!json_equal(json_array_get(logins, i), login), "different names");
        }
    }
}

static void spec(const char *text, size_t size)
{
    CLEANUP(free_json) json_t *read = json_loadb(text, size, 0, NULL);
    Error err = ERROR_INIT;
    if (read == NULL) {
        return;
    }
    bool fits = roles_spec_check(read, &err);
    must(fits == (err.kind == ERROR_NONE), "an error where it is refused");
    must(fits || err.field[0] != '\0', "the field is named");
    must(utf8_is_valid(bytes_of(err.text)), "UTF-8");
    if (!fits) {
        return;
    }
    check_logins(read);
    const RolesSecret secret = {"svc_a", NULL, true};
    char *parameter = roles_spec_parameter(read, &secret, 1, &(RolesFence){"br-1", 7});
    must(parameter != NULL, "a parameter");
    free(parameter);
}

// ---- rows of a plan: cells end with a line feed; one of a single '-' is NULL

static PGresult *rows_of(char *text, int columns)
{
    static char name[] = "column";
    PGresAttDesc descriptions[5] = {
        {.name = name}, {.name = name}, {.name = name}, {.name = name}, {.name = name}};
    PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    must(rows != NULL && PQsetResultAttrs(rows, columns, descriptions) == 1, "memory");
    int cell = 0;
    char *rest = NULL;
    for (char *at = strtok_r(text, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest)) {
        bool is_null = strcmp(at, "-") == 0;
        must(PQsetvalue(rows, cell / columns, cell % columns, is_null ? NULL : at,
                        is_null ? -1 : (int)strlen(at)) == 1,
             "memory");
        cell++;
    }
    return rows;
}

static void check_plan(const RolesPlan *plan)
{
    RolesReport report = ROLES_REPORT_INIT;
    bool changes = false;
    for (size_t i = 0; i < plan->count; i++) {
        bool executed = plan->steps[i].kind <= ROLES_STEP_CHANGE;
        must(executed == (plan->steps[i].statement[0] != '\0'), "what is executed has a statement");
        changes = changes || plan->steps[i].kind == ROLES_STEP_CHANGE;
        roles_report_add_executed(&report, "main", &plan->steps[i]);
    }
    must(changes == roles_plan_has_changes(plan), "changes");
    must((roles_plan_fenced(plan) != NULL) == (plan->fence_seen > 0), "a fence has a number");
    for (size_t i = 0; i < report.count; i++) {
        must(strlen(report.changes[i].change) <= ROLES_CHANGE_BYTES_MAX, "cut");
    }
    roles_report_clear(&report);
}

static void rows(char *text, int columns)
{
    RolesPlan plan = ROLES_PLAN_INIT;
    Error err = ERROR_INIT;
    PGresult *result = rows_of(text, columns);
    if (roles_plan_decode(result, &plan, &err)) {
        check_plan(&plan);
    } else {
        must(plan.count == 0 && strcmp(err.code, "ROLES_ROW_INVALID") == 0, "refused");
    }
    PQclear(result);
    roles_plan_clear(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    must(text != NULL, "memory");
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case 'v':
        verifier(text);
        break;
    case 's':
        spec(text, size - 1);
        break;
    case 'n':
        rows(text, 4);
        break;
    default:
        rows(text, 5);
        break;
    }
    free(text);
    return 0;
}

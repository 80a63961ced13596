// provisionctl roles and rotate. The test plays the worker.
#include <jansson.h>
#include <string.h>

#include "base/unconst.h"
#include "ctl.h"

static Command *next(Stage *stage)
{
    return stage_next_command(stage, NULL, NULL, NULL);
}

static void answer(Stage *stage, const Command *command, Provisioning__V1__Event *body)
{
    stage_begin(stage);
    stage_event(stage, command->application_id, command->command_id, body);
    stage_commit(stage);
}

static void assert_access(const Provisioning__V1__DatabaseAccess *access, const char *database,
                          Provisioning__V1__Access level)
{
    assert_string_equal(access->database, database);
    assert_int_equal(access->access, level);
}

static void what_is_wanted_becomes_a_command(void **state)
{
    Stage *stage = *state;
    Process process CLEANUP(process_clear);
    ctl_run(stage, &process,
            ARGUMENTS("roles", "setup", "staging", "-a", "shop", "--database=main",
                      "--database=logs", "--service=orders=main,logs:read", "--service", "cron",
                      "--service=orders=a:b:admin", "--policy=additive", "--adopt"));
    ctl_assert_exit(&process, EXIT_CODE_DATA); // a:b isn't among the databases
    assert_non_null(strstr(process.err, "setup_roles.services[0].databases[2].database"));
    Process again CLEANUP(process_clear);
    ctl_run(stage, &again,
            ARGUMENTS("roles", "setup", "staging", "-a", "shop", "--database=main",
                      "--database=logs", "--database=a:b", "--service=orders=main,logs:read",
                      "--service", "cron", "--service=orders=a:b:admin", "--policy=additive",
                      "--adopt"));
    ctl_assert_exit(&again, EXIT_CODE_OK);
    Command *command CLEANUP(command_free_at) = next(stage);
    const Provisioning__V1__SetupRoles *action = command->message->setup_roles;
    assert_string_equal(action->environment, "staging");
    assert_int_equal(action->n_databases, 3);
    assert_string_equal(action->databases[1], "logs");
    assert_int_equal(action->n_services, 2);
    assert_string_equal(action->services[0]->name, "orders");
    assert_int_equal(action->services[0]->n_databases, 3);
    assert_access(action->services[0]->databases[0], "main",
                  PROVISIONING__V1__ACCESS__ACCESS_WRITE);
    assert_access(action->services[0]->databases[1], "logs", PROVISIONING__V1__ACCESS__ACCESS_READ);
    assert_access(action->services[0]->databases[2], "a:b", PROVISIONING__V1__ACCESS__ACCESS_ADMIN);
    assert_string_equal(action->services[1]->name, "cron");
    assert_int_equal(action->services[1]->n_databases, 0);
    assert_int_equal(action->mode, PROVISIONING__V1__ROLES_MODE__ROLES_MODE_APPLY);
    assert_int_equal(action->policy, PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_ADDITIVE);
    assert_true(action->adopt);
}

static void publish_environment(Stage *stage, const char *application, const char *name,
                                Provisioning__V1__EnvironmentStatus status,
                                Provisioning__V1__Origin origin)
{
    char database[] = "main";
    char service_name[] = "orders";
    Provisioning__V1__DatabaseAccess access;
    Provisioning__V1__DatabaseAccess *accesses[] = {&access};
    Provisioning__V1__Service service;
    Provisioning__V1__Service *services[] = {&service};
    Provisioning__V1__EnvironmentState body;
    provisioning__v1__database_access__init(&access);
    access.database = database;
    access.access = PROVISIONING__V1__ACCESS__ACCESS_READ;
    provisioning__v1__service__init(&service);
    service.name = service_name;
    service.databases = accesses;
    service.n_databases = 1;
    provisioning__v1__environment_state__init(&body);
    body.environment = unconst(name);
    body.status = status;
    body.origin = origin;
    body.services = services;
    body.n_services = 1;
    stage_begin(stage);
    stage_environment(stage, application, &body);
    stage_commit(stage);
}

static void publish_ready(Stage *stage, const char *application, const char *name)
{
    publish_environment(stage, application, name,
                        PROVISIONING__V1__ENVIRONMENT_STATUS__ENVIRONMENT_STATUS_READY,
                        PROVISIONING__V1__ORIGIN__ORIGIN_CREATED);
}

static void assert_asks_for_what_is_known(const Command *command, const char *environment,
                                          Provisioning__V1__RolesMode mode)
{
    const Provisioning__V1__SetupRoles *action = command->message->setup_roles;
    assert_string_equal(action->environment, environment);
    assert_int_equal(action->mode, mode);
    assert_int_equal(action->n_databases, 0);
    assert_int_equal(action->n_services, 1);
    assert_string_equal(action->services[0]->name, "orders");
    assert_access(action->services[0]->databases[0], "main", PROVISIONING__V1__ACCESS__ACCESS_READ);
}

static void a_plan_says_what_would_be_changed_and_whether_anything(void **state)
{
    Stage *stage = *state;
    publish_ready(stage, "plan", "staging");
    for (int drifted = 0; drifted <= 1; drifted++) {
        Process process CLEANUP(process_clear);
        ctl_start(stage, &process, ARGUMENTS("roles", "plan", "staging", "-a", "plan"));
        Command *command CLEANUP(command_free_at) = next(stage);
        assert_asks_for_what_is_known(command, "staging",
                                      PROVISIONING__V1__ROLES_MODE__ROLES_MODE_PLAN);
        assert_false(command->message->setup_roles->adopt);
        answer(stage, command, stage_planned("staging", drifted == 1));
        process_finish(&process);
        ctl_assert_exit(&process, drifted == 1 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK);
        assert_string_equal(process.out,
                            drifted == 1
                                ? "staging: 1 change planned, 1 blocked\n"
                                  "  (all)  svc_orders  ALTER ROLE svc_orders LOGIN  it can't log "
                                  "in\n"
                                  "  main   svc_orders  blocked: its owner is another\n"
                                : "staging: as wanted\n");
    }
}

static void setup_without_services_keeps_those_that_are_there(void **state)
{
    Stage *stage = *state;
    publish_ready(stage, "keep", "staging");
    Process keeps CLEANUP(process_clear);
    ctl_run(stage, &keeps, ARGUMENTS("roles", "setup", "staging", "-a", "keep"));
    ctl_assert_exit(&keeps, EXIT_CODE_OK);
    Command *kept CLEANUP(command_free_at) = next(stage);
    assert_asks_for_what_is_known(kept, "staging", PROVISIONING__V1__ROLES_MODE__ROLES_MODE_APPLY);
    Process removes CLEANUP(process_clear);
    ctl_run(stage, &removes, ARGUMENTS("roles", "setup", "staging", "-a", "keep", "--no-services"));
    ctl_assert_exit(&removes, EXIT_CODE_OK);
    Command *removed CLEANUP(command_free_at) = next(stage);
    assert_int_equal(removed->message->setup_roles->n_services, 0);
    Process unknown CLEANUP(process_clear);
    ctl_run(stage, &unknown, ARGUMENTS("roles", "setup", "gone", "-a", "keep"));
    ctl_assert_exit(&unknown, EXIT_CODE_NOT_FOUND);
}

// Of each environment what it answers: nothing to change, drift, a refusal.
static void answer_all(Stage *stage, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Command *command CLEANUP(command_free_at) = next(stage);
        assert_int_equal(command->message->setup_roles->mode,
                         PROVISIONING__V1__ROLES_MODE__ROLES_MODE_PLAN);
        const char *environment = command->message->setup_roles->environment;
        bool is_imported = strcmp(environment, "imported") == 0;
        assert_int_equal(command->message->setup_roles->adopt, is_imported);
        answer(stage, command,
               is_imported ? stage_rejected("NOT_READY")
                           : stage_planned(environment, strcmp(environment, "drifted") == 0));
    }
}

static void plan_all_asks_every_environment_that_is_ready(void **state)
{
    Stage *stage = *state;
    publish_ready(stage, "all", "drifted");
    publish_ready(stage, "all", "whole");
    publish_ready(stage, "others", "elsewhere");
    publish_environment(stage, "all", "broken",
                        PROVISIONING__V1__ENVIRONMENT_STATUS__ENVIRONMENT_STATUS_FAILED,
                        PROVISIONING__V1__ORIGIN__ORIGIN_CREATED);
    Process process CLEANUP(process_clear);
    ctl_start(stage, &process, ARGUMENTS("roles", "plan", "--all", "-a", "all"));
    answer_all(stage, 2);
    process_finish(&process);
    ctl_assert_exit(&process, EXIT_CODE_FINDINGS);
    assert_non_null(strstr(process.out, "drifted: 1 change planned, 1 blocked\n"));
    assert_non_null(strstr(process.out, "whole: as wanted\n"));
    assert_null(strstr(process.out, "elsewhere"));
    assert_non_null(strstr(process.err, "broken is left out"));
    publish_environment(stage, "all", "imported",
                        PROVISIONING__V1__ENVIRONMENT_STATUS__ENVIRONMENT_STATUS_READY,
                        PROVISIONING__V1__ORIGIN__ORIGIN_IMPORTED);
    Process json CLEANUP(process_clear);
    ctl_start(stage, &json, ARGUMENTS("roles", "plan", "--all", "-a", "all", "--json"));
    answer_all(stage, 3);
    process_finish(&json);
    ctl_assert_exit(&json, EXIT_CODE_REJECTED);
    json_t *first = json_loads(json.out, JSON_DISABLE_EOF_CHECK, NULL);
    assert_string_equal(json_string_value(json_object_get(first, "applicationId")), "all");
    json_decref(first);
}

static void a_rotation_has_one_target(void **state)
{
    Stage *stage = *state;
    static const char *const TARGETS[] = {"--all", "--service=orders", "--role=neondb_owner"};
    static const Provisioning__V1__RotateCredentials__TargetCase CASES[] = {
        PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_ALL,
        PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_SERVICE,
        PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_ROLE,
    };
    for (size_t i = 0; i < sizeof(TARGETS) / sizeof(TARGETS[0]); i++) {
        Process process CLEANUP(process_clear);
        ctl_run(stage, &process, ARGUMENTS("rotate", "staging", "-a", "shop", TARGETS[i]));
        ctl_assert_exit(&process, EXIT_CODE_OK);
        Command *command CLEANUP(command_free_at) = next(stage);
        assert_int_equal(command->message->rotate_credentials->target_case, CASES[i]);
    }
    Process both CLEANUP(process_clear);
    ctl_run(stage, &both, ARGUMENTS("rotate", "staging", "-a", "shop", "--all", "--role=x"));
    ctl_assert_exit(&both, EXIT_CODE_USAGE);
}

static void lines_that_cannot_be_meant_are_refused(void **state)
{
    Stage *stage = *state;
    static const char *const LINES[][4] = {
        {"staging"},
        {"setup"},
        {"plan"},
        {"plan", "staging", "--all"},
        {"plan", "--all", "--service=x"},
        {"setup", "--all"},
        {"setup", "staging", "--service=x", "--no-services"},
        {"setup", "staging", "--policy=loose"},
        {"setup", "staging", "--service=x="},
        {"setup", "staging", "more"},
    };
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        const char *line[] = {"roles",     "-a",        "shop",      LINES[i][0],
                              LINES[i][1], LINES[i][2], LINES[i][3], NULL};
        Process process CLEANUP(process_clear);
        ctl_run(stage, &process, line);
        ctl_assert_exit(&process, EXIT_CODE_USAGE);
    }
}

int main(void)
{
    if (support_servers() == NULL) {
        return support_skip();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_becomes_a_command),
        cmocka_unit_test(a_plan_says_what_would_be_changed_and_whether_anything),
        cmocka_unit_test(setup_without_services_keeps_those_that_are_there),
        cmocka_unit_test(plan_all_asks_every_environment_that_is_ready),
        cmocka_unit_test(a_rotation_has_one_target),
        cmocka_unit_test(lines_that_cannot_be_meant_are_refused),
    };
    return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/print_event.h"
#include "ctl/report.h"
#include "ctl/role_changes.h"
#include "ctl/roles_targets.h"
#include "ctl/screen.h"
#include "ctl/send_many.h"
#include "ctl/subcommands.h"

enum { OPTION_ALL = 0x700, OPTION_NO_SERVICES, OPTION_POLICY, OPTION_ADOPT };

typedef enum Verb { VERB_NONE, VERB_SETUP, VERB_PLAN } Verb;

typedef struct Roles {
    SendOptions options;
    Verb verb;
    const char *environment;
    Wanted wanted;
    bool no_services;
    bool all;
    bool adopt;
    ProvisionRolesPolicy policy;
    RolesTargets targets;
    size_t next; // of the targets to be sent
    Screen screen;
} Roles;

static const struct argp_option OPTIONS[] = {
    {"no-services", OPTION_NO_SERVICES, NULL, 0, "No service has access any more", 0},
    {"policy", OPTION_POLICY, "POLICY", 0,
     "authoritative, or additive, which never revokes (default: as the environment has it)", 0},
    {"adopt", OPTION_ADOPT, NULL, 0,
     "Change an imported environment and take over the owners of its databases", 0},
    {"all", OPTION_ALL, NULL, 0, "plan: for every environment of the application that is ready", 0},
    {0},
};

static const char DOC[] =
    "Brings the roles of an environment to what is wanted (setup), or says what that would change "
    "(plan): platform, reader, writer and admin over all databases, reader, writer and admin of "
    "each "
    "database, and svc_NAME for each service.\v"
    "Without --service and --no-services, the services are those that the environment has, so "
    "setup "
    "repairs and plan looks for drift. Services that are given are all there are: one that isn't "
    "named loses its login and its access, its role stays. Databases that are given are made where "
    "they are missing.\n\n"
    "plan changes nothing, waits and prints what would be changed and why. Its exit code is 0 "
    "where "
    "everything is as wanted, 1 where something isn't.";

static void take_argument(Roles *roles, const char *text, const struct argp_state *state)
{
    if (roles->verb != VERB_NONE && roles->environment == NULL) {
        roles->environment = text;
    } else if (roles->verb == VERB_NONE && strcmp(text, "setup") == 0) {
        roles->verb = VERB_SETUP;
    } else if (roles->verb == VERB_NONE && strcmp(text, "plan") == 0) {
        roles->verb = VERB_PLAN;
    } else {
        argp_error(state, "roles takes setup or plan, and one ENVIRONMENT");
    }
}

static void take_policy(Roles *roles, const char *text, const struct argp_state *state)
{
    if (strcmp(text, "authoritative") == 0) {
        roles->policy = PROVISION_ROLES_POLICY_AUTHORITATIVE;
    } else if (strcmp(text, "additive") == 0) {
        roles->policy = PROVISION_ROLES_POLICY_ADDITIVE;
    } else {
        argp_error(state, "--policy takes authoritative or additive");
    }
}

static void check(const Roles *roles, const struct argp_state *state)
{
    bool names = roles->wanted.service_count > 0 || roles->wanted.database_count > 0;
    if (roles->verb == VERB_NONE || roles->options.application_id == NULL) {
        argp_error(state, "give setup or plan, and --application");
    } else if (roles->all && (roles->verb != VERB_PLAN || names || roles->no_services)) {
        argp_error(state, "--all goes with plan, without --database, --service and --no-services");
    } else if (roles->all == (roles->environment != NULL)) {
        argp_error(state, "give one ENVIRONMENT, or plan --all");
    } else if (roles->all && roles->options.command_id != NULL) {
        argp_error(state, "--command-id is of one command: not with --all");
    } else if (roles->no_services && roles->wanted.service_count > 0) {
        argp_error(state, "give --service or --no-services, not both");
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Roles *roles = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &roles->wanted;
        state->child_inputs[1] = &roles->options;
        return 0;
    case OPTION_ALL:
        roles->all = true;
        return 0;
    case OPTION_NO_SERVICES:
        roles->no_services = true;
        return 0;
    case OPTION_POLICY:
        take_policy(roles, text, state);
        return 0;
    case OPTION_ADOPT:
        roles->adopt = true;
        return 0;
    case ARGP_KEY_ARG:
        take_argument(roles, text, state);
        return 0;
    case ARGP_KEY_END:
        check(roles, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static ProvisionCommand *make_command(const Roles *roles, const RolesTarget *target,
                                      ProvisionError *err)
{
    bool given = roles->no_services || roles->wanted.service_count > 0;
    const Wanted *services = given ? &roles->wanted : &target->wanted;
    bool plans = roles->verb == VERB_PLAN;
    ProvisionSetupRoles spec = {
        .environment = target->environment,
        .databases = roles->wanted.databases,
        .database_count = roles->wanted.database_count,
        .services = services->services,
        .service_count = services->service_count,
        .mode = plans ? PROVISION_ROLES_PLAN : PROVISION_ROLES_APPLY,
        .policy = roles->policy,
        // a plan of what adoption would do changes nothing either
        .adopt = roles->adopt || (plans && target->imported),
    };
    return provision_setup_roles(roles->options.application_id, &spec, err);
}

// SendSource
static SendNext next_command(void *context, ProvisionCommand **ret_command, ProvisionError *err)
{
    Roles *roles = context;
    if (roles->next == roles->targets.count) {
        return SEND_NEXT_END;
    }
    *ret_command = make_command(roles, &roles->targets.list[roles->next++], err);
    return *ret_command == NULL ? SEND_NEXT_FAULT : SEND_NEXT_COMMAND;
}

// Of SendOptions.
static int show(void *context, const ProvisionEvent *event)
{
    const Roles *roles = context;
    if (roles->options.connection->json) {
        print_event_json(stdout, event);
    } else {
        role_changes_print(&roles->screen, event);
    }
    return roles->verb == VERB_PLAN && role_changes_any(event) ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}

static void tell_unready(const Roles *roles)
{
    for (size_t i = 0; i < roles->targets.unready_count; i++) {
        (void)fprintf(stderr, "provisionctl: %s is left out: it is not ready\n",
                      roles->targets.unready[i]);
    }
}

// Exit code.
static int read_targets(Roles *roles)
{
    Connection *connection = roles->options.connection;
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) = connection_open(connection, &code);
    if (client == NULL) {
        return code;
    }
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    if (!roles_targets_read(&roles->targets, client, roles->options.application_id,
                            roles->environment, &error)) {
        return report_error(connection->json, &error);
    }
    if (roles->targets.count > 0) {
        tell_unready(roles);
        return EXIT_CODE_OK;
    }
    const char *name = roles->environment == NULL ? "environment" : roles->environment;
    return report_problem(connection->json, EXIT_CODE_NOT_FOUND, "SUBJECT_UNKNOWN",
                          "application %s has no %s that is ready: see provisionctl environments",
                          roles->options.application_id, name);
}

static void clear(Roles *roles)
{
    wanted_clear(&roles->wanted);
    roles_targets_clear(&roles->targets);
}

int roles_run(int argc, char **argv, Connection *connection)
{
    const struct argp_child children[] = {
        {&WANTED_ARGP, 0, NULL, 0}, {&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "setup ENVIRONMENT\nplan ENVIRONMENT | --all",
                              .doc = DOC,
                              .children = children};
    Roles roles CLEANUP(clear) = {.screen = screen_stdout()};
    send_options_init(&roles.options, connection);
    argp_parse(&argp, argc, argv, 0, NULL, &roles);
    roles.options.wait = roles.options.wait || roles.verb == VERB_PLAN;
    roles.options.quiet = roles.verb == VERB_PLAN;
    roles.options.show = show;
    roles.options.show_context = &roles;
    bool knows = roles.verb == VERB_SETUP && (roles.no_services || roles.wanted.service_count > 0);
    int code = EXIT_CODE_OK;
    if (knows) {
        roles_targets_add(&roles.targets, roles.environment);
    } else {
        code = read_targets(&roles);
    }
    const SendSource source = {next_command, &roles};
    return code == EXIT_CODE_OK ? send_many(&roles.options, &source) : code;
}

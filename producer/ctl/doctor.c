#include "ctl/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/secret_file.h"
#include "ctl/subcommands.h"
#include "ctl/worker_config.h"

enum {
    OPTION_SET = 0x200,
    OPTION_WORKER_CONFIG,
    OPTION_API_KEY,
    OPTION_PUBLIC_KEY,
    OPTION_PRIVATE_KEY,
    OPTION_ENCRYPTION_KEY,
    NAME_BYTES = 200,
};

static const struct argp_option OPTIONS[] = {
    {"worker-config", OPTION_WORKER_CONFIG, "FILE", 0,
     "The workers' configuration, such as /etc/neon-provisioner/worker.ini (default: "
     "PROVISION_CONFIG); the environment wins over it",
     0},
    {"set", OPTION_SET, "NAME=VALUE", 0,
     "A setting of the workers (group.id, neon.api_url, ledger.retention, …); default: the "
     "environment's PROVISION_…, as for a worker",
     0},
    {"api-key-file", OPTION_API_KEY, "FILE", 0, "Neon API key to try", 0},
    {"fleet-public-key", OPTION_PUBLIC_KEY, "FILE|HEX", 0,
     "What senders seal API keys for (default: PROVISION_FLEET_PUBLIC_KEY)", 0},
    {"fleet-private-key-file", OPTION_PRIVATE_KEY, "FILE", 0,
     "The workers' key (default: PROVISION_SECRETS_FLEET_PRIVATE_KEY_FILE)", 0},
    {"key-encryption-key-file", OPTION_ENCRYPTION_KEY, "FILE", 0,
     "The ledger's key (default: PROVISION_SECRETS_KEY_ENCRYPTION_KEY_FILE)", 0},
    {0},
};

static const char DOC[] =
    "Checks what the workers need: Kafka and its topics, the group, the ledger, Neon, clocks and "
    "keys. Changes nothing.\v"
    "Run it where a worker runs, with the worker's environment and --worker-config: then it sees "
    "what the worker sees. "
    "Each line says what was found and what to do. Exit codes: 0 nothing failed (there may be "
    "warnings), 1 something did.";

// The command line of a process is open to everybody on the machine.
static void set_option(Doctor *doctor, char *text, struct argp_state *state)
{
    char *equals = strchr(text, '=');
    if (equals == NULL) {
        argp_error(state, "--set takes NAME=VALUE");
        return;
    }
    char name[NAME_BYTES];
    Error error = ERROR_INIT;
    size_t length = (size_t)(equals - text);
    if (length >= sizeof(name)) {
        argp_error(state, "--set takes NAME=VALUE");
        return;
    }
    memcpy(name, text, length);
    name[length] = '\0';
    if (settings_is_secret(name)) {
        argp_error(state, "%s is a secret: put it into a file, or the environment", name);
    } else if (!settings_set(doctor->settings, name, equals + 1, "--set", &error)) {
        argp_error(state, "%s", error.text);
    } else if (doctor->set_count == DOCTOR_SETS_MAX) {
        argp_error(state, "--set may be repeated %d times", DOCTOR_SETS_MAX);
    } else {
        doctor->sets[doctor->set_count++] = text;
    }
}

// Once more, over what the file and the environment say.
static void repeat_sets(Doctor *doctor)
{
    for (size_t i = 0; i < doctor->set_count; i++) {
        char name[NAME_BYTES];
        size_t length = strcspn(doctor->sets[i], "=");
        memcpy(name, doctor->sets[i], length);
        name[length] = '\0';
        (void)settings_set(doctor->settings, name, doctor->sets[i] + length + 1, "--set", NULL);
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Doctor *doctor = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = doctor->connection;
        state->child_inputs[1] = &doctor->ledger;
        return 0;
    case OPTION_SET:
        set_option(doctor, text, state);
        return 0;
    case OPTION_WORKER_CONFIG:
        doctor->worker_config = text;
        return 0;
    case OPTION_API_KEY:
        doctor->api_key_file = text;
        return 0;
    case OPTION_PUBLIC_KEY:
        doctor->fleet_public_key = text;
        return 0;
    case OPTION_PRIVATE_KEY:
        doctor->fleet_private_key_file = text;
        return 0;
    case OPTION_ENCRYPTION_KEY:
        doctor->encryption_key_file = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_kafka(const char *name)
{
    return strncmp(name, "kafka.", strlen("kafka.")) == 0;
}

// A password or key of Kafka that stands in a file.
static void take_kafka_file(Doctor *doctor, const char *name, const char *path, Checklist *list)
{
    Secret secret CLEANUP(secret_clear) = SECRET_INIT;
    ProvisionError fault;
    Error error = ERROR_INIT;
    if (!secret_file_read(path, &secret, &fault)) {
        checklist_fail(list, "settings", &fault);
    } else if (!settings_set(doctor->settings, name, secret_reveal(&secret), path, &error)) {
        checklist_add(list, CHECK_FAILED, "settings", "%s", error.text);
    }
}

// Variables that stand for no setting are somebody else's; secrets but Kafka's are read where they
// are used.
static void take_variable(Doctor *doctor, const char *variable, Checklist *list)
{
    char name[NAME_BYTES];
    char variable_name[NAME_BYTES];
    const char *equals = strchr(variable, '=');
    size_t length = equals == NULL ? sizeof(variable_name) : (size_t)(equals - variable);
    if (length >= sizeof(variable_name)) {
        return;
    }
    memcpy(variable_name, variable, length);
    variable_name[length] = '\0';
    char secret[NAME_BYTES];
    if (!settings_from_environment_name(variable_name, name, sizeof(name))) {
        return;
    }
    if (settings_is_file(name, secret, sizeof(secret))) {
        if (is_kafka(secret)) {
            take_kafka_file(doctor, secret, equals + 1, list);
        }
        return;
    }
    if (settings_is_secret(name) && !is_kafka(name)) {
        return;
    }
    Error error = ERROR_INIT;
    if (!settings_set(doctor->settings, name, equals + 1, variable_name, &error)) {
        checklist_add(list, CHECK_FAILED, "settings", "%s", error.text);
    }
}

static void take_environment(Doctor *doctor)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, "PROVISION_", strlen("PROVISION_")) == 0) {
            take_variable(doctor, *variable, &doctor->list);
        }
    }
}

static void pass_property(void *context, const char *property, const char *value, bool is_secret)
{
    (void)is_secret;
    connection_default(context, property, value);
}

// As a worker of this environment would connect, but for what the command line says.
static void pass_connection(const Doctor *doctor)
{
    static const struct {
        const char *name;
        SettingId id;
    } TOPICS[] = {
        {"topics.commands", SETTING_TOPIC_COMMANDS},
        {"topics.events", SETTING_TOPIC_EVENTS},
        {"topics.state", SETTING_TOPIC_STATE},
        {"topics.dead_letters", SETTING_TOPIC_DEAD_LETTERS},
    };
    for (size_t i = 0; i < sizeof(TOPICS) / sizeof(TOPICS[0]); i++) {
        connection_default(doctor->connection, TOPICS[i].name,
                           settings_text(doctor->settings, TOPICS[i].id));
    }
    settings_each_own_kafka(doctor->settings, KAFKA_CLIENT_BOTH, pass_property, doctor->connection);
}

int doctor_run(int argc, char **argv, Connection *connection)
{
    Settings *settings CLEANUP(settings_free_at) = settings_new();
    Doctor doctor = {.connection = connection,
                     .worker_config = getenv("PROVISION_CONFIG"),
                     .settings = settings,
                     .list = {.screen = screen_stdout(), .json = connection->json}};
    const struct argp_child children[] = {
        {&CONNECTION_ARGP, 0, NULL, 0}, {&LEDGER_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &doctor);
    doctor.list.json = connection->json;
    ProvisionError error;
    if (doctor.worker_config != NULL && doctor.worker_config[0] != '\0' &&
        !worker_config_read(doctor.worker_config, &error)) {
        return report_error(connection->json, &error);
    }
    take_environment(&doctor);
    repeat_sets(&doctor);
    pass_connection(&doctor);
    doctor_check_kafka(&doctor);
    doctor_check_ledger(&doctor);
    doctor_check_neon(&doctor);
    doctor_check_fleet_key(&doctor);
    return checklist_conclude(&doctor.list);
}

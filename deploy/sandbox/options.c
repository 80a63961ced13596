#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "plans.h"

const char *argp_program_version = "neon-sandbox " PROVISION_VERSION;

enum {
    OPTION_PORT = 'p',
    OPTION_STATE = 's',
    OPTION_QUIET = 'q',
    OPTION_CACHE = 256,
    OPTION_EPHEMERAL,
    OPTION_SEED,
    OPTION_NO_COMPUTE,
    OPTION_LATENCY,
    OPTION_OPERATION,
    OPTION_SUSPEND,
    OPTION_POSTGRES,
    OPTION_USER,
    OPTION_KEYS,
    OPTION_FAULTS,
    OPTION_LOG,
    OPTION_RECORD,
    OPTION_KAFKA,
    OPTION_KAFKA_BROKERS,
    OPTION_KAFKA_TOPIC,
    OPTION_LOG_STATEMENTS,
    OPTION_POSTGRES_PORT,
    OPTION_NO_RECONFIGURE,
    OPTION_RATE_LIMIT,
    OPTION_RATE_RETRY_AFTER,
    OPTION_PLAN,
    OPTION_KEEP_DELETED,
    OPTION_HISTORY,
};

static const struct argp_option OPTIONS[] = {
    {"port", OPTION_PORT, "PORT", 0, "port of the API on 127.0.0.1; 0 picks one (default 8080)", 0},
    {"state", OPTION_STATE, "DIR", 0,
     "folder of what is kept over restarts: clusters, CA, sandbox.db (/tmp/neon-sandbox)", 0},
    {"cache", OPTION_CACHE, "DIR", 0,
     "where template clusters are kept (default: the state folder)", 0},
    {"ephemeral", OPTION_EPHEMERAL, NULL, 0,
     "keep nothing: remove the state folder's contents at exit", 0},
    {"seed", OPTION_SEED, "FILE.sql", 0,
     "at the first start make a project whose branch psql runs that file in (below)", 0},
    {"no-compute", OPTION_NO_COMPUTE, NULL, 0, "API only: no clusters, hosts are fictitious", 1},
    {"postgres", OPTION_POSTGRES, "DIR", 0,
     "a PostgreSQL installation (DIR/bin/postgres), 15 or newer; may be repeated, a project's "
     "pg_version picks (default /usr/lib/postgresql/15)",
     1},
    {"user", OPTION_USER, "NAME", 0,
     "who runs the clusters when started as root (postgres, else nobody)", 1},
    {"keep-deleted", OPTION_KEEP_DELETED, NULL, 0,
     "keep the clusters of deleted projects, so that they can be recovered", 1},
    {"history", OPTION_HISTORY, "MB", 0,
     "log that each branch keeps for points in time; 0: none can be had (1024)", 1},
    {"postgres-port", OPTION_POSTGRES_PORT, "PORT", 0,
     "one port on 127.0.0.1 for every endpoint, which TLS picks by its name (SNI): for clients "
     "that "
     "build connection strings from host names, as neonctl does; 0 picks one (default: none)",
     1},
    {"log-statements", OPTION_LOG_STATEMENTS, NULL, 0,
     "the clusters' logs (in GET /sandbox/state) hold every statement", 1},
    {"no-reconfigure", OPTION_NO_RECONFIGURE, NULL, 0,
     "computes that start don't make again what only the control plane knows (below)", 1},
    {"operation-ms", OPTION_OPERATION, "MS", 0, "how long an operation takes at least (150)", 2},
    {"latency-ms", OPTION_LATENCY, "MS", 0, "added to every reply (0)", 2},
    {"rate-limit", OPTION_RATE_LIMIT, "N", 0,
     "calls a second for each account, a second's worth at once; others get 429 (0: no limit)", 2},
    {"rate-retry-after", OPTION_RATE_RETRY_AFTER, "SECONDS", 0,
     "these 429s carry Retry-After (default: they don't)", 2},
    {"plan", OPTION_PLAN, "free|launch|scale", 0, "apply the limits of that plan (default: none)",
     2},
    {"suspend-ms", OPTION_SUSPEND, "MS", 0,
     "what a suspend_timeout_seconds of 0 (the default) stands for (300000)", 2},
    {"keys", OPTION_KEYS, "FILE", 0, "API keys as JSON (below)", 3},
    {"faults", OPTION_FAULTS, "FILE", 0, "faults to begin with: what POST /sandbox/faults takes",
     3},
    {"kafka", OPTION_KAFKA, NULL, 0, "also open librdkafka's mock Kafka on loopback", 4},
    {"kafka-brokers", OPTION_KAFKA_BROKERS, "N", 0, "its number of brokers (1)", 4},
    {"kafka-topic", OPTION_KAFKA_TOPIC, "NAME:PARTITIONS", 0, "a topic there; may be repeated", 4},
    {"log", OPTION_LOG, "FILE", 0, "log to a file (default: standard error)", 5},
    {"record", OPTION_RECORD, "FILE", 0,
     "append every call of the API and its reply, passwords included (one line of JSON each)", 5},
    {"quiet", OPTION_QUIET, NULL, 0, "log warnings only", 5},
    {0},
};

static const char DOCUMENTATION[] =
    "A Neon API on this machine: the routes of api/v2 over HTTP on loopback, every branch a real "
    "PostgreSQL cluster with TLS."
    "\v"
    "When ready it writes DIR/ready.json {api_url, ca_file, kafka_bootstrap, seed_uri_file, pid} "
    "and one line on standard output. SIGTERM or SIGINT stops it, a second one at once.\n\n"
    "State: the next start with the same --state goes on with everything that was answered, also "
    "after a crash: projects, passwords, ports, keys made by the API, clusters' data, unfinished "
    "operations. Computes are idle then and wake at the first login. Not kept: faults, "
    "GET /sandbox/calls. With --ephemeral nothing is. Remove the folder to begin anew.\n\n"
    "Disk: where the state folder's file system can share blocks (XFS, Btrfs), a branch costs what "
    "changes in it; elsewhere it is a whole copy. The log's first lines and GET /sandbox/state "
    "(shares_blocks) say which.\n\n"
    "Seed: at the first start a project named seed is made in the first key's organization, and "
    "psql -v ON_ERROR_STOP=1 runs FILE.sql in its database as the owner, before the sandbox is "
    "ready. A statement that fails ends the start. DIR/seed.uri has the connection string.\n\n"
    "Keys: a JSON list of {\"key\", \"kind\": \"personal\" | \"organization\" | \"project\", "
    "\"account_id\", \"organizations\": [ID...], \"project_id\"}. Without --keys these exist:\n"
    "  sandbox-org-key       organization org-sandbox-one\n"
    "  sandbox-other-key     organization org-sandbox-two\n"
    "  sandbox-personal-key  personal, in both (org_id is required)\n"
    "  sandbox-solo-key      personal, in org-sandbox-solo\n"
    "More can be added while it runs: POST /sandbox/keys takes the same objects.\n\n"
    "Beside the API, without a key: GET /sandbox/state, GET /sandbox/calls?since=N, "
    "GET|POST|DELETE /sandbox/faults. A fault is {\"kind\": \"status\" | \"reply_lost\" | "
    "\"request_lost\" | \"slow\" | \"slow_before\" | \"locked\" | \"rate_limited\" | "
    "\"partial_listing\" | \"listing_lag\" | \"not_found_after_create\" | \"operation_ms\" | "
    "\"operation_fails\" | \"endpoint_refuses\" | \"commit_fails\", \"route\": \"POST /projects\", "
    "\"count\", "
    "\"skip\", "
    "\"match\", \"for_ms\", \"ms\", \"status\", \"code\", \"message\", \"html\", \"retry_after\", "
    "\"commit\", \"object\", \"action\", \"retry_ms\"}.\n\n"
    "As at Neon, roles that SQL makes, drops or gives a password are told to the control plane "
    "before the transaction commits; it refuses weak, empty and hashed passwords (XX000 at "
    "COMMIT), and the fault commit_fails (\"match\": part of an endpoint's id, \"count\") fails "
    "such commits after it was told. When a compute starts or is configured, a role that only the "
    "control plane knows is made with LOGIN, a neon_superuser, and a password or an owner of a "
    "database that it knows otherwise is set. POST /sandbox/knowledge {\"branch_id\", \"roles\": "
    "[{\"name\", \"password\"}], \"databases\": [{\"name\", \"owner_name\"}]} makes it know "
    "something; --no-reconfigure leaves all but passwords as SQL made it.";

static int64_t parse_number(struct argp_state *state, const char *text, int64_t least, int64_t most)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most) {
        argp_error(state, "'%s' is not a number from %lld to %lld", text, (long long)least,
                   (long long)most);
    }
    return value;
}

static void parse_list(struct argp_state *state, const char *text, const char **list, int *count,
                       int most)
{
    if (*count == most) {
        argp_error(state, "'%s' is one too many (%d at most)", text, most);
        return;
    }
    list[(*count)++] = text;
}

static const Plan *parse_plan(struct argp_state *state, const char *text)
{
    const Plan *plan = plans_find(text);
    if (plan == NULL) {
        argp_error(state, "'%s' is not a plan: free, launch or scale", text);
    }
    return plan;
}

static error_t parse_compute_option(int key, char *argument, struct argp_state *state)
{
    Options *options = state->input;
    switch (key) {
    case OPTION_NO_COMPUTE:
        options->compute = false;
        return 0;
    case OPTION_POSTGRES:
        parse_list(state, argument, options->postgres_dirs, &options->postgres_count,
                   OPTIONS_POSTGRES_MAX);
        return 0;
    case OPTION_USER:
        options->user = argument;
        return 0;
    case OPTION_KEEP_DELETED:
        options->keeps_deleted = true;
        return 0;
    case OPTION_HISTORY:
        options->history_mb = parse_number(state, argument, 0, 1048576);
        return 0;
    case OPTION_POSTGRES_PORT:
        options->postgres_port = (int)parse_number(state, argument, 0, 65535);
        return 0;
    case OPTION_LOG_STATEMENTS:
        options->logs_statements = true;
        return 0;
    case OPTION_NO_RECONFIGURE:
        options->reverts = false;
        return 0;
    case OPTION_OPERATION:
        options->operation_ms = parse_number(state, argument, 0, 3600000);
        return 0;
    case OPTION_LATENCY:
        options->latency_ms = parse_number(state, argument, 0, 600000);
        return 0;
    case OPTION_RATE_LIMIT:
        options->rate_limit = parse_number(state, argument, 0, 1000000);
        return 0;
    case OPTION_RATE_RETRY_AFTER:
        options->rate_retry_after = (int)parse_number(state, argument, 0, 3600);
        return 0;
    case OPTION_SUSPEND:
        options->suspend_ms = parse_number(state, argument, 1, 604800000);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_kafka_option(int key, char *argument, struct argp_state *state)
{
    Options *options = state->input;
    switch (key) {
    case OPTION_KAFKA:
        options->kafka = true;
        return 0;
    case OPTION_KAFKA_BROKERS:
        options->kafka_brokers = (int)parse_number(state, argument, 1, 9);
        return 0;
    case OPTION_KAFKA_TOPIC:
        parse_list(state, argument, options->kafka_topics, &options->kafka_topic_count,
                   OPTIONS_TOPICS_MAX);
        return 0;
    default:
        return parse_compute_option(key, argument, state);
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    Options *options = state->input;
    switch (key) {
    case OPTION_PORT:
        options->port = (int)parse_number(state, argument, 0, 65535);
        return 0;
    case OPTION_STATE:
        options->state_dir = argument;
        return 0;
    case OPTION_CACHE:
        options->cache_dir = argument;
        return 0;
    case OPTION_EPHEMERAL:
        options->ephemeral = true;
        return 0;
    case OPTION_SEED:
        options->seed_file = argument;
        return 0;
    case OPTION_KEYS:
        options->keys_file = argument;
        return 0;
    case OPTION_FAULTS:
        options->faults_file = argument;
        return 0;
    case OPTION_LOG:
        options->log_file = argument;
        return 0;
    case OPTION_RECORD:
        options->record_file = argument;
        return 0;
    case OPTION_QUIET:
        options->quiet = true;
        return 0;
    case OPTION_PLAN:
        options->plan = parse_plan(state, argument);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is not an option", argument);
        return 0;
    default:
        return parse_kafka_option(key, argument, state);
    }
}

void options_parse(int argc, char **argv, Options *ret_options)
{
    *ret_options = (Options){
        .port = 8080,
        .postgres_port = -1,
        .state_dir = "/tmp/neon-sandbox",
        .compute = true,
        .reverts = true,
        .operation_ms = 150,
        .suspend_ms = 300000,
        .history_mb = 1024,
        .rate_retry_after = -1,
        .kafka_brokers = 1,
    };
    argp_err_exit_status = 64;
    const struct argp parser = {OPTIONS, parse_option, NULL, DOCUMENTATION, NULL, NULL, NULL};
    argp_parse(&parser, argc, argv, 0, NULL, ret_options);
    if (ret_options->seed_file != NULL && !ret_options->compute) {
        fprintf(stderr, "neon-sandbox: --seed needs clusters, --no-compute has none\n");
        exit(argp_err_exit_status);
    }
    if (ret_options->postgres_count == 0) {
        ret_options->postgres_dirs[ret_options->postgres_count++] = "/usr/lib/postgresql/15";
    }
}

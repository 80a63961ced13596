#include "support/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/cmocka.h"

enum { URI_BYTES = 512 };

void setup_write(const World *world, const char *name, const char *text)
{
    const char *path = box_text("%s/%s", world->dir, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static PGconn *connect_to(const char *uri)
{
    PGconn *connection = PQconnectdb(uri);
    if (PQstatus(connection) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    PQclear(PQexec(connection, "SET client_min_messages = warning"));
    return connection;
}

static void execute(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    PQclear(result);
}

static void add_password(World *world, const char *uri)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, &reason);
    assert_non_null(options);
    for (PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "password") == 0 && option->val != NULL) {
            world_add_secret(world, option->val);
        }
    }
    PQconninfoFree(options);
}

void setup_ledger(World *world)
{
    const char *admin_uri = world_env("PROVISION_TEST_LEDGER");
    const char *slash = strrchr(admin_uri, '/');
    assert_non_null(slash);
    PGconn *admin = connect_to(admin_uri);
    execute(admin, box_text("CREATE DATABASE \"%s\"", world->name));
    PQfinish(admin);
    int length = snprintf(world->ledger_uri, sizeof(world->ledger_uri), "%.*s/%s",
                          (int)(slash - admin_uri), admin_uri, world->name);
    assert_in_range(length, 1, sizeof(world->ledger_uri) - 1);
    add_password(world, world->ledger_uri);
    setup_write(world, "ledger.uri", world->ledger_uri);
    world->ledger = connect_to(world->ledger_uri);
}

void setup_settings(World *world)
{
    static const char *const TOPICS[] = {"commands", "events", "state", "dead-letters"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(world->topics[i], sizeof(world->topics[i]), "%s.%s", world->name, TOPICS[i]);
    }
    setup_write(world, "worker.ini",
                box_text("log.level = debug\n"
                         "log.format = json\n"
                         "group.id = %s\n"
                         "admin.address = 127.0.0.1:0\n"
                         "ledger.uri_file = %s/ledger.uri\n"
                         "ledger.migrate = auto\n"
                         "postgres.ca_file = %s\n"
                         "secrets.fleet_private_key_file = %s/fleet.key\n"
                         "secrets.key_encryption_key_file = %s/kek.key\n"
                         "[topics]\n"
                         "commands = %s\n"
                         "events = %s\n"
                         "state = %s\n"
                         "dead_letters = %s\n"
                         "partitions = %d\n"
                         "[neon]\n"
                         "api_url = %s\n"
                         "poll_interval = 50ms\n"
                         "send_window = 2s\n"
                         "request_timeout = 15s\n"
                         "listing_lag = 1s\n"
                         "requests_per_second = 200\n"
                         "burst = 200\n"
                         "[kafka]\n"
                         "bootstrap.servers = %s\n"
                         "consumer.session.timeout.ms = 6000\n",
                         world->name, world->dir, world->box.ca_file, world->dir, world->dir,
                         world->topics[0], world->topics[1], world->topics[2], world->topics[3],
                         WORLD_PARTITIONS, world->box.api_url, world->bootstrap));
}

static void set_option(ProvisionOptions *options, const char *name, const char *value)
{
    ProvisionError err;
    if (!provision_options_set(options, name, value, &err)) {
        fail_msg("%s", err.text);
    }
}

static ProvisionClient *open_client(const World *world, const uint8_t *signing_key)
{
    ProvisionError err;
    ProvisionOptions *options = provision_options_new();
    set_option(options, "bootstrap.servers", world->bootstrap);
    set_option(options, "topics.commands", world->topics[0]);
    set_option(options, "topics.events", world->topics[1]);
    set_option(options, "topics.state", world->topics[2]);
    if (signing_key != NULL) {
        provision_options_set_signing_key(options, signing_key);
    }
    ProvisionClient *client = provision_client_new(options, &err);
    provision_options_free(options);
    if (client == NULL) {
        fail_msg("%s", err.text);
    }
    return client;
}

static rd_kafka_t *open_producer(const World *world)
{
    static const char *const PROPERTIES[][2] = {
        {"partitioner", "murmur2_random"},
        {"message.max.bytes", "20000000"},
        {"linger.ms", "0"},
    };
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", world->bootstrap, reason, sizeof(reason)),
        RD_KAFKA_CONF_OK);
    for (size_t i = 0; i < sizeof(PROPERTIES) / sizeof(PROPERTIES[0]); i++) {
        assert_int_equal(
            rd_kafka_conf_set(conf, PROPERTIES[i][0], PROPERTIES[i][1], reason, sizeof(reason)),
            RD_KAFKA_CONF_OK);
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    assert_non_null(producer);
    return producer;
}

void setup_client(World *world, const uint8_t signing_key[PROVISION_KEY_BYTES])
{
    provision_client_free(world->client);
    world->client = open_client(world, signing_key);
}

void setup_clients(World *world)
{
    const char *const topics[SEEN_TOPIC_COUNT] = {world->topics[1], world->topics[2],
                                                  world->topics[3]};
    world->client = open_client(world, NULL);
    world->producer = open_producer(world);
    world->reader = reader_open(world->bootstrap, topics);
}

void setup_end(World *world)
{
    reader_close(world->reader);
    rd_kafka_destroy(world->producer);
    provision_client_free(world->client);
    PQfinish(world->ledger);
    PGconn *admin = connect_to(world_env("PROVISION_TEST_LEDGER"));
    execute(admin, box_text("DROP DATABASE \"%s\" WITH (FORCE)", world->name));
    PQfinish(admin);
}

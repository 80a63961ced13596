#include "lib/options.h"

#include <string.h>

#include "unit.h"

static void what_the_guarantees_rest_on_cannot_be_changed(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "acks",      "request.required.acks",   "enable.idempotence", "partitioner",
        "group.id",  "isolation.level",         "transactional.id",   "enable.partition.eof",
        "no.option", "allow.auto.create.topics"};
    ProvisionOptions *options = provision_options_new();
    for (size_t i = 0; i < UNIT_COUNT(REFUSED); i++) {
        ProvisionError error;
        assert_false(provision_options_set(options, REFUSED[i], "1", &error));
        assert_int_equal(error.kind, PROVISION_ERROR_INVALID);
        assert_string_equal(error.code, "OPTION_INVALID");
        assert_string_equal(error.field, REFUSED[i]);
    }
    provision_options_free(options);
}

static void get(rd_kafka_conf_t *conf, const char *name, char *ret_value, size_t size)
{
    assert_int_equal(rd_kafka_conf_get(conf, name, ret_value, &size), RD_KAFKA_CONF_OK);
}

static void a_producer_is_idempotent_and_partitions_as_java(void **state)
{
    (void)state;
    ProvisionOptions *options = provision_options_new();
    assert_true(provision_options_set(options, "bootstrap.servers", "a:1", NULL));
    assert_true(provision_options_set(options, "message.timeout.ms", "1234", NULL));
    rd_kafka_conf_t *conf = options_producer_conf(options);
    char value[64];
    get(conf, "enable.idempotence", value, sizeof(value));
    assert_string_equal(value, "true");
    get(conf, "bootstrap.servers", value, sizeof(value));
    assert_string_equal(value, "a:1");
    get(conf, "partitioner", value, sizeof(value));
    assert_string_equal(value, "murmur2_random");
    get(conf, "message.timeout.ms", value, sizeof(value));
    assert_string_equal(value, "1234");
    rd_kafka_conf_destroy(conf);
    conf = options_consumer_conf(options);
    get(conf, "isolation.level", value, sizeof(value));
    assert_string_equal(value, "read_committed");
    rd_kafka_conf_destroy(conf);
    provision_options_free(options);
}

static void a_copy_has_a_signing_key_of_its_own(void **state)
{
    (void)state;
    static const uint8_t KEY[PROVISION_KEY_BYTES] = {1};
    ProvisionOptions *options = provision_options_new();
    assert_true(secret_is_empty(&options->signer.private_key));
    provision_options_set_signing_key(options, KEY);
    ProvisionOptions *copy = options_copy(options);
    assert_true(bytes_equal(secret_bytes(&copy->signer.private_key),
                            secret_bytes(&options->signer.private_key)));
    provision_options_free(options);
    assert_false(secret_is_empty(&copy->signer.private_key));
    assert_int_equal(strlen(copy->signer.id), CRYPTO_KEY_ID_BYTES - 1);
    provision_options_free(copy);
}

static void a_wrong_value_is_not_repeated(void **state)
{
    (void)state;
    ProvisionOptions *options = provision_options_new();
    ProvisionError error;
    assert_false(provision_options_set(options, "socket.timeout.ms", "hunter2", &error));
    assert_null(strstr(error.text, "hunter2"));
    assert_non_null(strstr(error.text, "socket.timeout.ms"));
    provision_options_free(options);
}

static void topics_have_names_that_kafka_takes(void **state)
{
    (void)state;
    char name[OPTIONS_TOPIC_BYTES + 1];
    memset(name, 'a', sizeof(name));
    name[OPTIONS_TOPIC_BYTES] = '\0';
    ProvisionOptions *options = provision_options_new();
    assert_false(provision_options_set(options, "topics.events", name, NULL));
    assert_false(provision_options_set(options, "topics.events", "", NULL));
    assert_string_equal(options->topics[OPTIONS_TOPIC_EVENTS], "provisioning.events");
    name[OPTIONS_TOPIC_BYTES - 1] = '\0';
    assert_true(provision_options_set(options, "topics.events", name, NULL));
    assert_string_equal(options->topics[OPTIONS_TOPIC_EVENTS], name);
    provision_options_free(options);
}

static void a_client_needs_servers(void **state)
{
    (void)state;
    ProvisionOptions *options = provision_options_new();
    ProvisionError error;
    assert_null(provision_client_new(options, &error));
    assert_string_equal(error.field, "bootstrap.servers");
    provision_options_free(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_guarantees_rest_on_cannot_be_changed),
        cmocka_unit_test(a_producer_is_idempotent_and_partitions_as_java),
        cmocka_unit_test(a_copy_has_a_signing_key_of_its_own),
        cmocka_unit_test(a_wrong_value_is_not_repeated),
        cmocka_unit_test(topics_have_names_that_kafka_takes),
        cmocka_unit_test(a_client_needs_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

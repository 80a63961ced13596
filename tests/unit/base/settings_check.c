#include "base/settings.h"

#include <string.h>

#include "unit.h"

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F"
#define VERIFY_KEY "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define SEVERAL_KEYS(setting)                                                                      \
    setting " must be 64 hex digits, or up to 4 different keys of 64 hex digits apart by commas"
#define PUBLIC_KEY "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"

typedef struct Pair {
    const char *name;
    const char *value;
} Pair;

typedef struct Case {
    Pair pairs[3]; // set on top of what is required
    const char *refusal;
} Case;

static const Pair REQUIRED[] = {
    {"kafka.bootstrap.servers", "localhost:9092"},
    {"ledger.uri", "postgresql://localhost/ledger"},
    {"secrets.key_encryption_key", KEY},
};

static const Case CASES[] = {
    {{{NULL, NULL}}, NULL},
    {{{"ledger.uri", ""}}, "ledger.uri is required"},
    {{{"group.static_membership", "on"}},
     "instance.id is required with group.static_membership = on"},
    {{{"group.static_membership", "on"}, {"instance.id", "w-1"}}, NULL},
    {{{"reveal.recipients", "shop=" PUBLIC_KEY}}, NULL},
    {{{"reveal.recipients", "shop=" PUBLIC_KEY ",shop"}},
     "reveal.recipients: entry 2 must be an application's name, '=' and the 64 hex digits of an "
     "X25519 public key (FILE.pub of provisionctl keygen)"},
    {{{"roles.prefix", "shop"}}, NULL},
    {{{"roles.prefix", "svc"}},
     "roles.prefix must be 1 to 16 characters of a-z, 0-9 and '_', a letter first, and neither db, "
     "svc, pg nor neon before its first '_'"},
    {{{"secrets.key_encryption_key", ""}}, "secrets.key_encryption_key is required"},
    {{{"group.id", ""}}, "group.id is required"},
    {{{"topics.state", ""}}, "topics.state is required"},
    {{{"instance.id", ""}, {"neon.ca_file", ""}}, NULL},
    {{{"admin.address", ""}}, NULL},
    {{{"neon.api_url", ""}}, "neon.api_url is required"},
    {{{"commands.held", "256"}}, NULL},
    {{{"commands.held", "255"}},
     "commands.held must not be less than commands.in_flight, whose places would stay empty: raise "
     "it, or lower commands.in_flight"},
    {{{"drain.finish", "30s"}}, NULL},
    {{{"drain.finish", "30001ms"}},
     "drain.finish must not be longer than drain.timeout, which ends it: shorten it, or raise "
     "drain.timeout"},
    {{{"sweep.min_age", "105s"}}, NULL},
    {{{"sweep.min_age", "104999ms"}},
     "sweep.min_age must not be shorter than neon.send_window, neon.request_timeout and "
     "neon.listing_lag together: raise it"},
    {{{"kafka.bootstrap.servers", ""}}, "kafka.bootstrap.servers is required"},
    {{{"kafka.bootstrap.servers", ""}, {"kafka.consumer.bootstrap.servers", "a"}},
     "kafka.bootstrap.servers is required"},
    {{{"kafka.bootstrap.servers", ""}, {"kafka.producer.bootstrap.servers", "a"}},
     "kafka.bootstrap.servers is required"},
    {{{"kafka.bootstrap.servers", ""},
      {"kafka.consumer.bootstrap.servers", "a"},
      {"kafka.producer.bootstrap.servers", "a"}},
     NULL},
    {{{"kafka.message.timeout.ms", "10000"}}, NULL},
    {{{"kafka.message.timeout.ms", "10001"}},
     "kafka.message.timeout.ms must not be longer than kafka.transaction.timeout.ms (default "
     "10000)"},
    {{{"kafka.producer.delivery.timeout.ms", "3000"}, {"kafka.transaction.timeout.ms", "2000"}},
     "kafka.message.timeout.ms must not be longer than kafka.transaction.timeout.ms (default "
     "10000)"},
    {{{"kafka.message.timeout.ms", "20000"}, {"kafka.transaction.timeout.ms", "20000"}}, NULL},
    {{{"kafka.producer.message.max.bytes", "1000"}},
     "kafka.message.max.bytes must be at least 1179648 with commands.max_bytes = 1048576"},
    {{{"kafka.message.max.bytes", "1179647"}},
     "kafka.message.max.bytes must be at least 1179648 with commands.max_bytes = 1048576"},
    {{{"kafka.message.max.bytes", "1179648"}}, NULL},
    {{{"kafka.consumer.message.max.bytes", "1000"}}, NULL},
    {{{"kafka.message.max.bytes", "1000"}, {"kafka.producer.message.max.bytes", "2000000"}}, NULL},
    {{{"kafka.message.max.bytes", "1200000"}, {"commands.max_bytes", "2MiB"}},
     "kafka.message.max.bytes must be at least 2228224 with commands.max_bytes = 2097152"},
    {{{"kafka.message.max.bytes", "1100000"}, {"commands.max_bytes", "1KiB"}},
     "kafka.message.max.bytes must be at least 1131072 with commands.max_bytes = 1024"},
    {{{"kafka.message.max.bytes", "1131072"}, {"commands.max_bytes", "1KiB"}}, NULL},
    {{{"topics.events", "provisioning.commands"}},
     "topics.events must not name the topic of another setting"},
    {{{"topics.dead_letters", "x"}, {"topics.commands", "x"}},
     "topics.dead_letters must not name the topic of another setting"},
    {{{"payload.framing", "confluent"}},
     "payload.event_schema_id is required with payload.framing = confluent"},
    {{{"payload.framing", "confluent"}, {"payload.event_schema_id", "1"}},
     "payload.state_schema_id is required with payload.framing = confluent"},
    {{{"payload.framing", "confluent"},
      {"payload.event_schema_id", "1"},
      {"payload.state_schema_id", "2"}},
     NULL},
    {{{"secrets.fleet_private_key", KEY}}, NULL},
    {{{"secrets.fleet_private_key", KEY "0"}}, SEVERAL_KEYS("secrets.fleet_private_key")},
    {{{"secrets.key_encryption_key", "short"}}, SEVERAL_KEYS("secrets.key_encryption_key")},
    {{{"secrets.key_encryption_key", KEY "," PUBLIC_KEY}}, NULL},
    {{{"secrets.key_encryption_key", KEY "," KEY}}, SEVERAL_KEYS("secrets.key_encryption_key")},
    {{{"secrets.key_encryption_key", " , "}}, "secrets.key_encryption_key is required"},
    {{{"secrets.fleet_private_key", " "}}, NULL},
    {{{"commands.signing_key", KEY}}, NULL},
    {{{"commands.signing_key", KEY "," KEY}}, "commands.signing_key must be 64 hex digits"},
    {{{"commands.require_signature", "on"}},
     "commands.signing_key is required with commands.require_signature = on: make one with "
     "`provisionctl keygen --signing`"},
    {{{"commands.require_signature", "on"}, {"commands.signing_key", KEY}}, NULL},
    {{{"commands.signers", "shop=" VERIFY_KEY " *=" VERIFY_KEY}}, NULL},
    {{{"commands.signers", "shop=" VERIFY_KEY ",*"}},
     "commands.signers: entry 2 must be an application's name or *, '=' and the 64 hex digits of "
     "an Ed25519 public key (FILE.pub of provisionctl keygen --signing)"},
    {{{"reveal.recipients", "*=" PUBLIC_KEY}},
     "reveal.recipients: entry 1 must be an application's name, '=' and the 64 hex digits of an "
     "X25519 public key (FILE.pub of provisionctl keygen)"},
    {{{"secrets.references_root", "/etc/provision"}}, NULL},
    {{{"secrets.references_root", "etc"}}, "secrets.references_root must be an absolute path"},
    {{{"environments.check_login", "off"}},
     "environments.check_login may be off only where neon.api_url is on loopback"},
    {{{"environments.check_login", "off"}, {"neon.api_url", "https://127.0.0.1/api/v2"}}, NULL},
};

static void assert_checked(const Pair *pairs, size_t count, const char *refusal)
{
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    Error err = ERROR_INIT;
    for (size_t i = 0; i < UNIT_COUNT(REQUIRED); i++) {
        assert_true(settings_set(settings, REQUIRED[i].name, REQUIRED[i].value, "", &err));
    }
    for (size_t i = 0; i < count && pairs[i].name != NULL; i++) {
        assert_true(settings_set(settings, pairs[i].name, pairs[i].value, "", &err));
    }
    bool holds = settings_check(settings, &err);
    assert_string_equal(err.text, refusal == NULL ? "" : refusal);
    assert_string_equal(err.code, refusal == NULL ? "" : "SETTING_INVALID");
    assert_int_equal(holds, refusal == NULL);
}

static void settings_must_fit_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_checked(CASES[i].pairs, UNIT_COUNT(CASES[i].pairs), CASES[i].refusal);
    }
}

typedef enum UrlKind { URL_TAKEN, URL_CLEAR, URL_BROKEN } UrlKind;

typedef struct UrlCase {
    const char *url;
    UrlKind kind;
} UrlCase;

static const UrlCase URLS[] = {
    {"https://console.neon.tech/api/v2", URL_TAKEN},
    {"https://neon.example:8443", URL_TAKEN},
    {"http://localhost:8080/api/v2", URL_TAKEN},
    {"http://neon.localhost/api/v2", URL_TAKEN},
    {"http://127.0.0.1:1/", URL_TAKEN},
    {"http://127.255.0.9", URL_TAKEN},
    {"http://[::1]:8080/api/v2", URL_TAKEN},
    {"http://console.neon.tech/api/v2", URL_CLEAR},
    {"http://128.0.0.1/", URL_CLEAR},
    {"http://127.0.0.1.evil.example/", URL_CLEAR},
    {"http://[::2]/", URL_CLEAR},
    {"http://notlocalhost/", URL_CLEAR},
    {"http://localhost.evil.example/", URL_CLEAR},
    {"http://localhost@evil.example/", URL_BROKEN},
    {"https://user:key@console.neon.tech/", URL_BROKEN},
    {"https://console.neon.tech/?a=b", URL_BROKEN},
    {"https://console.neon.tech/#a", URL_BROKEN},
    {"https://con sole/", URL_BROKEN},
    {"http://localhost\\@evil.example/", URL_BROKEN},
    {"https://", URL_BROKEN},
    {"https:///api", URL_BROKEN},
    {"ftp://localhost/", URL_BROKEN},
    {"console.neon.tech", URL_BROKEN},
};

static void api_keys_travel_encrypted_or_over_loopback(void **state)
{
    (void)state;
    static const char *const REFUSALS[] = {
        [URL_TAKEN] = NULL,
        [URL_CLEAR] = "neon.api_url may be http:// only to loopback: API keys would travel in "
                      "clear",
        [URL_BROKEN] = "neon.api_url must be http(s)://host[:port][/path]",
    };
    for (size_t i = 0; i < UNIT_COUNT(URLS); i++) {
        assert_checked(&(Pair){"neon.api_url", URLS[i].url}, 1, REFUSALS[URLS[i].kind]);
    }
}

static void a_host_has_at_most_255_characters(void **state)
{
    (void)state;
    char url[300] = "https://";
    memset(url + 8, 'x', 255);
    assert_checked(&(Pair){"neon.api_url", url}, 1, NULL);
    memset(url + 8, 'x', 256);
    assert_checked(&(Pair){"neon.api_url", url}, 1,
                   "neon.api_url must be http(s)://host[:port][/path]");
}

static void an_api_on_loopback_is_local(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is_local;
    } CASES_OF_URLS[] = {
        {"https://console.neon.tech/api/v2", false},
        {"http://127.0.0.1:1234/api/v2", true},
        {"https://api.localhost/api/v2", true},
        {"https://localhost.example.com", false},
        {"http://[::1]:80", true},
        {"https://169.254.169.254", false},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES_OF_URLS); i++) {
        Settings *settings = settings_new();
        assert_true(settings_set(settings, "neon.api_url", CASES_OF_URLS[i].url, "test", NULL));
        assert_int_equal(settings_api_is_local(settings), CASES_OF_URLS[i].is_local);
        settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_must_fit_together),
        cmocka_unit_test(api_keys_travel_encrypted_or_over_loopback),
        cmocka_unit_test(a_host_has_at_most_255_characters),
        cmocka_unit_test(an_api_on_loopback_is_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/settings.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/key_list.h"
#include "base/name.h"
#include "base/recipients.h"
#include "base/settings_value.h"
#include "base/signers.h"

static bool invalid(Error *err, const char *what, SettingId id)
{
    return error_set(err, ERROR_INVALID, "SETTING_INVALID", "%s %s", settings_name(id), what);
}

static bool is_empty(const Settings *settings, SettingId id)
{
    return settings_row(id)->type == SETTING_TYPE_SECRET
               ? secret_is_empty(settings_secret(settings, id))
               : settings_text(settings, id)[0] == '\0';
}

static bool check_filled(const Settings *settings, Error *err)
{
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        if (settings_value_is_required(settings_row(id)) && is_empty(settings, id)) {
            return invalid(err, "is required", id);
        }
    }
    return true;
}

static bool check_limits(const Settings *settings, Error *err)
{
    if (settings_number(settings, SETTING_COMMANDS_HELD) <
        settings_number(settings, SETTING_COMMANDS_IN_FLIGHT)) {
        return invalid(err,
                       "must not be less than commands.in_flight, whose places would stay empty: "
                       "raise it, or lower commands.in_flight",
                       SETTING_COMMANDS_HELD);
    }
    return settings_number(settings, SETTING_DRAIN_FINISH) <=
               settings_number(settings, SETTING_DRAIN_TIMEOUT) ||
           invalid(err,
                   "must not be longer than drain.timeout, which ends it: shorten it, or raise "
                   "drain.timeout",
                   SETTING_DRAIN_FINISH);
}

// Until then a call that nobody waits for any more may still make something.
static bool check_sweep(const Settings *settings, Error *err)
{
    int64_t settle_ms = settings_number(settings, SETTING_NEON_SEND_WINDOW) +
                        settings_number(settings, SETTING_NEON_REQUEST_TIMEOUT) +
                        settings_number(settings, SETTING_NEON_LISTING_LAG);
    return settings_number(settings, SETTING_SWEEP_MIN_AGE) >= settle_ms ||
           invalid(err,
                   "must not be shorter than neon.send_window, neon.request_timeout and "
                   "neon.listing_lag together: raise it",
                   SETTING_SWEEP_MIN_AGE);
}

static bool check_topics(const Settings *settings, Error *err)
{
    static const SettingId TOPICS[] = {SETTING_TOPIC_COMMANDS, SETTING_TOPIC_EVENTS,
                                       SETTING_TOPIC_STATE, SETTING_TOPIC_DEAD_LETTERS};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(settings_text(settings, TOPICS[i]), settings_text(settings, TOPICS[j])) ==
                0) {
                return invalid(err, "must not name the topic of another setting", TOPICS[i]);
            }
        }
    }
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

// localhost and what is below it (RFC 6761 §6.3), 127.0.0.0/8, ::1; `host` without port.
static bool is_loopback(const char *host)
{
    struct in_addr ip4;
    struct in6_addr ip6;
    if (inet_pton(AF_INET, host, &ip4) == 1) {
        return ntohl(ip4.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (inet_pton(AF_INET6, host, &ip6) == 1) {
        return memcmp(&ip6, &in6addr_loopback, sizeof ip6) == 0;
    }
    return strcmp(host, "localhost") == 0 || ends_with(host, ".localhost");
}

typedef struct ApiUrl {
    bool valid;
    bool encrypted;
    bool loopback;
} ApiUrl;

// http(s)://host[:port][/path]; no user, query or fragment.
static ApiUrl read_url(const char *url)
{
    ApiUrl result = {.encrypted = strncmp(url, "https://", 8) == 0};
    if (!result.encrypted && strncmp(url, "http://", 7) != 0) {
        return result;
    }
    const char *start = url + (result.encrypted ? 8 : 7);
    bool bracketed = start[0] == '[';
    start += bracketed ? 1 : 0;
    size_t length = strcspn(start, bracketed ? "]" : ":/");
    char host[256];
    result.valid = length > 0 && length < sizeof host && strpbrk(url, "@?# \"<>\\") == NULL;
    if (result.valid) {
        memcpy(host, start, length);
        host[length] = '\0';
        result.loopback = is_loopback(host);
    }
    return result;
}

bool settings_api_is_local(const Settings *settings)
{
    return read_url(settings_text(settings, SETTING_NEON_API_URL)).loopback;
}

static bool check_api(const Settings *settings, Error *err)
{
    ApiUrl url = read_url(settings_text(settings, SETTING_NEON_API_URL));
    if (!url.valid) {
        return invalid(err, "must be http(s)://host[:port][/path]", SETTING_NEON_API_URL);
    }
    if (!url.encrypted && !url.loopback) {
        return invalid(err, "may be http:// only to loopback: API keys would travel in clear",
                       SETTING_NEON_API_URL);
    }
    if (!settings_flag(settings, SETTING_CHECK_LOGIN) && !url.loopback) {
        return invalid(err, "may be off only where neon.api_url is on loopback",
                       SETTING_CHECK_LOGIN);
    }
    return true;
}

static bool check_membership(const Settings *settings, Error *err)
{
    return !settings_flag(settings, SETTING_GROUP_STATIC) ||
           !is_empty(settings, SETTING_INSTANCE_ID) ||
           invalid(err, "is required with group.static_membership = on", SETTING_INSTANCE_ID);
}

static bool check_framing(const Settings *settings, Error *err)
{
    if (strcmp(settings_text(settings, SETTING_PAYLOAD_FRAMING), "confluent") != 0) {
        return true;
    }
    static const SettingId IDS[] = {SETTING_PAYLOAD_EVENT_SCHEMA, SETTING_PAYLOAD_STATE_SCHEMA};
    for (size_t i = 0; i < 2; i++) {
        if (settings_number(settings, IDS[i]) == 0) {
            return invalid(err, "is required with payload.framing = confluent", IDS[i]);
        }
    }
    return true;
}

static bool check_keys(const Settings *settings, Error *err)
{
    static const SettingId KEYS[] = {SETTING_FLEET_PRIVATE_KEY, SETTING_KEY_ENCRYPTION_KEY};
    for (size_t i = 0; i < 2; i++) {
        KeyList keys;
        if (!key_list_parse(secret_reveal(settings_secret(settings, KEYS[i])), &keys)) {
            return invalid(
                err,
                "must be 64 hex digits, or up to 4 different keys of 64 hex digits apart "
                "by commas",
                KEYS[i]);
        }
        bool is_missing = keys.count == 0 && settings_value_is_required(settings_row(KEYS[i]));
        key_list_clear(&keys);
        if (is_missing) {
            return invalid(err, "is required", KEYS[i]);
        }
    }
    return true;
}

static bool check_references(const Settings *settings, Error *err)
{
    const char *root = settings_text(settings, SETTING_REFERENCES_ROOT);
    return root[0] == '\0' || root[0] == '/' ||
           invalid(err, "must be an absolute path", SETTING_REFERENCES_ROOT);
}

static bool check_recipients(const Settings *settings, Error *err)
{
    size_t wrong = recipients_first_wrong(settings_text(settings, SETTING_REVEAL_RECIPIENTS));
    return wrong == 0 ||
           error_set(err, ERROR_INVALID, "SETTING_INVALID",
                     "%s: entry %zu must be an application's name, '=' and the 64 hex digits of an "
                     "X25519 public key (FILE.pub of provisionctl keygen)",
                     settings_name(SETTING_REVEAL_RECIPIENTS), wrong);
}

// What workers send themselves would be refused without a key.
static bool check_signing(const Settings *settings, Error *err)
{
    const Secret *secret = settings_secret(settings, SETTING_COMMANDS_SIGNING_KEY);
    uint8_t key[CRYPTO_KEY_BYTES];
    bool fits =
        secret_is_empty(secret) || crypto_hex_decode(secret_reveal(secret), key, sizeof key);
    secret_zero(key, sizeof key);
    if (!fits) {
        return invalid(err, "must be 64 hex digits", SETTING_COMMANDS_SIGNING_KEY);
    }
    return !settings_flag(settings, SETTING_COMMANDS_SIGNED) || !secret_is_empty(secret) ||
           invalid(err,
                   "is required with commands.require_signature = on: make one with `provisionctl "
                   "keygen --signing`",
                   SETTING_COMMANDS_SIGNING_KEY);
}

static bool check_signers(const Settings *settings, Error *err)
{
    size_t wrong = signers_first_wrong(settings_text(settings, SETTING_COMMANDS_SIGNERS));
    return wrong == 0 ||
           error_set(err, ERROR_INVALID, "SETTING_INVALID",
                     "%s: entry %zu must be an application's name or *, '=' and the 64 hex digits "
                     "of an Ed25519 public key (FILE.pub of provisionctl keygen --signing)",
                     settings_name(SETTING_COMMANDS_SIGNERS), wrong);
}

static bool check_prefix(const Settings *settings, Error *err)
{
    return name_check_prefix(settings_text(settings, SETTING_ROLES_PREFIX), "", NULL) ||
           invalid(
               err,
               "must be 1 to 16 characters of a-z, 0-9 and '_', a letter first, and neither db, "
               "svc, pg nor neon before its first '_'",
               SETTING_ROLES_PREFIX);
}

typedef struct KafkaNumbers {
    bool has_servers;
    int64_t message_timeout_ms;
    int64_t transaction_timeout_ms;
    int64_t message_max_bytes;
} KafkaNumbers;

// An outcome event or state has a megabyte at most. A dead letter carries a whole command, its key
// and headers or their hashes, and what was wrong with it.
enum { EVENT_MAX_BYTES = 1000 * 1000, RECORD_ROOM_BYTES = 128 * 1024 };

static void read_kafka(void *context, const char *property, const char *value, bool is_secret)
{
    (void)is_secret;
    KafkaNumbers *numbers = context;
    if (strcmp(property, "bootstrap.servers") == 0) {
        numbers->has_servers = value[0] != '\0';
    }
    if (strcmp(property, "message.timeout.ms") == 0 ||
        strcmp(property, "delivery.timeout.ms") == 0) {
        (void)settings_value_number(SETTING_TYPE_COUNT, value, &numbers->message_timeout_ms);
    }
    if (strcmp(property, "message.max.bytes") == 0) {
        (void)settings_value_number(SETTING_TYPE_COUNT, value, &numbers->message_max_bytes);
    }
    if (strcmp(property, "transaction.timeout.ms") == 0) {
        (void)settings_value_number(SETTING_TYPE_COUNT, value, &numbers->transaction_timeout_ms);
    }
}

// What the producer refuses is never told to anybody.
static bool check_record_size(const Settings *settings, const KafkaNumbers *producer, Error *err)
{
    int64_t max_bytes = settings_number(settings, SETTING_COMMANDS_MAX_BYTES);
    int64_t least = (max_bytes > EVENT_MAX_BYTES ? max_bytes : EVENT_MAX_BYTES) + RECORD_ROOM_BYTES;
    return producer->message_max_bytes >= least ||
           error_set(err, ERROR_INVALID, "SETTING_INVALID",
                     "kafka.message.max.bytes must be at least %" PRId64
                     " with commands.max_bytes = %" PRId64,
                     least, max_bytes);
}

static bool check_kafka(const Settings *settings, Error *err)
{
    KafkaNumbers consumer = {.has_servers = false};
    KafkaNumbers producer = {.transaction_timeout_ms = SETTINGS_TRANSACTION_TIMEOUT_MS,
                             .message_max_bytes = INT64_MAX};
    settings_each_kafka(settings, KAFKA_CLIENT_CONSUMER, read_kafka, &consumer);
    settings_each_kafka(settings, KAFKA_CLIENT_PRODUCER, read_kafka, &producer);
    if (!consumer.has_servers || !producer.has_servers) {
        return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                         "kafka.bootstrap.servers is required");
    }
    if (producer.message_timeout_ms > producer.transaction_timeout_ms) {
        return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                         "kafka.message.timeout.ms must not be longer than "
                         "kafka.transaction.timeout.ms (default %d)",
                         SETTINGS_TRANSACTION_TIMEOUT_MS);
    }
    return check_record_size(settings, &producer, err);
}

bool settings_check(const Settings *settings, Error *err)
{
    return check_filled(settings, err) && check_limits(settings, err) &&
           check_sweep(settings, err) && check_kafka(settings, err) &&
           check_membership(settings, err) && check_topics(settings, err) &&
           check_api(settings, err) && check_framing(settings, err) && check_keys(settings, err) &&
           check_references(settings, err) && check_recipients(settings, err) &&
           check_signing(settings, err) && check_signers(settings, err) &&
           check_prefix(settings, err);
}

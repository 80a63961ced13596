/*
 * Every setting of provision-worker, once: SETTING(symbol, name, type, default, flags, help).
 * Parsing, --help, --print-config, the README's table and the environment's names come from here.
 *
 * Types: TEXT; SECRET and LIST (both also as <name>_file; a list's entries stand apart by commas,
 * spaces or line breaks); FLAG (on | off); COUNT (whole number); BYTES (with
 * KiB, MiB); DURATION (ms, s, m, h, d); CHOICE(a|b|c) as written in the flags column. Other flags:
 * required; optional (the default can be replaced by nothing).
 */
// clang-format off
#define SETTINGS_TABLE(SETTING)                                                                                        \
SETTING(INSTANCE_ID,          "instance.id",                TEXT,     "",           "",  "stable name of this worker; makes its transactional.id stable") \
SETTING(LOG_LEVEL,            "log.level",                  CHOICE,   "info",       "debug|info|warning|error", "least important lines that are written") \
SETTING(LOG_FORMAT,           "log.format",                 CHOICE,   "auto",       "auto|json|text", "auto: text on a terminal, else JSON") \
SETTING(GROUP_ID,             "group.id",                   TEXT,     "provision-worker", "", "consumer group of the fleet") \
SETTING(GROUP_STATIC,         "group.static_membership",    FLAG,     "off",        "", "a worker that comes back under its instance.id within session.timeout.ms keeps its partitions, and nobody takes them meanwhile; for fleets of fixed size") \
SETTING(TOPIC_COMMANDS,       "topics.commands",            TEXT,     "provisioning.commands", "", "topic with the commands") \
SETTING(TOPIC_EVENTS,         "topics.events",              TEXT,     "provisioning.events", "", "topic for the events") \
SETTING(TOPIC_STATE,          "topics.state",               TEXT,     "provisioning.state", "", "compacted topic for the current states") \
SETTING(TOPIC_DEAD_LETTERS,   "topics.dead_letters",        TEXT,     "provisioning.dead-letters", "", "topic for records that can't be executed") \
SETTING(TOPICS_PARTITIONS,    "topics.partitions",          COUNT,    "12",         "1..1000", "partitions that `topics create` gives each topic") \
SETTING(TOPICS_REPLICATION,   "topics.replication",         COUNT,    "1",          "1..16", "replicas that `topics create` gives each topic") \
SETTING(COMMANDS_MAX_BYTES,   "commands.max_bytes",         BYTES,    "1MiB",       "1KiB..16MiB", "largest command; a larger one is a dead letter") \
SETTING(COMMANDS_MAX_AGE,     "commands.max_age",           DURATION, "24h",        "1m..365d", "an older command is rejected as expired instead of started") \
SETTING(COMMANDS_MAX_WAIT,    "commands.max_wait",          DURATION, "15m",        "1s..24h", "longest wait for a busy Neon without any progress") \
SETTING(COMMANDS_IN_FLIGHT,   "commands.in_flight",         COUNT,    "256",        "1..10000", "commands a worker works on at once, of each application in turn; those that wait for Neon, for another command or for a time don't count") \
SETTING(COMMANDS_HELD,        "commands.held",              COUNT,    "3000",       "1..100000", "commands and unpublished outcomes a worker holds; half of it is shared out equally among its partitions, and one that has used its share and the rest is paused") \
SETTING(COMMANDS_MEMORY,      "commands.memory",            BYTES,    "64MiB",      "1MiB..1024MiB", "memory of those, shared out in the same way") \
SETTING(COMMANDS_PARTITIONER, "commands.partitioner",       CHOICE,   "murmur2",    "murmur2|unchecked", "murmur2: a command on another partition than its key's is refused") \
SETTING(COMMANDS_SIGNED,      "commands.require_signature", FLAG,     "off",        "", "execute only commands that one of commands.signers, or a worker, has signed; others are dead letters") \
SETTING(COMMANDS_SIGNERS,     "commands.signers",           LIST,     "",           "", "who may sign commands: APPLICATION=HEX entries, HEX an Ed25519 public key of 64 digits (provisionctl keygen --signing), APPLICATION * for all of them; several of one application are good at once") \
SETTING(COMMANDS_SIGNING_KEY, "commands.signing_key",       SECRET,   "",           "", "Ed25519 private key, 64 hex digits (provisionctl keygen --signing), of the commands that workers send themselves; the same for all workers") \
SETTING(COMMANDS_CRASH_LIMIT, "commands.crash_limit",       COUNT,    "5",          "1..100", "intents left open by their opener before a command is given up (CRASH_LOOP)") \
SETTING(PAYLOAD_FRAMING,      "payload.framing",            CHOICE,   "plain",      "plain|confluent", "framing of event and state values; commands are read in both") \
SETTING(PAYLOAD_EVENT_SCHEMA, "payload.event_schema_id",    COUNT,    "0",          "0..2147483647", "schema id of Event in the confluent framing") \
SETTING(PAYLOAD_STATE_SCHEMA, "payload.state_schema_id",    COUNT,    "0",          "0..2147483647", "schema id of State in the confluent framing") \
SETTING(PUBLISH_LINGER,       "publish.linger",             DURATION, "0ms",        "0ms..10s", "wait this long for more outcomes before a transaction") \
SETTING(PUBLISH_ACCEPTED,     "publish.accepted",           FLAG,     "off",        "",  "publish CommandAccepted when a worker takes a command") \
SETTING(PUBLISH_STEPS,        "publish.steps",              FLAG,     "off",        "",  "publish StepFinished when a command moves past a step") \
SETTING(LEDGER_URI,           "ledger.uri",                 SECRET,   "",           "required", "PostgreSQL connection URI of the ledger") \
SETTING(LEDGER_MIGRATE,       "ledger.migrate",             CHOICE,   "off",        "off|auto", "auto: apply the ledger's migrations at start") \
SETTING(LEDGER_CONNECTIONS,   "ledger.connections",         COUNT,    "2",          "1..32", "connections to the ledger") \
SETTING(LEDGER_RETENTION,     "ledger.retention",           DURATION, "30d",        "1d..3650d", "finished commands are kept at least this long; not shorter than the command topic's retention") \
SETTING(LEDGER_TIMEOUT,       "ledger.statement_timeout",   DURATION, "10s",        "100ms..10m", "longest ledger statement") \
SETTING(LEDGER_NOTE_AFTER,    "ledger.note_after",          DURATION, "10s",        "100ms..1h", "a command that waits for so long without writing has noted what for (provisionctl status)") \
SETTING(NEON_API_URL,         "neon.api_url",               TEXT,     "https://console.neon.tech/api/v2", "", "Neon's API; http:// only for loopback") \
SETTING(NEON_CA_FILE,         "neon.ca_file",               TEXT,     "",           "", "CA certificates for the API; empty: the system's") \
SETTING(NEON_SEND_WINDOW,     "neon.send_window",           DURATION, "15s",        "1s..5m", "a mutating request is written whole within this time, or not at all") \
SETTING(NEON_REQUEST_TIMEOUT, "neon.request_timeout",       DURATION, "60s",        "1s..10m", "assumed of Neon: what was sent takes effect within this time, or never") \
SETTING(NEON_LISTING_LAG,     "neon.listing_lag",           DURATION, "30s",        "0s..10m", "assumed of Neon: what took effect is in every listing within this time") \
SETTING(NEON_RATE,            "neon.requests_per_second",   COUNT,    "8",          "0..1000", "most requests a second for each Neon account by this worker, fewer after 429s; 0: no limit") \
SETTING(NEON_BURST,           "neon.burst",                 COUNT,    "20",         "1..1000", "requests at once for each Neon account, fewer after 429s") \
SETTING(NEON_REPLY_MEMORY,    "neon.reply_memory",          BYTES,    "32MiB",      "1MiB..1024MiB", "memory of all replies under way; one that goes beyond counts as lost") \
SETTING(NEON_CONNECTIONS,     "neon.connections",           COUNT,    "256",        "1..10000", "connections to Neon's API, one for each call under way; further calls wait") \
SETTING(NEON_POLL,            "neon.poll_interval",         DURATION, "1s",         "50ms..1m", "between two looks at an operation that runs") \
SETTING(NEON_OPERATION_LIMIT, "neon.operation_timeout",     DURATION, "5m",         "1s..24h", "longest wait for one operation that makes no progress") \
SETTING(CHECK_LOGIN,          "environments.check_login",   FLAG,     "on",         "", "prove with a login that a new environment works; off only where the API is on loopback") \
SETTING(POSTGRES_CA_FILE,     "postgres.ca_file",           TEXT,     "",           "", "CA certificates for the branches' PostgreSQL; empty: the system's") \
SETTING(POSTGRES_TIMEOUT,     "postgres.connect_timeout",   DURATION, "15s",        "1s..5m", "longest connect to a branch, cold start included") \
SETTING(POSTGRES_ATTEMPTS,    "postgres.login_attempts",    COUNT,    "20",         "1..1000", "logins to a new branch before it counts as broken") \
SETTING(FLEET_PRIVATE_KEY,    "secrets.fleet_private_key",  SECRET,   "",           "", "X25519 private key, 64 hex digits (provisionctl keygen); opens API keys in commands; up to 4 apart by commas, while senders change over") \
SETTING(KEY_ENCRYPTION_KEY,   "secrets.key_encryption_key", SECRET,   "",           "required", "32 bytes, 64 hex digits; seals what the ledger keeps; up to 4 apart by commas: the first seals, all of them open (provision-worker rekey)") \
SETTING(REFERENCES_ROOT,      "secrets.references_root",    TEXT,     "",           "", "folder with a folder for each application, under which file: and env: references are looked up") \
SETTING(ALLOW_PLAINTEXT,      "secrets.allow_plaintext",    FLAG,     "off",        "", "accept API keys in clear in commands") \
SETTING(REVEAL_RECIPIENTS,    "reveal.recipients",          LIST,     "",           "", "who may be sent passwords: APPLICATION=HEX entries, HEX an X25519 public key of 64 digits (provisionctl keygen); empty: nobody") \
SETTING(ROLES_PREFIX,         "roles.prefix",               TEXT,     "encore",     "", "beginning of the roles over all databases (<prefix>_platform, _reader, _writer, _admin): [a-z][a-z0-9_]{0,15}; the same for all workers, and never changed while environments have such roles") \
SETTING(SWEEP_INTERVAL,       "sweep.interval",             DURATION, "0s",         "0s..365d", "how often one worker of the fleet has every account swept for branches that no environment owns; 0: never") \
SETTING(SWEEP_DELETE,         "sweep.delete",               FLAG,     "off",        "", "periodic sweeps delete what was left for certain and close what has expired; off: they only report it (AccountSwept)") \
SETTING(SWEEP_MIN_AGE,        "sweep.min_age",              DURATION, "1h",         "1s..365d", "a younger branch is taken for something that is being made; not shorter than neon.send_window, neon.request_timeout and neon.listing_lag together") \
SETTING(DRAIN_FINISH,         "drain.finish",               DURATION, "0ms",        "0ms..1h", "after SIGTERM: commands go on for so long; then the fleet takes them over, and only calls under way are ended here") \
SETTING(DRAIN_TIMEOUT,        "drain.timeout",              DURATION, "30s",        "1s..1h", "after SIGTERM: calls that have not ended by then are cut off") \
SETTING(ADMIN_ADDRESS,        "admin.address",              TEXT,     "127.0.0.1:9464", "optional", "where /livez, /readyz and /metrics are served, without a login; port 0: any; empty: nowhere") \
SETTING(EVENTS_SOURCE,        "events.source",              TEXT,     "",           "", "ce_source of events; empty: /neon-provisioner/<installation>")
// clang-format on

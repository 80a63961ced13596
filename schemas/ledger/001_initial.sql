-- runs with: 1
-- The first version of the ledger. The table provision.schema_migration is not made here: who
-- applies migrations needs it before the first of them.

CREATE TABLE provision.installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE provision.installation IS
    'One row: the id that stands in the marks of everything made in Neon. A copy of a ledger that '
    'is to run beside the original needs another id';
INSERT INTO provision.installation DEFAULT VALUES;

-- Keys sort as bytes, so that batches of all workers lock their rows in one order.

CREATE TABLE provision.application (
    application_id text COLLATE "C" PRIMARY KEY,
    preview_base text COLLATE "C",
    sequence bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN provision.application.preview_base IS
    'Environment that previews branch off; NULL: none set';

CREATE TABLE provision.account (
    application_id text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    sealed_key bytea,
    key_kind text CHECK (key_kind IN ('personal', 'organization', 'project')),
    neon_account_id text,
    org_id text,
    project_id text COLLATE "C",
    sequence bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (application_id, account)
);
COMMENT ON COLUMN provision.account.sealed_key IS
    'The Neon API key under the key-encryption key, bound to application and account; NULL: '
    'disconnected (the row stays, because its sequence goes on)';
COMMENT ON COLUMN provision.account.neon_account_id IS
    'Whose rate limit the key uses: shared by all keys of the same Neon account';
COMMENT ON COLUMN provision.account.project_id IS 'Of a project-scoped key';

CREATE TABLE provision.environment (
    application_id text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    state text NOT NULL CHECK (state IN ('creating', 'ready', 'deleting', 'failed', 'gone')),
    origin text NOT NULL CHECK (origin IN ('created', 'branched', 'imported')),
    command_id uuid NOT NULL,
    action text NOT NULL,
    spec_digest bytea NOT NULL CHECK (octet_length(spec_digest) = 32),
    account text COLLATE "C",
    project_id text COLLATE "C",
    branch_id text COLLATE "C",
    endpoint_id text COLLATE "C",
    details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    sequence bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    unsettled_until timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (application_id, environment)
);
CREATE INDEX environment_by_project ON provision.environment (project_id) WHERE state <> 'gone';
COMMENT ON TABLE provision.environment IS
    'A row stays when its environment is gone: its sequence goes on where the name is used again';
COMMENT ON COLUMN provision.environment.command_id IS
    'The command that creates, branches or imports it; action and spec_digest are that command''s';
COMMENT ON COLUMN provision.environment.spec_digest IS
    'SHA-256 of the action alone: the same again is a repeat, another one is ENVIRONMENT_EXISTS';
COMMENT ON COLUMN provision.environment.project_id IS
    'Set before the first branch is asked for, so that who deletes the project sees the row';
COMMENT ON COLUMN provision.environment.details IS
    'Names, host, settings, databases, roles, expiry; in left: what could not be undone';
COMMENT ON COLUMN provision.environment.unsettled_until IS
    'Until then something of an intent that was passed over may still appear at Neon';

CREATE TABLE provision.role_secret (
    application_id text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    sealed_password bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (application_id, environment, role)
);
COMMENT ON COLUMN provision.role_secret.sealed_password IS
    'Of a role made by SQL, which Neon does not reveal; bound to application and role';

CREATE TABLE provision.command (
    application_id text COLLATE "C" NOT NULL,
    command_id uuid NOT NULL,
    digest bytea CHECK (octet_length(digest) = 32),
    action text,
    partition integer,
    record_offset bigint,
    record_timestamp_ms bigint,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'finished')),
    epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    takeovers bigint NOT NULL DEFAULT 0,
    stop text CHECK (stop IN ('cancelled', 'superseded')),
    stopped_by uuid,
    direction text NOT NULL DEFAULT 'forward' CHECK (direction IN ('forward', 'undo')),
    first_error jsonb CHECK (jsonb_typeof(first_error) = 'object'),
    journal jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(journal) = 'object'),
    intent_status text CHECK (intent_status IN ('open', 'closed')),
    intent_step text,
    intent_number bigint NOT NULL DEFAULT 0,
    intent_epoch bigint,
    intent_settles boolean,
    sent_before timestamptz,
    settled_at timestamptz,
    intent_result jsonb CHECK (jsonb_typeof(intent_result) = 'object'),
    unsettled_until timestamptz,
    abandoned bigint NOT NULL DEFAULT 0 CHECK (abandoned >= 0),
    abandoned_number bigint NOT NULL DEFAULT 0,
    outcome bytea,
    outcome_sequence bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    published_at timestamptz,
    PRIMARY KEY (application_id, command_id),
    CONSTRAINT command_claimed CHECK ((epoch = 0) = (digest IS NULL)),
    CONSTRAINT command_coordinates CHECK (
        digest IS NULL
        OR num_nonnulls(action, partition, record_offset, record_timestamp_ms) = 4),
    CONSTRAINT command_stopped CHECK ((stop IS NULL) = (stopped_by IS NULL)),
    CONSTRAINT command_intent CHECK (
        (intent_number = 0) = (intent_status IS NULL)
        AND num_nulls(intent_status, intent_step, intent_epoch, intent_settles, sent_before,
                      settled_at) IN (0, 6)),
    CONSTRAINT command_finished CHECK (
        (status = 'finished') = (outcome IS NOT NULL)
        AND (status = 'finished') = (finished_at IS NOT NULL)
        AND (status = 'running' OR digest IS NOT NULL)),
    CONSTRAINT command_published CHECK (published_at IS NULL OR status = 'finished')
) WITH (
    -- A command's row is written some ten times in its first seconds and then only read: room on
    -- its page keeps the versions there (until its end no indexed column changes), and dead
    -- ones go early.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05
);

-- what the purge looks for
CREATE INDEX command_by_publication ON provision.command (published_at) WHERE status = 'finished';
COMMENT ON COLUMN provision.command.digest IS
    'SHA-256 that guards the id; NULL: a stop mark came first and the command was never claimed';
COMMENT ON COLUMN provision.command.partition IS
    'With record_offset: coordinates of the record that was claimed first';
COMMENT ON COLUMN provision.command.epoch IS
    'Grows by one with each claim; every write names the epoch of its claim';
COMMENT ON COLUMN provision.command.takeovers IS 'Claims after the first';
COMMENT ON COLUMN provision.command.stop IS 'What another command asked for: how this one ends';
COMMENT ON COLUMN provision.command.direction IS 'undo: it only undoes, also after a takeover';
COMMENT ON COLUMN provision.command.journal IS 'Facts that its steps learnt';
COMMENT ON COLUMN provision.command.intent_number IS
    'Grows with each intent; 0: it never called anything that changes something';
COMMENT ON COLUMN provision.command.intent_epoch IS
    'Of its opener, who alone may close it, even after losing the command';
COMMENT ON COLUMN provision.command.intent_settles IS
    'What the call made can appear until settled_at; false: deletion by exact id';
COMMENT ON COLUMN provision.command.sent_before IS
    'The request was written whole by then, or not at all';
COMMENT ON COLUMN provision.command.settled_at IS
    'From then on each listing shows what the call did, or it did nothing';
COMMENT ON COLUMN provision.command.unsettled_until IS
    'The latest settled_at of the intents that were replaced while open';
COMMENT ON COLUMN provision.command.abandoned IS
    'Intents that were open when another claim came and that their opener did not close later; '
    'abandoned_number is the last one counted, so that each counts once';
COMMENT ON COLUMN provision.command.outcome IS 'Kafka records in the order of their publication';
COMMENT ON COLUMN provision.command.outcome_sequence IS
    'Sequence of the subject that the outcome carries; NULL: none';

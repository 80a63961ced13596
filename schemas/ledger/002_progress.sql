-- runs with: 1
-- Who has a command, since when, and what it waits for: for people who look (provisionctl status,
-- commands). Nothing decides by these columns, and programs that don't know them still run.

ALTER TABLE provision.command
    ADD COLUMN subject text,
    ADD COLUMN worker text,
    ADD COLUMN claimed_at timestamptz,
    ADD COLUMN progress_at timestamptz,
    ADD COLUMN waiting_step text,
    ADD COLUMN waiting_for text,
    ADD COLUMN waiting_since timestamptz,
    ADD CONSTRAINT command_waiting CHECK (
        num_nulls(waiting_step, waiting_for, waiting_since) IN (0, 3));
COMMENT ON COLUMN provision.command.subject IS
    'What it changes, as events name it: applications/A/environments/E';
COMMENT ON COLUMN provision.command.worker IS 'Name of the worker that claimed it last';
COMMENT ON COLUMN provision.command.claimed_at IS 'The last claim';
COMMENT ON COLUMN provision.command.progress_at IS
    'When its owner last wrote what it had learnt or was about to do; a note of a wait is none';
COMMENT ON COLUMN provision.command.waiting_step IS
    'The step at which it waits, where that was noted (ledger.note_after) and nothing was written '
    'since';
COMMENT ON COLUMN provision.command.waiting_for IS
    'A word of a small vocabulary: operation, locked, rate_limit, settling and so on; a reader shows one '
    'that it does not know as it is';
COMMENT ON COLUMN provision.command.waiting_since IS 'By the ledger''s clock';

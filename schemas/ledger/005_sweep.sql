-- runs with: 1
-- The sweeper judges what it finds at Neon by what stands here. A ledger that was restored or promoted,
-- or is another's dump, may know too little, and another one may be at work: it says so by itself.

CREATE FUNCTION provision.identity() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
    SELECT format('system %s, timeline %s, database %s, table %s',
        (SELECT system_identifier FROM pg_control_system()),
        ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer,
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'provision.installation'::regclass::oid)
$$;
COMMENT ON FUNCTION provision.identity() IS
    'Of this copy of the ledger: another one after a restore of the cluster (timeline), on another '
    'cluster (system), or out of a dump (database, table). A copy of the disk has the same';

ALTER TABLE provision.installation
    ADD COLUMN identity text,
    ADD COLUMN confirmed_at timestamptz,
    ADD COLUMN swept_at timestamptz;
COMMENT ON COLUMN provision.installation.identity IS
    'What provision.identity() was when it was last certain that no other copy is at work; NULL: '
    'never. Where it differs, nothing is swept';
COMMENT ON COLUMN provision.installation.swept_at IS
    'When a worker last sent the commands of a periodic sweep';
-- One that already knows something may itself be out of a backup: somebody has to confirm it.
UPDATE provision.installation SET identity = provision.identity(), confirmed_at = now()
WHERE NOT EXISTS (SELECT FROM provision.command)
    AND NOT EXISTS (SELECT FROM provision.environment)
    AND NOT EXISTS (SELECT FROM provision.account);

CREATE TABLE provision.condemned (
    application_id text COLLATE "C" NOT NULL,
    command_id uuid NOT NULL,
    environment text COLLATE "C" NOT NULL,
    project_id text COLLATE "C" NOT NULL,
    branch_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (application_id, command_id)
);
CREATE INDEX condemned_by_project ON provision.condemned (project_id);
COMMENT ON TABLE provision.condemned IS
    'What a running command is about to delete that no environment owns: who would branch off it or '
    'import it sees that here. A row counts for as long as its command runs';
COMMENT ON COLUMN provision.condemned.branch_id IS 'Empty: the whole project';

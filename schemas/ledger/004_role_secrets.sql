-- runs with: 1
-- Passwords of roles made by SQL are kept before they are set: the next one stands beside the
-- present one until it is known to be set. The fence tells a run of SQL of a former owner from the
-- present one's, on the branch itself.

ALTER TABLE provision.environment
    ADD COLUMN fence bigint NOT NULL DEFAULT 0 CHECK (fence >= 0);
COMMENT ON COLUMN provision.environment.fence IS
    'Grows with each run that sets passwords; the branch''s roles carry the number of the last one';

ALTER TABLE provision.role_secret
    ALTER COLUMN sealed_password DROP NOT NULL,
    ADD COLUMN sealed_next bytea,
    ADD COLUMN next_command uuid,
    ADD CONSTRAINT role_secret_some CHECK (num_nonnulls(sealed_password, sealed_next) > 0);
COMMENT ON COLUMN provision.role_secret.sealed_password IS
    'Of a role made by SQL, which Neon does not reveal; bound to application, environment and '
    'role. NULL: none was set yet';
COMMENT ON COLUMN provision.role_secret.sealed_next IS
    'One that is to be set, and perhaps is already: what is wanted on the branch';
COMMENT ON COLUMN provision.role_secret.next_command IS
    'The command that made the last next one: it makes one for each role only';

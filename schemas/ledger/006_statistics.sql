-- runs with: 1
-- Nothing is ever searched by these, and they are what is wide: without statistics of them an ANALYZE
-- doesn't read them.

ALTER TABLE provision.command
    ALTER COLUMN journal SET STATISTICS 0,
    ALTER COLUMN first_error SET STATISTICS 0,
    ALTER COLUMN intent_result SET STATISTICS 0,
    ALTER COLUMN outcome SET STATISTICS 0;
ALTER TABLE provision.environment ALTER COLUMN details SET STATISTICS 0;
ALTER TABLE provision.account ALTER COLUMN sealed_key SET STATISTICS 0;
ALTER TABLE provision.role_secret
    ALTER COLUMN sealed_password SET STATISTICS 0,
    ALTER COLUMN sealed_next SET STATISTICS 0;

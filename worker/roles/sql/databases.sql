-- Databases that are missing. Outside a transaction; the platform role may make them, and give them
-- away since it may take on their admin roles. From template0, to which nobody is connected.
WITH @SPEC@,
plan AS (
    SELECT 10 AS ord, 'frame' AS kind, format('SET ROLE %I', platform) AS stmt, '' AS why,
           '' AS object, NULL::text AS secret
    FROM cfg
    UNION ALL
    SELECT 20, 'change', format('CREATE DATABASE %I OWNER %I TEMPLATE template0', name, admin),
           'database is missing', name, NULL
    FROM db WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
    UNION ALL
    SELECT 30, 'frame', 'RESET ROLE', '', '', NULL)
@ANSWER@

-- Beginning of every plan: what is wanted ($1, see roles/spec.h) and who asks.
-- Everything is quoted by format() with %I and %L; no name is ever put together by hand.
cfg AS MATERIALIZED (
    SELECT j, v, session_user::text AS me,
           (SELECT oid FROM pg_roles WHERE rolname = session_user) AS me_oid,
           j->>'prefix' || '_platform' AS platform,
           j->>'prefix' || '_reader' AS global_reader,
           j->>'prefix' || '_writer' AS global_writer,
           j->>'prefix' || '_admin' AS global_admin,
           j->>'prefix' || '-managed ' AS marker, -- a comment that begins so: the role is ours
           j->>'policy' = 'additive' AS additive,
           v >= 160000 AS options, -- memberships carry INHERIT and SET, one row for each grantor
           -- to grant a role takes ADMIN on it, CREATEROLE isn't enough: so in Neon's 14 and 15, too
           v >= 160000 OR current_setting('neon.tenant_id', true) IS NOT NULL AS strict
    FROM (SELECT $1::jsonb AS j, current_setting('server_version_num')::int AS v) x),
-- The rule of roles/names.h: 53 bytes are left for a database's name, 59 for a service's.
named AS (
    SELECT kind, name, access,
           CASE WHEN octet_length(name) <= budget AND name !~ '_[0-9a-f]{16}$' THEN name
                ELSE left(name, (SELECT max(k) FROM generate_series(0, budget - 17) k
                                 WHERE octet_length(left(name, k)) <= budget - 17))
                     || '_' || left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 16)
           END AS base
    FROM (SELECT 'db' AS kind, d AS name, NULL::jsonb AS access, 53 AS budget
          FROM cfg, jsonb_array_elements_text(j->'databases') d
          UNION ALL
          SELECT 'svc', s->>'name', s->'access', 59
          FROM cfg, jsonb_array_elements(j->'services') s) x),
db AS MATERIALIZED (
    SELECT name, 'db_' || base || '_reader' AS reader, 'db_' || base || '_writer' AS writer,
           'db_' || base || '_admin' AS admin
    FROM named WHERE kind = 'db'),
svc AS MATERIALIZED (SELECT name, 'svc_' || base AS role, access FROM named WHERE kind = 'svc'),
-- Roles with our mark, wanted or not; the platform role apart, which administers them.
marked AS MATERIALIZED (
    SELECT r.oid, r.rolname, substr(c.description, length(marker) + 1) AS mark
    FROM cfg, pg_roles r JOIN pg_shdescription c ON c.objoid = r.oid
    WHERE c.classoid = 'pg_authid'::regclass AND starts_with(c.description, marker)
      AND r.rolname <> platform),
-- Exists under a name of ours, and the platform role can't administer it: made by Neon's API, or by
-- another role. (pg_has_role would walk all of its memberships for each role: a tenth of a second.)
alien AS MATERIALIZED (
    SELECT r.rolname::text AS role, shobj_description(r.oid, 'pg_authid') AS note
    FROM cfg, pg_roles r
    WHERE r.rolname IN (SELECT unnest(ARRAY[global_reader, global_writer, global_admin]) FROM cfg
                        UNION ALL SELECT unnest(ARRAY[reader, writer, admin]) FROM db
                        UNION ALL SELECT role FROM svc)
      AND (r.rolsuper OR CASE WHEN strict
           THEN r.oid NOT IN (SELECT m.roleid FROM cfg, pg_auth_members m
                              JOIN pg_roles p ON p.oid = m.member
                              WHERE p.rolname = platform AND m.admin_option)
           ELSE r.rolreplication END))

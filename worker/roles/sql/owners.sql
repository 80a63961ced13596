-- pg_shdepend is shared: the owners in all databases at once. Superusers aren't told.
SELECT d.datname AS database, r.rolname AS role, sum(o.objects)::bigint AS objects
FROM pg_database d
CROSS JOIN LATERAL (
    SELECT d.datdba AS owner, 1 AS objects
    UNION ALL
    SELECT s.refobjid, count(*) FROM pg_shdepend s
    WHERE s.dbid = d.oid AND s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
      AND s.classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
    GROUP BY s.refobjid) o
JOIN pg_roles r ON r.oid = o.owner
WHERE NOT r.rolsuper
GROUP BY 1, 2 ORDER BY 1, 2

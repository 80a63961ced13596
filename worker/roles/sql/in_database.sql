-- Privileges, default privileges and role settings of the session's database, once it is owned by
-- its admin role.
-- An ACL that is NULL means the default one, never nothing.
WITH @SPEC@,
here AS MATERIALIZED (
    SELECT d.oid, d.datname, d.datdba, d.datacl, db.name, db.admin, db.writer, db.reader,
           (SELECT oid FROM pg_roles WHERE rolname = db.admin) AS admin_oid,
           d.datdba IS NOT DISTINCT FROM (SELECT oid FROM pg_roles WHERE rolname = db.admin) AS ours
    FROM db JOIN pg_database d ON d.datname = db.name
    WHERE d.datname = current_database()),
-- ------------------------------------------------------------ the database
database_want AS MATERIALIZED (
    SELECT reader AS role, 'CONNECT' AS right FROM here
    UNION SELECT writer, 'TEMPORARY' FROM here
    -- CONNECT is looked at before a role setting acts: these two have no other way in
    UNION SELECT unnest(ARRAY[platform, global_admin]), 'CONNECT' FROM cfg
    -- Neon's console and services
    UNION SELECT 'neon_superuser', unnest(ARRAY['CONNECT', 'TEMPORARY'])
    -- while PUBLIC has it still: who owns or is granted something here keeps its way in
    UNION SELECT r.rolname, 'CONNECT'
          FROM cfg, here, pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
          WHERE NOT additive AND s.dbid = here.oid AND s.refclassid = 'pg_authid'::regclass
            AND r.rolname !~ '^pg_' AND NOT r.rolsuper AND r.oid NOT IN (SELECT oid FROM marked)
            AND has_database_privilege('public', here.oid, 'CONNECT')),
database_have AS MATERIALIZED (
    SELECT a.grantee, a.grantor, coalesce(r.rolname, 'PUBLIC') AS role, a.privilege_type AS right
    FROM here, LATERAL aclexplode(coalesce(here.datacl, acldefault('d', here.datdba))) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee),
-- ------------------------------------------------------------ schemas
schema AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspacl, n.nspowner FROM pg_namespace n, here
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND (n.nspowner = here.admin_oid
           OR ours AND n.nspowner = (SELECT oid FROM pg_roles WHERE rolname = 'pg_database_owner'))),
schema_have AS MATERIALIZED (
    SELECT s.oid, s.nspname, s.nspowner, a.grantee, a.grantor, a.privilege_type AS right,
           a.is_grantable
    FROM schema s, LATERAL aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a),
-- ------------------------------------------------------------ tables, views, sequences
relation AS MATERIALIZED (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS id, c.relowner,
           c.relkind = 'S' AS sequence,
           coalesce(c.relacl, acldefault(CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END::"char",
                                         c.relowner)) AS acl
    FROM here, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relowner = here.admin_oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')),
relation_want AS MATERIALIZED (
    SELECT false AS sequence, reader AS role, 'SELECT' AS right FROM here
    UNION ALL SELECT false, writer, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) FROM here
    UNION ALL SELECT true, reader, 'SELECT' FROM here
    UNION ALL SELECT true, writer, unnest(ARRAY['USAGE', 'UPDATE']) FROM here),
relation_have AS MATERIALIZED (
    SELECT l.oid, l.id, l.sequence, l.relowner, a.grantee, a.grantor, a.privilege_type AS right,
           a.is_grantable, r.rolname AS role
    FROM relation l, LATERAL aclexplode(l.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> l.relowner),
relation_missing AS (
    SELECT l.id, l.sequence, w.role, string_agg(w.right, ', ' ORDER BY w.right) AS rights
    FROM relation l JOIN relation_want w USING (sequence)
    WHERE NOT EXISTS (SELECT FROM relation_have h
                      WHERE h.oid = l.oid AND h.role = w.role AND h.right = w.right)
      AND w.role NOT IN (SELECT role FROM alien)
    GROUP BY 1, 2, 3),
relation_extra AS (
    SELECT h.*, w.role IS NOT NULL AS wanted -- but for its grant option
    FROM relation_have h
    LEFT JOIN relation_want w USING (sequence, role, "right")
    WHERE h.grantee IN (SELECT oid FROM marked) AND (h.is_grantable OR w.role IS NULL)),
column_extra AS (
    -- pg_shdepend names the few columns; to look through pg_attribute takes seconds
    SELECT l.id, att.attname, a.privilege_type AS right, m.rolname AS role, a.grantor, l.relowner
    FROM (SELECT DISTINCT s.objid, s.objsubid FROM here, pg_shdepend s
          WHERE s.dbid = here.oid AND s.classid = 'pg_class'::regclass AND s.objsubid > 0
            AND s.deptype = 'a' AND s.refclassid = 'pg_authid'::regclass
            AND s.refobjid IN (SELECT oid FROM marked)) x
    JOIN relation l ON l.oid = x.objid
    JOIN pg_attribute att ON att.attrelid = x.objid AND att.attnum = x.objsubid
    CROSS JOIN LATERAL aclexplode(att.attacl) a JOIN marked m ON m.oid = a.grantee),
-- ------------------------------------------------------------ what will be made
-- Everybody who makes objects here: the admin role, and its members that worked here before us. To
-- speak for them, who asks may have to become one for a moment; else only they can.
creator AS MATERIALIZED (
    SELECT admin AS role, admin_oid AS oid, true AS is_admin, false AS is_me, true AS has,
           false AS can_have
    FROM here WHERE admin_oid IS NOT NULL
    UNION
    SELECT r.rolname, r.oid, false, r.oid = me_oid,
           pg_has_role(me_oid, r.oid, CASE WHEN options THEN 'USAGE' ELSE 'MEMBER' END),
           CASE WHEN strict THEN pg_has_role(me_oid, r.oid, 'MEMBER WITH ADMIN OPTION')
                ELSE (SELECT rolcreaterole FROM pg_roles WHERE oid = me_oid) END
           AND NOT pg_has_role(r.oid, me_oid, 'MEMBER')
    FROM cfg, here, pg_auth_members m JOIN pg_roles r ON r.oid = m.member
    WHERE m.roleid = admin_oid AND pg_has_role(r.oid, admin_oid, 'USAGE') AND NOT r.rolsuper
      AND r.rolname <> platform AND r.oid NOT IN (SELECT oid FROM marked)
      AND r.rolname NOT IN (SELECT role FROM alien)),
default_want AS MATERIALIZED (
    SELECT c.role AS creator, c.oid, t.* FROM cfg, here, creator c, LATERAL (VALUES
        ('r', 'TABLES', here.reader, 'SELECT', 0), ('r', 'TABLES', here.writer, 'INSERT', 0),
        ('r', 'TABLES', here.writer, 'UPDATE', 0), ('r', 'TABLES', here.writer, 'DELETE', 0),
        ('S', 'SEQUENCES', here.reader, 'SELECT', 0), ('S', 'SEQUENCES', here.writer, 'USAGE', 0),
        ('S', 'SEQUENCES', here.writer, 'UPDATE', 0), ('n', 'SCHEMAS', here.reader, 'USAGE', 0),
        ('L', 'LARGE OBJECTS', here.reader, 'SELECT', 180000),
        ('L', 'LARGE OBJECTS', here.writer, 'UPDATE', 180000)
        ) t(type, types, role, "right", since)
    WHERE v >= since),
default_have AS MATERIALIZED (
    SELECT d.defaclrole, d.defaclnamespace, d.defaclobjtype::text AS type, a.grantee,
           a.privilege_type AS right, r.rolname AS role
    FROM pg_default_acl d, LATERAL aclexplode(d.defaclacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee),
default_missing AS (
    SELECT creator, oid, types, role, string_agg("right", ', ' ORDER BY "right") AS rights
    FROM default_want w
    WHERE NOT EXISTS (SELECT FROM default_have h
                      WHERE h.defaclrole = w.oid AND h.defaclnamespace = 0 AND h.type = w.type
                        AND h.role = w.role AND h.right = w.right)
      AND w.role NOT IN (SELECT role FROM alien)
    GROUP BY 1, 2, 3, 4),
default_changes AS (
    SELECT c.*, 'change' AS kind,
           format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s ON %s TO %I', m.creator, m.rights,
                  m.types, m.role) AS stmt,
           'default privilege is missing' AS why,
           lower(m.types) || format(' that %I will make', m.creator) AS object, NULL::text AS secret
    FROM default_missing m JOIN creator c USING (oid)),
default_extra AS (
    SELECT c.role AS creator, h.role, h.right, n.nspname,
           CASE h.type WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                       WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS types
    FROM default_have h JOIN creator c ON c.oid = h.defaclrole AND c.is_admin
    LEFT JOIN pg_namespace n ON n.oid = h.defaclnamespace
    WHERE h.grantee IN (SELECT oid FROM marked) AND h.grantee <> h.defaclrole
      AND NOT EXISTS (SELECT FROM default_want w
                      WHERE w.oid = h.defaclrole AND h.defaclnamespace = 0 AND w.type = h.type
                        AND w.role = h.role AND w.right = h.right)),
-- ------------------------------------------------------------ role settings
-- Who may take on the admin role works as that role from its first statement on.
setting_want AS MATERIALIZED (
    SELECT global_admin AS role, here.admin AS value FROM cfg, here
    UNION ALL
    SELECT svc.role, here.admin FROM svc, here WHERE svc.access->>here.name = 'admin'),
setting_have AS MATERIALIZED (
    SELECT m.rolname AS role, substr(x, 6) AS value
    FROM here, pg_db_role_setting s JOIN marked m ON m.oid = s.setrole, unnest(s.setconfig) x
    WHERE s.setdatabase = here.oid AND x LIKE 'role=%'),
plan AS (
    SELECT 1 AS ord, 'blocked' AS kind, NULL::text AS stmt,
           format('not owned by %I', admin) AS why, format('database %I', datname) AS object,
           NULL::text AS secret
    FROM here WHERE NOT ours
    UNION ALL
    SELECT 10, 'frame', format('SET LOCAL ROLE %I', admin), '', '', NULL FROM here
    UNION ALL
    SELECT 11, 'change', format('GRANT %s ON DATABASE %I TO %I',
                                string_agg(w.right, ', ' ORDER BY w.right), datname, w.role),
           'privilege is missing', format('database %I', datname), NULL
    FROM database_want w JOIN pg_roles r ON r.rolname = w.role, here
    WHERE ours AND NOT EXISTS (SELECT FROM database_have h
                               WHERE h.role = w.role AND h.right = w.right AND h.grantee <> 0)
      AND w.role NOT IN (SELECT role FROM alien)
    GROUP BY datname, w.role
    UNION ALL
    SELECT 12, 'revoke', format('REVOKE %s ON DATABASE %I FROM PUBLIC',
                                string_agg(h.right, ', ' ORDER BY h.right), datname),
           format('PUBLIC has %s', string_agg(h.right, ', ' ORDER BY h.right)),
           format('database %I', datname), NULL
    FROM database_have h, here WHERE ours AND grantee = 0 GROUP BY datname
    UNION ALL
    SELECT 13, 'revoke', CASE WHEN h.grantor = datdba THEN
               format('REVOKE %s ON DATABASE %I FROM %I CASCADE', h.right, datname, h.role) END,
           format('privilege isn''t wanted: %s of %I', h.right, h.role),
           format('database %I', datname), NULL
    FROM database_have h, here
    WHERE ours AND h.grantee IN (SELECT oid FROM marked) AND h.grantee <> datdba
      AND (h.role, h.right) NOT IN (SELECT w.role, w.right FROM database_want w)
    UNION ALL
    SELECT 20, 'change', format('GRANT USAGE ON SCHEMA %I TO %I', nspname, reader),
           'privilege is missing', format('schema %I', nspname), NULL
    FROM schema s, here
    WHERE NOT EXISTS (SELECT FROM schema_have h JOIN pg_roles r ON r.oid = h.grantee
                      WHERE h.oid = s.oid AND r.rolname = reader AND h.right = 'USAGE')
      AND reader NOT IN (SELECT role FROM alien)
    UNION ALL
    SELECT 21, 'revoke', format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', nspname),
           'PUBLIC has CREATE', format('schema %I', nspname), NULL
    FROM schema_have WHERE grantee = 0 AND "right" = 'CREATE'
    UNION ALL
    SELECT 22, 'revoke', CASE WHEN h.grantor = h.nspowner THEN
               format('REVOKE %s%s ON SCHEMA %I FROM %I CASCADE',
                      CASE WHEN m.rolname = reader AND h.right = 'USAGE'
                           THEN 'GRANT OPTION FOR ' ELSE '' END, h.right, nspname, m.rolname) END,
           format('privilege isn''t wanted: %s of %I', h.right, m.rolname),
           format('schema %I', nspname), NULL
    FROM schema_have h JOIN marked m ON m.oid = h.grantee, here
    WHERE NOT (m.rolname = reader AND h.right = 'USAGE' AND NOT h.is_grantable)
      AND h.grantee <> here.admin_oid
    UNION ALL
    SELECT 23, 'finding', NULL,
           format('owned by %s: everybody may create in it', nspowner::regrole), 'schema public',
           NULL
    FROM pg_namespace n
    WHERE nspname = 'public' AND n.oid NOT IN (SELECT oid FROM schema)
      AND has_schema_privilege('public', n.oid, 'CREATE')
    UNION ALL
    SELECT 30, 'change', format('GRANT %s ON %s %s TO %I', rights,
                                CASE WHEN sequence THEN 'SEQUENCE' ELSE 'TABLE' END,
                                string_agg(id, ', ' ORDER BY id COLLATE "C"), role),
           'privilege is missing',
           format('%s %s', CASE WHEN sequence THEN 'sequence' ELSE 'table' END, min(id COLLATE "C"))
           || CASE WHEN count(*) > 1 THEN format(' and %s more', count(*) - 1) ELSE '' END, NULL
    FROM (SELECT *, (row_number() OVER (PARTITION BY sequence, role, rights
                                        ORDER BY id COLLATE "C") - 1) / 200 AS chunk
          FROM relation_missing) x
    GROUP BY sequence, role, rights, chunk
    UNION ALL
    SELECT 31, 'revoke', CASE WHEN grantor = relowner THEN
               format('REVOKE %s%s ON %s %s FROM %I CASCADE',
                      CASE WHEN wanted THEN 'GRANT OPTION FOR ' ELSE '' END, "right",
                      CASE WHEN sequence THEN 'SEQUENCE' ELSE 'TABLE' END, id, role) END,
           format('privilege isn''t wanted: %s of %I', "right", role),
           format('%s %s', CASE WHEN sequence THEN 'sequence' ELSE 'table' END, id), NULL
    FROM relation_extra
    UNION ALL
    SELECT 32, 'revoke', CASE WHEN grantor = relowner THEN
               format('REVOKE %s (%I) ON TABLE %s FROM %I', "right", attname, id, role) END,
           format('privilege isn''t wanted: %s (%I) of %I', "right", attname, role),
           format('table %s', id), NULL
    FROM column_extra
    UNION ALL
    SELECT 40, kind, stmt, why, object, secret FROM default_changes WHERE is_admin
    UNION ALL
    SELECT 41, 'revoke', format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE %s ON %s FROM %I',
                                creator, ' IN SCHEMA ' || quote_ident(nspname), "right", types,
                                role),
           format('default privilege isn''t wanted: %s of %I', "right", role),
           lower(types) || format(' that %I will make', creator), NULL
    FROM default_extra
    UNION ALL
    SELECT 49, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL
    UNION ALL
    SELECT 50, kind, stmt, why, object, secret FROM default_changes WHERE is_me
    UNION ALL
    SELECT 51, 'temporary', format(CASE WHEN options THEN 'GRANT %I TO %I WITH INHERIT TRUE, '
                                                          'SET FALSE'
                                        ELSE 'GRANT %I TO %I' END, c.role, me), 'to speak for it',
           c.role, NULL
    FROM cfg, creator c
    WHERE NOT has AND can_have AND c.oid IN (SELECT oid FROM default_missing)
    UNION ALL
    SELECT 52, kind, stmt, why, object, secret FROM default_changes
    WHERE NOT is_admin AND NOT is_me AND (has OR can_have)
    UNION ALL
    SELECT 53, 'temporary', format('REVOKE %I FROM %I', c.role, me), 'to speak for it', c.role, NULL
    FROM cfg, creator c
    WHERE NOT has AND can_have AND c.oid IN (SELECT oid FROM default_missing)
    UNION ALL
    -- a session of what Neon's API made can be had
    SELECT 54, CASE WHEN EXISTS (SELECT FROM pg_roles n WHERE n.rolname = 'neon_superuser'
                                 AND pg_has_role(c.oid, n.oid, 'MEMBER'))
                    THEN 'owner' ELSE 'finding' END, NULL,
           'default privileges are missing, which only a session of its own can give', c.role, NULL
    FROM creator c
    WHERE NOT has AND NOT can_have AND c.oid IN (SELECT oid FROM default_missing)
    UNION ALL
    SELECT 60, 'frame', format('SET LOCAL ROLE %I', platform), '', '', NULL FROM cfg
    UNION ALL
    SELECT 61, 'change', format('ALTER ROLE %I IN DATABASE %I SET role TO %L', w.role, datname,
                                w.value),
           'role setting is missing', w.role, NULL
    FROM setting_want w JOIN pg_roles r ON r.rolname = w.role, here
    WHERE NOT EXISTS (SELECT FROM setting_have h WHERE h.role = w.role AND h.value = w.value)
      AND w.role NOT IN (SELECT role FROM alien)
    UNION ALL
    SELECT 62, 'revoke', format('ALTER ROLE %I IN DATABASE %I RESET role', h.role, datname),
           'role setting isn''t wanted', h.role, NULL
    FROM setting_have h, here
    WHERE h.role NOT IN (SELECT role FROM setting_want UNION SELECT role FROM alien)
    UNION ALL
    SELECT 69, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL
    -- worth knowing
    UNION ALL
    SELECT 90, 'finding', NULL,
           format('everybody has %s', string_agg("right", ', ' ORDER BY "right")),
           format('%s %s', CASE WHEN sequence THEN 'sequence' ELSE 'table' END, id), NULL
    FROM relation_have WHERE grantee = 0 GROUP BY sequence, id
    UNION ALL
    SELECT 91, 'finding', NULL,
           CASE WHEN p.count = 0 THEN 'row level security without a policy: services see no rows'
                ELSE format('row level security: %s policies, for %s', p.count, p.roles) END,
           format('table %s', l.id), NULL
    FROM relation l JOIN pg_class c ON c.oid = l.oid, LATERAL (
        SELECT count(DISTINCT q.oid),
               string_agg(DISTINCT CASE x WHEN 0 THEN 'everybody' ELSE x::regrole::text END, ', ')
                   AS roles
        FROM pg_policy q, unnest(q.polroles) x WHERE q.polrelid = c.oid) p
    WHERE c.relrowsecurity)

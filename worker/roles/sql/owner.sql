-- Hands what is in the session's database over to its admin role, at most 300 objects at once (each
-- takes locks, and the lock table is finite): asked again until nothing is left to change.
-- Never REASSIGN OWNED: it would take the owner's other databases along.
WITH @SPEC@,
here AS MATERIALIZED (
    SELECT d.oid, d.datname, d.datdba, db.admin, r.oid AS admin_oid
    FROM db JOIN pg_database d ON d.datname = db.name JOIN pg_roles r ON r.rolname = db.admin
    WHERE d.datname = current_database()),
able AS (
    SELECT pg_has_role(me_oid, admin_oid, CASE WHEN options THEN 'SET' ELSE 'MEMBER' END)
               AS sets_admin,
           pg_has_role(me_oid, admin_oid, 'USAGE') AS is_admin,
           EXISTS (SELECT FROM pg_roles p WHERE p.rolname = platform
                   AND (p.oid = me_oid OR
                        pg_has_role(me_oid, p.oid, CASE WHEN options THEN 'SET' ELSE 'MEMBER' END)))
               AS sets_platform
    FROM here, cfg),
owned AS MATERIALIZED (
    -- One range of an index of the shared catalog: pinned owners (cloud_admin) never show.
    SELECT s.classid, s.objid, s.refobjid AS owner, i.type, i.identity
    FROM here, cfg, pg_shdepend s, LATERAL pg_identify_object(s.classid, s.objid, 0) i
    WHERE s.dbid = here.oid AND s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
      AND s.objsubid = 0 AND s.refobjid <> here.admin_oid
      -- recorded in the same way, but no ownership
      AND s.classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
      AND coalesce(i.schema, '') !~ '^pg_(toast_)?temp_'
      -- a large object stays with the service that made it: the admin role's would be closed to it
      AND NOT (i.type = 'large object' AND s.refobjid IN (SELECT oid FROM marked))
      -- members of extensions and sequences of columns go with what they belong to
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = s.classid AND d.objid = s.objid AND d.deptype = 'e')
      AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_class c ON c.oid = s.objid AND c.relkind = 'S'
                      WHERE s.classid = 'pg_class'::regclass AND d.classid = s.classid
                        AND d.objid = s.objid AND d.refclassid = 'pg_class'::regclass
                        AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))
      -- from 17 on a multirange goes with its range, before that it is handed over by itself
      AND NOT (v >= 170000 AND s.classid = 'pg_type'::regclass
               AND EXISTS (SELECT FROM pg_type t WHERE t.oid = s.objid AND t.typtype = 'm'))),
object AS MATERIALIZED (
    SELECT o.classid, o.objid, o.owner, type, identity,
           CASE WHEN type = 'extension' THEN 'an extension''s owner can''t be changed'
                WHEN type IN ('event trigger', 'foreign-data wrapper')
                    THEN 'its owner must be a superuser'
                WHEN type = 'subscription' THEN 'subscriptions stay with their owner'
                WHEN type = 'publication' AND (
                    SELECT puballtables
                           OR coalesce((to_jsonb(p)->>'puballsequences')::bool, false)
                           OR EXISTS (SELECT FROM pg_depend d
                                      WHERE d.refclassid = 'pg_publication'::regclass
                                        AND d.refobjid = p.oid
                                        AND d.classid = to_regclass('pg_publication_namespace'))
                    FROM pg_publication p WHERE p.oid = o.objid)
                    THEN 'the owner of a publication of all tables or of schemas must be a superuser'
           END AS stays,
           CASE WHEN type = 'server' AND NOT has_foreign_data_wrapper_privilege(
                    admin_oid, (SELECT srvfdw FROM pg_foreign_server f WHERE f.oid = o.objid),
                    'USAGE')
                THEN format('%I needs USAGE on its foreign-data wrapper', admin) END AS lacks,
           CASE type WHEN 'statistics object' THEN 'STATISTICS' WHEN 'composite type' THEN 'TYPE'
                     ELSE upper(type) END
           || ' ' || CASE WHEN type = 'aggregate' THEN regexp_replace(identity, '\(\)$', '(*)')
                          ELSE identity END AS target
    FROM owned o, here
    UNION ALL
    SELECT 'pg_database'::regclass, oid, datdba, 'database', quote_ident(datname), NULL, NULL,
           'DATABASE ' || quote_ident(datname)
    FROM here WHERE datdba <> admin_oid),
owner AS MATERIALIZED (
    SELECT r.oid, r.rolname, r.rolsuper AS super, pg_has_role(me_oid, r.oid, 'USAGE') AS has,
           -- may who asks make itself a member for a moment? Not of its own members.
           NOT r.rolsuper
           AND CASE WHEN strict THEN pg_has_role(me_oid, r.oid, 'MEMBER WITH ADMIN OPTION')
                    ELSE (SELECT rolcreaterole FROM pg_roles WHERE oid = me_oid) END
           AND NOT pg_has_role(r.oid, me_oid, 'MEMBER') AS can_have
    FROM cfg, pg_roles r WHERE r.oid IN (SELECT owner FROM object)),
pick AS MATERIALIZED (
    -- the database first, which gives CREATE for schemas; then those, which it takes to own the rest
    SELECT o.*, w.rolname, row_number() OVER (
               ORDER BY type <> 'database', type <> 'schema', classid, objid) AS number
    FROM object o JOIN owner w ON w.oid = o.owner, able
    WHERE stays IS NULL AND lacks IS NULL AND (has OR can_have) AND sets_admin),
chunk AS MATERIALIZED (SELECT * FROM pick WHERE number <= 300),
-- Who owns something lasting here and isn't known as one who did, while the database is adopted, or
-- must hand it over itself (sql/cluster.sql says what becomes of them, and why it can't see these).
admin_note AS (
    SELECT marker || 'db ' || to_json(datname)::text || ' adopted from ' AS begin,
           shobj_description(admin_oid, 'pg_authid') AS note
    FROM cfg, here),
newcomer AS MATERIALIZED (
    SELECT w.oid, w.rolname FROM cfg, able, here, admin_note, owner w
    WHERE sets_platform
      AND (datdba <> admin_oid AND starts_with(note, begin) OR NOT has AND NOT can_have)
      AND w.rolname !~ '^pg_' AND w.rolname NOT IN (platform, 'neon_superuser')
      AND w.oid NOT IN (SELECT oid FROM marked)
      AND NOT super
      AND EXISTS (SELECT FROM object o WHERE o.owner = w.oid AND stays IS NULL
                  AND type NOT IN ('database', 'large object'))
      AND NOT EXISTS (SELECT FROM pg_auth_members m
                      WHERE m.roleid = admin_oid AND m.member = w.oid)),
-- To own something takes CREATE where it stands, also of who gives it away: after the database is
-- handed over, the old owner has it only as a member of the admin role.
joins AS (SELECT FROM able WHERE sets_platform AND NOT is_admin AND EXISTS (SELECT FROM chunk)),
plan AS (
    SELECT 1 AS ord, 'blocked' AS kind, NULL::text AS stmt,
           format('%I may not take on %I', me, admin) AS why, admin AS object, NULL::text AS secret
    FROM here, cfg, able
    WHERE NOT sets_admin
      AND EXISTS (SELECT FROM object WHERE stays IS NULL AND lacks IS NULL)
    UNION ALL
    SELECT 2, CASE WHEN stays IS NULL THEN 'blocked' ELSE 'finding' END, NULL,
           format('owned by %I: %s', rolname, coalesce(stays, lacks)),
           format('%s %s', type, identity), NULL
    FROM object o JOIN owner w ON w.oid = o.owner WHERE stays IS NOT NULL OR lacks IS NOT NULL
    UNION ALL
    SELECT 3, CASE WHEN super THEN 'blocked' ELSE 'owner' END, NULL,
           format(CASE WHEN super THEN 'owns %s here (%s), and is a superuser'
                       ELSE 'owns %s here (%s), which only a session of its own can hand over' END,
                  count(*), string_agg(DISTINCT type, ', ' ORDER BY type)),
           w.rolname, NULL
    FROM object o JOIN owner w ON w.oid = o.owner
    WHERE stays IS NULL AND lacks IS NULL AND NOT has AND NOT can_have
    GROUP BY w.rolname, super
    UNION ALL
    SELECT 5, 'frame', format('SET LOCAL ROLE %I', platform), '', '', NULL
    FROM cfg WHERE EXISTS (SELECT FROM newcomer)
    UNION ALL
    SELECT 6, 'change',
           format(CASE WHEN options THEN 'GRANT %I TO %I WITH INHERIT TRUE, SET TRUE'
                       ELSE 'GRANT %I TO %I' END, admin, rolname),
           'owns something here', admin, NULL
    FROM cfg, here, newcomer
    UNION ALL
    SELECT 7, 'change',
           format('COMMENT ON ROLE %I IS %L', admin,
                  begin || string_agg(quote_ident(x.rolname), ', '
                                      ORDER BY x.rolname COLLATE "C")),
           'mark differs', admin, NULL
    FROM here, admin_note, LATERAL (
        SELECT rolname FROM newcomer
        UNION
        SELECT r.rolname
        FROM regexp_matches(substr(note, length(begin) + 1), '("(?:[^"]|"")*"|[^", ]+)', 'g') token
        JOIN pg_roles r ON quote_ident(r.rolname) = token[1]
        WHERE starts_with(note, begin)) x
    WHERE EXISTS (SELECT FROM newcomer) GROUP BY admin, begin
    UNION ALL
    SELECT 8, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL WHERE EXISTS (SELECT FROM newcomer)
    UNION ALL
    SELECT 10, 'frame', format('SET LOCAL ROLE %I', platform), '', '', NULL FROM cfg, joins
    UNION ALL
    SELECT 11, 'temporary', format(CASE WHEN options THEN 'GRANT %I TO %I WITH INHERIT TRUE, '
                                                          'SET TRUE'
                                        ELSE 'GRANT %I TO %I' END, admin, me), 'to hand over',
           admin, NULL
    FROM cfg, here, joins
    UNION ALL
    SELECT 19, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL
    UNION ALL
    SELECT 20, 'temporary', format(CASE WHEN options THEN 'GRANT %I TO %I WITH INHERIT TRUE, '
                                                          'SET FALSE'
                                        ELSE 'GRANT %I TO %I' END, rolname, me), 'to hand over',
           rolname, NULL
    FROM cfg, owner WHERE NOT has AND oid IN (SELECT owner FROM chunk)
    UNION ALL
    SELECT 30 + number, 'change', format('ALTER %s OWNER TO %I', target, admin),
           format('owned by %I', rolname), format('%s %s', type, identity), NULL
    FROM chunk, here
    UNION ALL
    SELECT 1000, 'blocked', NULL, 'owned by others, and not looked at while those before it are',
           format('%s more objects', count(*)), NULL
    FROM pick WHERE number > 300 HAVING count(*) > 0
    UNION ALL
    SELECT 2000, 'temporary', format('REVOKE %I FROM %I', rolname, me), 'to hand over', rolname,
           NULL
    FROM cfg, owner WHERE NOT has AND oid IN (SELECT owner FROM chunk)
    UNION ALL
    SELECT 2001, 'frame', format('SET LOCAL ROLE %I', platform), '', '', NULL FROM cfg, joins
    UNION ALL
    -- the platform role's own membership goes back to what it was
    SELECT 2002, 'temporary',
           CASE WHEN me = platform AND options
                THEN format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', admin, me)
                ELSE format('REVOKE %I FROM %I', admin, me) END, 'to hand over', admin, NULL
    FROM cfg, here, joins
    UNION ALL
    SELECT 2003, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL)
@ANSWER@

-- Roles, their attributes and memberships. Run under the lock, in its transaction.
WITH @SPEC@,
have AS MATERIALIZED (
    SELECT r.*, c.description AS note FROM pg_roles r LEFT JOIN pg_shdescription c
    ON c.objoid = r.oid AND c.classoid = 'pg_authid'::regclass),
the_platform AS (
    SELECT h.*,
           me_oid = h.oid AS is_me,
           -- may its attributes and memberships be changed by who asks?
           NOT h.rolsuper AND CASE WHEN strict
               THEN pg_has_role(me_oid, h.oid, 'MEMBER WITH ADMIN OPTION')
               ELSE NOT h.rolreplication AND (SELECT rolcreaterole FROM have WHERE oid = me_oid)
               END AS mine
    FROM have h, cfg WHERE h.rolname = platform),
-- "<branch> <number>": which apply was here last. A branch's copy names the branch it came from.
seen AS (
    SELECT split_part(rest, ' ', 1) AS branch,
           CASE WHEN split_part(rest, ' ', 2) ~ '^[0-9]{1,18}$'
                THEN split_part(rest, ' ', 2)::bigint END AS number
    FROM (SELECT substr(note, length(marker || 'platform ') + 1) AS rest FROM the_platform, cfg
          WHERE starts_with(note, marker || 'platform ')) x),
-- ------------------------------------------------------------ owners before us
-- Whoever owned something in a database when it became ours goes on working there as its admin
-- role. The admin role's comment keeps who that is: it is copied with a branch, and says so later,
-- when they own nothing any more.
admin_note AS (
    SELECT db.name, db.admin,
           substr(h.note, length(marker || 'db ' || to_json(db.name)::text || ' adopted from ') + 1)
               AS owners
    FROM cfg, db JOIN have h ON h.rolname = db.admin
    WHERE starts_with(h.note, marker || 'db ' || to_json(db.name)::text || ' adopted from ')),
outsider AS MATERIALIZED (
    SELECT h.oid, h.rolname,
           -- made by Neon's API: nobody else gets its privileges, so it must hand over itself
           EXISTS (SELECT FROM have n WHERE n.rolname = 'neon_superuser'
                   AND pg_has_role(h.oid, n.oid, 'MEMBER'))
           AND NOT pg_has_role(me_oid, h.oid, 'USAGE') AND strict
           AND NOT pg_has_role(me_oid, h.oid, 'MEMBER WITH ADMIN OPTION') AS apart
    FROM cfg, have h
    WHERE NOT h.rolsuper AND h.rolname !~ '^pg_' AND h.rolname NOT IN (platform, 'neon_superuser')
      AND h.oid NOT IN (SELECT oid FROM marked)
      AND h.rolname NOT IN (SELECT unnest(ARRAY[reader, writer, admin]) FROM db)
      AND h.rolname NOT IN (SELECT role FROM svc)),
owning AS (
    SELECT db.name, db.admin, o.rolname AS owner, o.apart,
           -- Later owners are drift, not the application that worked here before. Of most objects
           -- only a session in their database can tell whether they are but temporary, which
           -- everybody may make: sql/owner.sql judges those.
           x.lasting, db.admin NOT IN (SELECT rolname FROM marked) AS adopting
    FROM db JOIN pg_database d ON d.datname = db.name JOIN (
        SELECT oid AS database, datdba AS owner, true AS lasting FROM pg_database
        UNION
        SELECT s.dbid, s.refobjid, s.classid = 'pg_namespace'::regclass
        FROM pg_shdepend s -- shared: all databases in one query
        WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
          AND s.refobjid IN (SELECT oid FROM outsider)
          -- what counts as owned but isn't handed over; large objects, which anybody can make
          AND s.classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass,
                                'pg_extension'::regclass, 'pg_subscription'::regclass,
                                'pg_largeobject'::regclass, 'pg_largeobject_metadata'::regclass)
        ) x ON x.database = d.oid
    JOIN outsider o ON o.oid = x.owner),
legacy AS MATERIALIZED (
    SELECT name, admin, owner FROM owning WHERE lasting AND (adopting OR apart)
    UNION
    SELECT n.name, n.admin, h.rolname
    FROM admin_note n, LATERAL regexp_matches(n.owners, '("(?:[^"]|"")*"|[^", ]+)', 'g') token
    JOIN have h ON quote_ident(h.rolname) = token[1]),
-- ------------------------------------------------------------ wanted roles
want AS MATERIALIZED (
    SELECT platform AS role, true AS login, NOT options AS inherit, true AS creates,
           'platform' AS kind, NULL::text AS mark FROM cfg
    UNION ALL
    SELECT g, true, g <> global_admin, false, 'global', 'global'
    FROM cfg, unnest(ARRAY[global_reader, global_writer, global_admin]) g
    UNION ALL
    SELECT r, false, true, false, 'db', 'db ' || to_json(name)::text
           || CASE WHEN r = admin THEN coalesce((
                  SELECT ' adopted from ' ||
                         string_agg(quote_ident(l.owner), ', ' ORDER BY l.owner COLLATE "C")
                  FROM legacy l WHERE l.name = db.name), '') ELSE '' END
    FROM db, unnest(ARRAY[reader, writer, admin]) r
    UNION ALL
    SELECT role, true, true, false, 'svc', 'svc ' || to_json(name)::text FROM svc),
password_due AS (
    SELECT r AS role FROM cfg, jsonb_array_elements_text(j->'set') r),
held AS MATERIALIZED (
    SELECT ro.rolname AS role, me.rolname AS member, gr.rolname AS grantor,
           am.grantor AS grantor_oid, am.admin_option, am.inherit_option AS i, am.set_option AS s,
           am.grantor = 10 AND am.admin_option AS implicit -- of a role's creator
    -- to 15 the catalog has no such columns, and their names mean those of `lacking`
    FROM (VALUES (NULL::bool, NULL::bool)) lacking(inherit_option, set_option)
    CROSS JOIN LATERAL (SELECT roleid, member, grantor, admin_option, inherit_option, set_option
                        FROM pg_auth_members) am
    JOIN pg_roles ro ON ro.oid = am.roleid
    JOIN pg_roles me ON me.oid = am.member LEFT JOIN pg_roles gr ON gr.oid = am.grantor),
attributes AS (
    -- Only those that differ are named: to 15 the mere mention of BYPASSRLS or REPLICATION takes a
    -- superuser.
    SELECT w.role, w.kind,
           concat_ws(' ',
               CASE WHEN w.login AND NOT h.rolcanlogin THEN 'LOGIN' END,
               CASE WHEN w.inherit AND NOT h.rolinherit AND w.kind <> 'platform' THEN 'INHERIT' END,
               CASE WHEN w.creates AND NOT h.rolcreaterole THEN 'CREATEROLE' END,
               CASE WHEN w.creates AND NOT h.rolcreatedb THEN 'CREATEDB' END,
               -- a service's limit is its operator's business
               CASE WHEN h.rolconnlimit <> -1 AND w.kind <> 'svc' THEN 'CONNECTION LIMIT -1' END,
               -- there is no way back to NULL
               CASE WHEN h.rolvaliduntil < 'infinity' THEN 'VALID UNTIL ''infinity''' END
           ) AS more,
           concat_ws(' ',
               CASE WHEN NOT w.login AND h.rolcanlogin THEN 'NOLOGIN' END,
               CASE WHEN NOT w.inherit AND h.rolinherit AND w.kind <> 'platform'
                    THEN 'NOINHERIT' END,
               CASE WHEN NOT w.creates AND h.rolcreaterole THEN 'NOCREATEROLE' END,
               CASE WHEN NOT w.creates AND h.rolcreatedb THEN 'NOCREATEDB' END) AS less,
           CASE WHEN w.kind <> 'platform' THEN concat_ws(' ',
               CASE WHEN h.rolbypassrls THEN 'NOBYPASSRLS' END,
               CASE WHEN h.rolreplication THEN 'NOREPLICATION' END) ELSE '' END AS high
    FROM want w JOIN have h ON h.rolname = w.role),
-- ------------------------------------------------------------ wanted memberships
member AS MATERIALIZED (
    SELECT role, member, bool_or(i) AS i, bool_or(s) AS s FROM (
        SELECT reader AS role, writer AS member, true AS i, false AS s FROM db
        UNION ALL SELECT writer, admin, true, false FROM db
        UNION ALL SELECT db.reader, global_reader, true, false FROM db, cfg
        UNION ALL SELECT db.writer, global_writer, true, false FROM db, cfg
        UNION ALL SELECT db.admin, global_admin, false, true FROM db, cfg
        UNION ALL SELECT db.admin, platform, false, true FROM db, cfg
        UNION ALL SELECT admin, owner, true, true FROM legacy
        UNION ALL SELECT CASE a.value WHEN 'read' THEN db.reader ELSE db.writer END, svc.role,
                         true, false
                  FROM svc, jsonb_each_text(svc.access) a JOIN db ON db.name = a.key
        UNION ALL SELECT db.admin, svc.role, false, true
                  FROM svc, jsonb_each_text(svc.access) a JOIN db ON db.name = a.key
                  WHERE a.value = 'admin') x
    -- whoever made it knows its password: it gets nothing, and keeps nothing
    WHERE member NOT IN (SELECT role FROM alien)
    GROUP BY role, member),
-- A row counts when it says exactly what is wanted; where nothing is taken away, at least that.
-- What a member may do is the sum of its rows, so each is looked at.
fits AS MATERIALIZED (
    SELECT h.role, h.member, h.grantor_oid
    FROM cfg, held h JOIN member m USING (role, member)
    WHERE NOT options
       OR NOT h.implicit AND h.grantor = platform
          AND CASE WHEN additive THEN h.i >= m.i AND h.s >= m.s
                   ELSE h.i = m.i AND h.s = m.s AND NOT h.admin_option END),
extra AS (
    SELECT h.* FROM cfg, held h
    WHERE (h.role IN (SELECT role FROM want WHERE kind <> 'platform')
           OR h.member IN (SELECT role FROM want WHERE kind <> 'platform')
           OR h.role IN (SELECT rolname FROM marked) OR h.member IN (SELECT rolname FROM marked)
           -- the platform role is taken on by bootstrap roles, and by nobody else
           OR h.role = platform AND h.member <> me AND NOT h.implicit
              AND NOT EXISTS (SELECT FROM held n
                              WHERE n.role = 'neon_superuser' AND n.member = h.member))
      -- who made a role administers it: ours by creation
      AND NOT (h.implicit AND h.member IN (platform, me))
      AND NOT (NOT options AND h.member = platform)
      -- a database that isn't listed isn't looked at, but services have no more than is listed
      AND NOT (h.role IN (SELECT rolname FROM marked WHERE starts_with(mark, 'db '))
               AND h.role NOT IN (SELECT role FROM want)
               AND h.member NOT IN (SELECT role FROM svc)
               AND h.member NOT IN (SELECT rolname FROM marked WHERE starts_with(mark, 'svc ')))
      AND NOT EXISTS (SELECT FROM fits f WHERE f.role = h.role AND f.member = h.member
                      AND f.grantor_oid = h.grantor_oid)),
-- Nobody can work in them, nor can we. Any other limit is somebody's choice.
closed AS MATERIALIZED (
    SELECT name, admin, r.oid IS NOT NULL AS ours, pg_has_role(me_oid, d.datdba, 'USAGE') AS can,
           100 + 3 * row_number() OVER (ORDER BY name COLLATE "C") AS at
    FROM cfg, db JOIN pg_database d ON d.datname = db.name
    LEFT JOIN pg_roles r ON r.oid = d.datdba AND r.rolname = db.admin
        AND r.rolname NOT IN (SELECT role FROM alien)
    WHERE d.datconnlimit = 0 OR NOT d.datallowconn),
-- Who inherits the platform role exercises its ADMIN options; who isn't granted it yet will be.
revokes AS (
    SELECT e.*,
           CASE WHEN NOT options THEN NOT strict OR pg_has_role(me_oid,
                    (SELECT oid FROM have WHERE rolname = e.role), 'MEMBER WITH ADMIN OPTION')
                ELSE grantor_oid <> 10 AND (pg_has_role(me_oid, grantor_oid, 'USAGE')
                                            OR grantor = platform) END AS can
    FROM extra e, cfg),
changes AS (
    -- who asks makes the platform role and takes it on
    SELECT 10 AS ord, 'change' AS kind,
           format('CREATE ROLE %I LOGIN %s CREATEROLE CREATEDB', role,
                  CASE WHEN inherit THEN 'INHERIT' ELSE 'NOINHERIT' END) AS stmt,
           'role is missing' AS why, role AS object, role AS secret
    FROM want WHERE kind = 'platform' AND NOT EXISTS (SELECT FROM the_platform)
    UNION ALL
    SELECT 11, 'change', CASE WHEN mine THEN format('ALTER ROLE %I %s', role, more) END,
           'attributes differ', role, CASE WHEN mine AND more ~ '\mLOGIN' THEN role END
    FROM attributes, the_platform WHERE kind = 'platform' AND more <> '' AND NOT is_me
    UNION ALL
    SELECT 12, 'change', CASE WHEN mine THEN format('ALTER ROLE %I', rolname) END,
           'password differs', rolname, CASE WHEN mine THEN rolname END
    FROM the_platform
    WHERE rolname IN (SELECT role FROM password_due) AND NOT is_me AND rolcanlogin
    UNION ALL
    SELECT 13, 'change', format(CASE WHEN options THEN 'GRANT %I TO %I WITH INHERIT TRUE, SET TRUE'
                                     ELSE 'GRANT %I TO %I' END, platform, me),
           'the platform role can''t be taken on', platform, NULL
    FROM cfg
    WHERE me <> platform
      AND NOT EXISTS (SELECT FROM held WHERE role = platform AND member = me
                      AND (NOT options OR i AND s))
    -- as the platform role
    UNION ALL
    SELECT 40, 'change', format('CREATE ROLE %I %s %s', w.role,
                                CASE WHEN login THEN 'LOGIN' ELSE 'NOLOGIN' END,
                                CASE WHEN inherit THEN 'INHERIT' ELSE 'NOINHERIT' END),
           'role is missing', w.role,
           w.role -- Neon has refused roles without a password: those without login get one, too
    FROM want w WHERE kind <> 'platform' AND NOT EXISTS (SELECT FROM have WHERE rolname = w.role)
    UNION ALL
    SELECT 41, 'change', format('COMMENT ON ROLE %I IS %L', w.role, marker || w.mark),
           'mark differs', w.role, NULL
    FROM cfg, want w LEFT JOIN have h ON h.rolname = w.role
    WHERE kind <> 'platform' AND h.note IS DISTINCT FROM marker || w.mark
      AND w.role NOT IN (SELECT role FROM alien)
    UNION ALL
    SELECT 42, 'change', format('ALTER ROLE %I %s', role, more), 'attributes differ', role,
           CASE WHEN more ~ '\mLOGIN' THEN role END
    FROM attributes
    WHERE kind <> 'platform' AND more <> '' AND role NOT IN (SELECT role FROM alien)
    UNION ALL
    SELECT 43, 'revoke', format('ALTER ROLE %I %s', role, less),
           format('role has too much: %s is needed', less), role, NULL
    FROM attributes
    WHERE kind <> 'platform' AND less <> '' AND role NOT IN (SELECT role FROM alien)
    UNION ALL
    SELECT 44, 'change', format('ALTER ROLE %I', h.rolname), 'password differs', h.rolname,
           h.rolname
    FROM have h
    WHERE h.rolcanlogin -- else it is set with LOGIN
      AND h.rolname IN (SELECT role FROM password_due)
      AND h.rolname NOT IN (SELECT role FROM alien)
      -- one that is about to lose its login, too: a branch's old password must not come back
      AND (h.rolname IN (SELECT role FROM want WHERE kind <> 'platform' AND login)
           OR h.oid IN (SELECT oid FROM marked))
    UNION ALL
    SELECT 45, 'revoke', format('ALTER ROLE %I NOLOGIN', h.rolname), 'service is no longer wanted',
           h.rolname, NULL
    FROM have h JOIN marked m USING (oid)
    WHERE starts_with(m.mark, 'svc ') AND h.rolcanlogin AND h.rolname NOT IN (SELECT role FROM want)
    UNION ALL
    SELECT 46, 'revoke', format('ALTER ROLE %I RESET role', m.rolname),
           'role setting for all databases', m.rolname, NULL
    FROM pg_db_role_setting s JOIN marked m ON m.oid = s.setrole
    WHERE s.setdatabase = 0 AND m.rolname NOT IN (SELECT role FROM alien)
      AND EXISTS (SELECT FROM unnest(s.setconfig) x WHERE x LIKE 'role=%')
    -- revoked before it is granted, and by who asks: rows of other grantors may be in reach
    UNION ALL
    SELECT 61, 'revoke',
           CASE WHEN NOT can THEN NULL
                WHEN options THEN format('REVOKE %I FROM %I GRANTED BY %I CASCADE',
                                         role, member, grantor)
                ELSE format('REVOKE %I FROM %I CASCADE', role, member) END,
           format('membership isn''t wanted: %I in %I%s%s', member, role,
                  CASE WHEN admin_option THEN ' with ADMIN' ELSE '' END,
                  CASE WHEN grantor_oid = 10 THEN ', granted by a superuser'
                       WHEN options THEN format(', granted by %I', grantor) ELSE '' END),
           role, NULL
    FROM revokes, cfg
    UNION ALL
    SELECT 61, 'revoke', format('REVOKE ADMIN OPTION FOR %I FROM %I', h.role, h.member),
           format('ADMIN option isn''t wanted: %I in %I', h.member, h.role), h.role, NULL
    FROM cfg, held h JOIN member USING (role, member)
    WHERE NOT options AND h.admin_option AND h.member NOT IN (platform, me)
    UNION ALL
    SELECT 61, 'finding', NULL,
           format('membership gives more than is wanted: %I in %I: left as it is (additive)',
                  h.member, h.role), h.role, NULL
    FROM cfg, held h JOIN member m USING (role, member)
    WHERE options AND additive AND h.grantor = platform
      AND (h.i AND NOT m.i OR h.s AND NOT m.s OR h.admin_option)
    UNION ALL
    SELECT 70, 'change',
           format('GRANT %I TO %s%s', role, string_agg(quote_ident(member), ', '
                                                       ORDER BY member COLLATE "C"),
                  CASE WHEN options THEN format(' WITH INHERIT %s, SET %s', i, s) ELSE '' END),
           'membership is missing', role, NULL
    FROM (SELECT m.role, m.member,
                 -- where nothing is taken away, the platform role's own row keeps what it gives
                 (m.i OR additive AND coalesce(h.i, false))::text AS i,
                 (m.s OR additive AND coalesce(h.s, false))::text AS s
          FROM cfg, member m LEFT JOIN held h
               ON h.role = m.role AND h.member = m.member AND NOT h.implicit
               AND h.grantor = (SELECT platform FROM cfg)
          WHERE (m.role, m.member) NOT IN (SELECT role, member FROM fits)
            AND m.role NOT IN (SELECT role FROM alien)) x, cfg
    GROUP BY role, i, s, options
    -- What the platform role hasn't itself: from 16 on the bootstrap role may take it, before that
    -- only a superuser.
    UNION ALL
    SELECT 81, 'revoke',
           CASE WHEN options AND a.role NOT IN (SELECT role FROM alien)
                     AND (a.high NOT LIKE '%BYPASSRLS%' OR h.rolbypassrls)
                     AND (a.high NOT LIKE '%REPLICATION%' OR h.rolreplication)
                THEN format('ALTER ROLE %I %s', a.role, a.high) END,
           format('role has too much: %s is needed', a.high), a.role, NULL
    FROM attributes a, cfg JOIN have h ON h.oid = me_oid WHERE a.high <> ''
    UNION ALL
    SELECT at + 1, 'revoke',
           CASE WHEN ours OR can
                THEN format('ALTER DATABASE %I ALLOW_CONNECTIONS true CONNECTION LIMIT -1', name) END,
           'nobody may connect', 'database ' || name, NULL
    FROM closed),
plan AS (
    SELECT 0 AS ord, 'fenced' AS kind, NULL::text AS stmt,
           'a later apply was here' AS why, number::text AS object, NULL::text AS secret
    FROM seen, cfg WHERE branch = j#>>'{fence,branch}' AND number > (j#>>'{fence,number}')::bigint
    UNION ALL
    SELECT 0, 'blocked', NULL,
           format('role %I exists, and %I may neither administer it nor take it on', rolname, me),
           rolname, NULL
    FROM the_platform, cfg
    WHERE NOT is_me AND NOT mine
      AND NOT (pg_has_role(me_oid, oid, 'USAGE') AND pg_has_role(me_oid, oid, 'MEMBER')
               AND (NOT options OR EXISTS (SELECT FROM held WHERE role = platform AND member = me
                                           AND i AND s)))
    UNION ALL
    SELECT 0, 'blocked', NULL, format('%I may not make roles', me), platform, NULL
    FROM cfg JOIN have h ON h.oid = me_oid
    WHERE NOT h.rolcreaterole AND NOT EXISTS (SELECT FROM the_platform)
    UNION ALL
    SELECT 1, 'blocked', NULL,
           format('role exists, and %I may not administer it%s', platform,
                  CASE WHEN starts_with(note, marker) THEN ' although it has our mark' ELSE '' END),
           role, NULL
    FROM alien, cfg
    UNION ALL
    -- the fence rises with whatever is changed, and only then: a second run touches nothing
    SELECT 14, 'change',
           format('COMMENT ON ROLE %I IS %L', platform,
                  concat_ws(' ', marker || 'platform', j#>>'{fence,branch}', j#>>'{fence,number}')),
           'mark differs', platform, NULL
    FROM cfg
    WHERE me <> platform AND coalesce((SELECT mine FROM the_platform), true)
      AND CASE WHEN j ? 'fence' AND EXISTS (SELECT FROM changes WHERE stmt IS NOT NULL
                                            AND NOT (kind = 'revoke' AND additive))
               THEN (SELECT note FROM the_platform) IS DISTINCT FROM
                    concat_ws(' ', marker || 'platform', j#>>'{fence,branch}', j#>>'{fence,number}')
               ELSE NOT coalesce((SELECT starts_with(note, marker || 'platform')
                                  FROM the_platform), false) END
    UNION ALL SELECT * FROM changes
    UNION ALL SELECT 30, 'frame', format('SET LOCAL ROLE %I', platform), '', '', NULL FROM cfg
    UNION ALL SELECT 60, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL
    UNION ALL SELECT 62, 'frame', format('SET LOCAL ROLE %I', platform), '', '', NULL FROM cfg
    UNION ALL SELECT 80, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL
    UNION ALL SELECT at, 'frame', format('SET LOCAL ROLE %I', admin), '', '', NULL
    FROM closed, cfg WHERE ours AND NOT additive
    UNION ALL SELECT at + 2, 'frame', 'SET LOCAL ROLE NONE', '', '', NULL
    FROM closed, cfg WHERE ours AND NOT additive)
@ANSWER@

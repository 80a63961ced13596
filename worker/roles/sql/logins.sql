WITH @SPEC@
SELECT r.rolname AS role FROM cfg, pg_roles r
WHERE r.rolcanlogin
  AND (r.oid IN (SELECT oid FROM marked)
       OR r.rolname = platform
          AND starts_with(shobj_description(r.oid, 'pg_authid'), marker || 'platform'))
ORDER BY 1

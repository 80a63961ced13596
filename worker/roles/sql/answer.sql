-- End of every plan: `plan` (ord, kind, stmt, why, object, secret) in the order of execution.
--   kind: frame, temporary, change, revoke, finding, owner, fenced, blocked
--   stmt: NULL where nobody who asks here can do it
--   secret: the role whose password is to follow the statement
-- Where a row of order 0 says that nothing can be done, nothing else is said. What takes away is
-- only told where the policy is additive.
SELECT CASE WHEN p.stmt IS NULL AND p.kind IN ('change', 'revoke') THEN 'blocked'
            WHEN p.kind = 'revoke' AND additive THEN 'finding'
            WHEN p.kind = 'revoke' THEN 'change'
            ELSE p.kind END AS kind,
       CASE WHEN p.kind <> 'revoke' OR NOT additive THEN p.stmt END AS stmt,
       CASE WHEN p.kind = 'revoke' AND additive AND p.stmt IS NOT NULL
            THEN p.why || ': left as it is (additive)' ELSE p.why END AS why,
       p.object, p.secret
FROM plan p, cfg
WHERE p.ord = 0 OR NOT EXISTS (SELECT FROM plan WHERE ord = 0)
ORDER BY p.ord, p.object COLLATE "C", p.stmt COLLATE "C"

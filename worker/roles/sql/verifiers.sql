-- What is stored in place of passwords: members of neon_superuser read it, others are refused.
SELECT r.role, a.rolpassword AS verifier
FROM jsonb_array_elements_text($1::jsonb) r(role) LEFT JOIN pg_authid a ON a.rolname = r.role

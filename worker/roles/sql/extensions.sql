-- Extensions of the session's database; what is wanted ($1) doesn't matter.
SELECT extname AS extension FROM pg_extension WHERE $1::text IS NOT NULL
ORDER BY 1

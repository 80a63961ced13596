-- Of the same plan only what the session's own user says of what it will make.
@IN_DATABASE@
SELECT kind, stmt, why, object, secret FROM plan WHERE ord = 50
ORDER BY object COLLATE "C", stmt COLLATE "C"

-- runs with: 1
-- A stop mark may come for a command that never does: the purge forgets such rows, and finds them
-- by this.

CREATE INDEX command_by_mark ON provision.command (created_at) WHERE digest IS NULL;

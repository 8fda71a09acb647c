-- Runs of all kinds but backups are few, and are asked for by app, and where they have not ended.

CREATE INDEX IF NOT EXISTS runs_of_app_and_kind ON runs (app, kind, created_at, id) WHERE kind <> 'backup';
CREATE INDEX IF NOT EXISTS runs_unfinished_of_kind ON runs (kind, created_at, id) WHERE kind <> 'backup' AND state <> 'ended';

-- What the columns mean is told in docs/state.md.

ALTER TABLE folders ADD COLUMN far_id TEXT NOT NULL DEFAULT '';
ALTER TABLE folders ADD COLUMN near_id TEXT NOT NULL DEFAULT '';

ALTER TABLE messages ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN note TEXT NOT NULL DEFAULT '';

-- Few rows have a status: counting them must not read the others.
CREATE INDEX messages_status ON messages (folder, status) WHERE status <> '';

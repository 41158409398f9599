-- What the columns mean is told in docs/state.md.

ALTER TABLE messages ADD COLUMN far_only TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN near_only TEXT NOT NULL DEFAULT '';

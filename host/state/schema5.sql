-- What the columns mean is told in docs/state.md.

-- Counting the rows of a large folder would read them all.
ALTER TABLE folders ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
UPDATE folders SET messages = (SELECT count(*) FROM messages WHERE folder = folders.id);

-- Rows that need a look in every run. There are few of them.
CREATE INDEX messages_odd ON messages (folder)
	WHERE (status <> '' OR note <> '' OR far IS NULL OR near IS NULL OR far_only <> '' OR near_only <> '');

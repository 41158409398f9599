-- What the columns mean is told in docs/state.md.

CREATE TABLE info (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE folders (
	id          INTEGER PRIMARY KEY,
	far         TEXT NOT NULL UNIQUE,
	near        TEXT NOT NULL DEFAULT '',
	far_epoch   TEXT NOT NULL DEFAULT '',
	near_epoch  TEXT NOT NULL DEFAULT '',
	far_cursor  TEXT NOT NULL DEFAULT '',
	near_cursor TEXT NOT NULL DEFAULT '',
	policy      TEXT NOT NULL DEFAULT ''
);

CREATE TABLE messages (
	id     INTEGER PRIMARY KEY,
	folder INTEGER NOT NULL REFERENCES folders (id),
	far    TEXT,
	near   TEXT,
	flags  TEXT NOT NULL,
	size   INTEGER,
	date   INTEGER,
	ident  TEXT NOT NULL
);

-- NULL is the key of a message that is gone on that side. Keys that are there
-- name one message each: these indexes are what refuses a second pair.
CREATE UNIQUE INDEX messages_far ON messages (folder, far);
CREATE UNIQUE INDEX messages_near ON messages (folder, near);

CREATE TABLE intents (
	id     INTEGER PRIMARY KEY,
	folder INTEGER NOT NULL REFERENCES folders (id),
	side   TEXT NOT NULL CHECK (side IN ('far', 'near')),
	source TEXT NOT NULL,
	target TEXT NOT NULL,
	next   TEXT NOT NULL,
	epoch  TEXT NOT NULL,
	flags  TEXT NOT NULL,
	size   INTEGER,
	date   INTEGER,
	ident  TEXT NOT NULL
);

CREATE INDEX intents_folder ON intents (folder);

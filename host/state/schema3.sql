-- What the columns mean is told in docs/state.md.

CREATE TABLE runs (
	id      INTEGER PRIMARY KEY,
	kind    TEXT NOT NULL,
	began   INTEGER NOT NULL,
	ended   INTEGER,
	outcome TEXT NOT NULL DEFAULT ''
);

CREATE TABLE journal (
	id         INTEGER PRIMARY KEY,
	run        INTEGER NOT NULL,
	at         INTEGER NOT NULL,
	folder     TEXT NOT NULL,
	message    INTEGER,
	was        INTEGER,
	op         TEXT NOT NULL,
	side       TEXT NOT NULL DEFAULT '',
	far        TEXT NOT NULL DEFAULT '',
	near       TEXT NOT NULL DEFAULT '',
	message_id TEXT,
	before     TEXT NOT NULL DEFAULT '',
	after      TEXT NOT NULL DEFAULT '',
	date       INTEGER,
	other      TEXT NOT NULL DEFAULT '',
	spool      TEXT NOT NULL DEFAULT '',
	reason     TEXT NOT NULL DEFAULT ''
);

CREATE INDEX journal_run ON journal (run);
CREATE INDEX journal_message ON journal (message) WHERE message IS NOT NULL;
CREATE INDEX journal_message_id ON journal (message_id) WHERE message_id IS NOT NULL;

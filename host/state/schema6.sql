-- What the columns mean is told in docs/state.md.

-- They were most of what an event costs, and are asked for by `imapfw explain` only,
-- which reads the journal.
DROP INDEX IF EXISTS journal_message;
DROP INDEX IF EXISTS journal_message_id;

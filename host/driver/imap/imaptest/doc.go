// Package imaptest is an IMAP server inside the process: the far side of
// `imapfw demo`, and of every test that needs a server and not Dovecot's
// extensions. It keeps mail in memory, listens on 127.0.0.1 only, and speaks
// IMAP4rev1 and IMAP4rev2 with NAMESPACE, UIDPLUS, ESEARCH, LIST-STATUS, MOVE
// and LITERAL+; it knows neither CONDSTORE nor QRESYNC. It takes the header of
// a message apart and puts it together again, so content without a proper header
// does not come back byte by byte: use Dovecot for that.
//
// A Proxy, put in front of it or of any other server, records what crosses the
// wire and breaks it where a test wants it broken.
package imaptest

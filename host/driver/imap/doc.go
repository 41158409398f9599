// Package imap is the driver for IMAP servers: imapclient's commands over the
// connections of package conn, which also sends those that imapclient lacks.
//
// # Connections
//
// A Driver owns a pool of connections. An operation borrows one for as long as
// it talks to the server, and prefers one that has its folder selected already.
// Nobody holds a connection while waiting for another store, with one exception:
// content that streams from the socket straight to its reader. At most all but
// one of the connections stream at a time; what comes beyond is spooled first.
// So two engines that copy in opposite directions between the same two stores
// cannot wait for each other, and one connection is enough for everything.
//
// # What a folder costs
//
// An unchanged folder costs nothing: one LIST tells the state of all of them. (A
// Dovecot has its inbox opened in the same round trip, see peek.go.)
// With QRESYNC or CONDSTORE a changed one costs what changed in it; without, it
// costs its flags. Nothing is done once per message but moving its content.
//
// # Delivering
//
// Where the server has MULTIAPPEND, LITERAL+ and UIDPLUS, small messages are sent
// up to a hundred at a time, as one APPEND: it takes all of them or none. They stay
// in memory until it has answered. After a NO each is sent by itself, if the
// folder has nothing but what the server had confirmed; else the next run finds
// out. A connection that drops meanwhile is reason to send no more of them. Every
// other message is an APPEND of its own, sent without waiting for the
// answer to the one before.
//
// # Trust
//
// A message is handed out only with every item that was asked for: servers send
// parts of answers, answers for other messages, and answers nobody asked for.
// UIDs that were not answered are asked for again, then one by one; only a
// message that UID SEARCH does not find either is gone.
package imap

// Package maildir is the driver for mail kept in Maildirs: one file per message,
// flags in its name, one directory per folder.
//
// Other programs work on the same files at any time. Mail readers rename files
// to set flags and move them from new/ to cur/, delivery agents add some, and
// nobody takes a lock. The driver therefore trusts no name for longer than it
// takes to use it: a file that is not where it was is looked for again, and a
// message counts as gone only after a reading of the folder during which
// nothing was renamed. See scan.go.
//
// Beside the mail it keeps four small text files:
//
//	ROOT/.imapfw           the stamp: whose copy this is, and of which run
//	ROOT/.imapfw.lock      locked while a driver is open on the root
//	ROOT/.imapfw-keywords  which letter stands for which keyword
//	FOLDER/.imapfw-folder  the folder's epoch
//
// and, in the format of Dovecot, FOLDER/dovecot-keywords.
package maildir

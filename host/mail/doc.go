// Package mail is the vocabulary every other package speaks: folders, keys,
// flags, what is known of a message, and its content on the way from one store
// to another. It is plain data: nothing here does I/O, nothing here knows IMAP
// commands, files or Lua.
package mail

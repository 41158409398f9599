// Package conn is the connection under imapclient. It signs in by itself, then
// hands imapclient a net.Conn that begins with a synthetic
//
//   - PREAUTH [CAPABILITY ...]
//
// and through which every byte passes a tokenizer for lines and literals. That
// is where it repairs or diverts what would kill imapclient, where it sends
// commands of its own beside those of imapclient, and where it knows whether
// the server still makes progress.
//
// Three goroutines meet in a Conn. The filler reads the socket, two buffers
// ahead at most. imapclient's reader calls wire.Read, which is the tokenizer:
// it takes lines from the filler, gives imapclient what it understands, and our
// own commands what they asked for. The callers of Run and Do write, one
// command at a time. Literals are never copied on the way except into the
// buffer of whoever reads them, and never altered.
package conn

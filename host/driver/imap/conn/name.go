package conn

// EncodeName returns a folder name in modified UTF-7 (RFC 3501 section 5.1.3).
func EncodeName(name string) string { panic("unwritten") }

// DecodeName returns the UTF-8 form of a folder name as the server writes it,
// and false when it is neither modified UTF-7 nor UTF-8: such a folder can be
// listed, but not be named again other than by its raw form.
func DecodeName(raw string) (string, bool) { panic("unwritten") }

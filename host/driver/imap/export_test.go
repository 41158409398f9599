package imap

// InParts has folders asked in parts of n messages from twice as many on.
func (d *Driver) InParts(n int) *Driver {
	d.chunk, d.large = n, 2*n
	return d
}

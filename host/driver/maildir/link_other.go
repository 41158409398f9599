//go:build !linux

package maildir

import "errors"

// Link fails: by its name, another file might be linked than the one that is open.
func (b *fileBody) Link(string) error { return errors.ErrUnsupported }

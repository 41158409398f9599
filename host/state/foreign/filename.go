package foreign

import (
	"strconv"
	"strings"
)

// nameUID returns the UID that a tool wrote into the base name of a Maildir file,
// 0 when there is none, and OfflineIMAP's mark of the folder:
//
//	1795908239_3.26363.host,U=2,FMD5=7e33429f656f1e6e9d79b29c3f82c57e
//	1795908131.22569_2.host,U=2
func nameUID(base string) (uid uint32, mark string) {
	_, rest, found := strings.Cut(base, ",U=")
	if !found {
		return 0, ""
	}
	digits := 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		digits++
	}
	n, err := strconv.ParseUint(rest[:digits], 10, 32)
	if err != nil {
		return 0, ""
	}
	if _, after, found := strings.Cut(base, ",FMD5="); found {
		mark, _, _ = strings.Cut(after, ",")
	}
	return uint32(n), strings.ToLower(mark)
}

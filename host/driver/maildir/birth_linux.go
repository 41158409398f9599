package maildir

import "golang.org/x/sys/unix"

// birth returns when a directory was made, in nanoseconds; 0 when the file
// system does not tell.
func birth(path string) int64 {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
}

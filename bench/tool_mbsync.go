//go:build linux

package main

import "path/filepath"

// mbsync is as it comes ("mbsync"), or without what makes mail durable
// ("mbsync-nosync"), or also without compression ("mbsync-tuned"): on a fast line that
// is the fastest it can be, and mail may be lost when the power is.
func mbsync(name string) *tool {
	t := &tool{
		Name: name, Title: map[string]string{"mbsync": "mbsync", "mbsync-nosync": "mbsync, FSync no", "mbsync-tuned": "mbsync tuned"}[name],
		Binary: "mbsync", version: []string{"--version"}, Added: []string{"X-TUID"},
		sync: func(c client) []string { return []string{"-q", "-c", filepath.Join(c.Dir, "mbsyncrc"), "c"} },
	}
	t.configure = func(c client, hurry bool) error {
		tls, fsync, compress := "SSLType None", "yes", ""
		if c.TLS {
			tls = "SSLType IMAPS\nCertificateFile " + c.Cert
		}
		if name != "mbsync" || hurry {
			fsync = "no"
		}
		if name == "mbsync-tuned" || hurry {
			compress = "DisableExtension COMPRESS=DEFLATE\n"
		}
		return writeConfig(c, "mbsyncrc", `FSync {fsync}

IMAPAccount a
Host localhost
Port {port}
User {user}
Pass {password}
AuthMechs LOGIN
{tls}
{compress}
IMAPStore far
Account a

MaildirStore near
Path {mail}/
Inbox {mail}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
`, "{tls}", tls, "{fsync}", fsync, "{compress}", compress)
	}
	return t
}

//go:build linux

package main

import "path/filepath"

func offlineimap() *tool {
	return &tool{
		Name: "offlineimap", Title: "OfflineIMAP", Binary: "offlineimap", version: []string{"--version"},
		Added: []string{"X-OfflineIMAP"}, Slow: true,
		configure: func(c client, hurry bool) error {
			tls, fsync := "ssl = no\nstarttls = no", ""
			if c.TLS {
				tls = "ssl = yes\nsslcacertfile = " + c.Cert
			}
			if hurry {
				fsync = "fsync = false"
			}
			return writeConfig(c, "offlineimaprc", `[general]
accounts = a
metadata = {dir}/offlineimap
{fsync}
[Account a]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {mail}
sep = /
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {user}
remotepass = {password}
auth_mechanisms = LOGIN
{tls}
`, "{tls}", tls, "{fsync}", fsync)
		},
		sync: func(c client) []string {
			return []string{"-o", "-u", "quiet", "-c", filepath.Join(c.Dir, "offlineimaprc")}
		},
	}
}

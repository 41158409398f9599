package luaapi_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/luaapi"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	require.NoError(t, err)
	return string(text)
}

var luaBlock = regexp.MustCompile("(?s)```lua\n(.*?)```")

// What the documents show can be run: every block that is a whole file is one that `imapfw check` has
// nothing against.
func TestDocumentedFiles(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	seen := map[string]int{}
	for _, path := range append(pages, "../README.md") {
		for _, block := range luaBlock.FindAllStringSubmatch(page(t, strings.TrimPrefix(path, "../")), -1) {
			if !strings.Contains(block[1], `require "imapfw.api"`) {
				continue // a piece of a file
			}
			seen[filepath.Base(path)]++
			a := newApp(t, "app.lua", block[1])
			_, err := luaapi.Check(context.Background(), a.opt)
			require.NoError(t, err, "%s:\n%s", path, block[1])
		}
	}
	for _, name := range []string{"guide.md", "from-mbsync.md", "from-offlineimap.md"} {
		require.NotZero(t, seen[name], name)
	}
}

// mbsyncKeywords are those of the parser of mbsync 1.4.4, old ones included.
const mbsyncKeywords = `Path MaxSize MapInbox Flatten Trash TrashNewOnly TrashRemoteNew
MaildirStore AltMap Inbox InfoDelimiter SubFolders
IMAPAccount IMAPStore Account Host Port Timeout User UserCmd Pass PassCmd UseKeychain Tunnel AuthMech AuthMechs RequireCRAM
SSLType SSLVersion SSLVersions SystemCertificates CertificateFile ClientCertificate ClientKey CipherString RequireSSL UseIMAPS
UseSSLv2 UseSSLv3 UseTLSv1 UseTLSv1.1 UseTLSv1.2 UseTLSv1.3 PipelineDepth DisableExtension DisableExtensions
UseNamespace PathDelimiter SubscribedOnly
Channel Far Near Master Slave Pattern Patterns MaxMessages ExpireUnread Sync Create Remove Expunge CopyArrivalDate SyncState
Group Channels FSync FieldDelimiter BufferLimit
PullNew PullReNew PullDelete PullFlags PushNew PushReNew PushDelete PushFlags New ReNew Delete Flags Old Upgrade Gone`

// offlineimapOptions are those of offlineimap.conf 8.0, and of its code.
const offlineimapOptions = `metadata accounts maxsyncaccounts ui ignore-readonly pythonfile socktimeout fsync
enabled filename header peritem sep footer incremental folderfilter sort_keyfunc
localrepository remoterepository autorefresh quick presynchook postsynchook maxsize maxage maildir-windows-compatible
synclabels labelsheader ignorelabels filterheaders proxy authproxy utf8foldernames
type localfolders startdate sync_deletes restoreatime utime_from_header filename_use_mail_timestamp customflag_a
ipv6 remotehost remotehosteval remoteport remoteporteval remoteuser remoteusereval remotepass remotepassfile remotepasseval
starttls ssl sslclientcert sslclientkey sslcacertfile cert_fingerprint ssl_version tls_level remote_identity auth_mechanisms
oauth2_client_id oauth2_client_id_eval oauth2_client_secret oauth2_client_secret_eval oauth2_access_token
oauth2_access_token_eval oauth2_refresh_token oauth2_refresh_token_eval oauth2_request_url
preauthtunnel transporttunnel reference decodefoldernames idlefolders usecompression maxconnections singlethreadperfolder
holdconnectionopen keepalive expunge subscribedonly nametrans dynamic_folderfilter folderincludes createfolders foldersort
readonly newmail_hook retrycount copy_ignore_eval trashfolder spamfolder status_backend skipsleep ignore-keyring`

var codeSpan = regexp.MustCompile("`([^`]+)`")

// Every option of the others is on its page; what it becomes is there, or is said
// not to be there yet.
func TestPagesForThoseWhoComeFromElsewhere(t *testing.T) {
	known := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-zA-Z_.]+)").FindAllStringSubmatch(luaapi.Reference(), -1) {
		known[m[1]] = true
	}
	for _, m := range regexp.MustCompile("(?m)^## `([a-zA-Z_.]+)\\{\\}`").FindAllStringSubmatch(luaapi.Reference(), -1) {
		known[m[1]] = true
	}
	require.True(t, known["copy_date"] && known["api.rename.map"] && known["api.imap"])
	for name, words := range map[string]string{"docs/from-mbsync.md": mbsyncKeywords, "docs/from-offlineimap.md": offlineimapOptions} {
		text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(page(t, name), "")
		var spans []string
		for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
			spans = append(spans, m[1])
		}
		for _, word := range strings.Fields(words) {
			require.True(t, slices.Contains(spans, word), "%s does not mention %s", name, word)
		}
		for line := range strings.Lines(text) {
			cells := strings.Split(line, " | ")
			if !strings.HasPrefix(line, "| `") || len(cells) != 3 {
				continue
			}
			target := codeSpan.FindStringSubmatch(cells[1])
			if target == nil {
				require.Equal(t, "none", cells[1], line)
				continue
			}
			var missing []string
			for _, span := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
				for _, used := range namesIn(span[1]) {
					if !known[used] {
						missing = append(missing, used)
					}
				}
			}
			if strings.HasPrefix(cells[2], "not there yet") {
				require.NotEmpty(t, missing, "it is there by now, and the page says that it is not:\n%s", line)
			} else {
				require.Empty(t, missing, "there is no such thing:\n%s", line)
			}
		}
	}
}

// namesIn returns the options and functions that a piece of Lua uses.
func namesIn(lua string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`api\.[a-z_.]+[a-z_]|^[a-z_]+|[{,] ([a-z_]{2,}) =`).FindAllStringSubmatch(lua, -1) {
		if m[1] != "" {
			out = append(out, m[1])
		} else {
			out = append(out, m[0])
		}
	}
	if strings.Contains(lua, "m.") && !strings.Contains(lua, "api.") {
		for _, m := range regexp.MustCompile(`m\.([a-z_]+)`).FindAllStringSubmatch(lua, -1) {
			out = append(out, "api.match."+m[1])
		}
	}
	return out
}

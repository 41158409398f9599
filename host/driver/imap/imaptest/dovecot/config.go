//go:build unix

package dovecot

import (
	"bytes"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"text/template"
)

// owner is the user mail belongs to.
type owner struct {
	Name, Group string
	UID, GID    int
	Root        bool // we are root, the owner is somebody else
}

func mailOwner() (owner, error) {
	names := []string{"vmail", "mail", "nobody"}
	root := os.Getuid() == 0
	if !root {
		me, err := user.Current()
		if err != nil {
			return owner{}, err
		}
		names = []string{me.Username}
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		group, err := user.LookupGroupId(u.Gid)
		if err != nil {
			continue
		}
		o := owner{Name: name, Group: group.Name, Root: root}
		if o.UID, err = strconv.Atoi(u.Uid); err != nil {
			continue
		}
		if o.GID, err = strconv.Atoi(u.Gid); err != nil {
			continue
		}
		return o, nil
	}
	return owner{}, fmt.Errorf("none of the users %v can own the mail", names)
}

type config struct {
	Dir           string
	Storage       string
	Separator     string
	Prefix        string
	Extra         string
	Port, TLSPort int
	Owner         owner
}

func (c config) Password() string { return Password }

func (c config) render() ([]byte, error) {
	t, err := template.New("dovecot.conf").Parse(configTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, c)
	return b.Bytes(), err
}

// The users are whoever signs in with the password: with a passwd-file, a new
// user would be seen only a second later.
const configTemplate = `base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/state
instance_name = imapfw-test
log_path = {{.Dir}}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{{.Dir}}/cert.pem
ssl_key = <{{.Dir}}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
mail_location = {{.Storage}}:~/mail
mail_fsync = never
mail_max_userip_connections = 100
mail_plugins = zlib
default_vsz_limit = 2G
shutdown_clients = yes
{{- if not .Owner.Root}}
default_internal_user = {{.Owner.Name}}
default_internal_group = {{.Owner.Group}}
default_login_user = {{.Owner.Name}}
{{- end}}
namespace inbox {
  inbox = yes
  separator = {{.Separator}}
  prefix = {{.Prefix}}
}
protocol imap {
  mail_plugins = $mail_plugins imap_zlib
}
passdb {
  driver = static
  args = password={{.Password}}
}
userdb {
  driver = static
  args = uid={{.Owner.UID}} gid={{.Owner.GID}} home={{.Dir}}/home/%u allow_all_users=yes
}
service imap-login {
  service_count = 0
{{- if not .Owner.Root}}
  chroot =
{{- end}}
  inet_listener imap {
    port = {{.Port}}
  }
  inet_listener imaps {
    port = {{.TLSPort}}
  }
}
service anvil {
  # No delay of sign-ins after one that failed.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
{{- if not .Owner.Root}}
  chroot =
{{- end}}
}
{{- if not .Owner.Root}}
service stats {
  chroot =
}
{{- end}}
service imap {
  process_limit = 200
}
{{.Extra}}`

package scenario_test

import (
	"fmt"
	"strings"
)

// account is what a user would have written.
type account struct {
	options, far, near, lua string
	class                   string
}

// script writes the app: one account with its options, or, where a class of an
// engine is to run it, the managers that an account is made of.
func (a account) script(far, near side, state string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "local api = require \"imapfw.api\"\n%s\n", a.lua)
	if a.class == "" {
		fmt.Fprintf(&b, "return api.account {\n  name = \"me\", state = %q,\n  far = %s,\n  near = %s,\n%s\n}\n",
			state, far.lua(a.far), near.lua(a.near), a.options)
		return b.String()
	}
	fmt.Fprintf(&b, `local app = api.app { name = "me" }
function app.main(ctx)
  local far = api.RepositoryManager { name = "far", endpoint = %s }
  local near = api.RepositoryManager { name = "near", endpoint = %s }
  local state = api.RepositoryManager { name = "state", endpoint = api.StateEndpoint { path = %q } }
  local sync = api.EngineManager { name = "sync", class = %s, far = far, near = near, state = state, %s }
  ctx:start { far, near, state, sync }
end
return app
`, endpoint(far.lua(a.far)), endpoint(near.lua(a.near)), state, a.class, a.options)
	return b.String()
}

// endpoint makes a definition of a store one of an endpoint.
func endpoint(store string) string {
	for from, to := range map[string]string{"api.memory": "api.MemoryEndpoint", "api.maildir": "api.MaildirEndpoint", "api.imap": "api.ImapEndpoint"} {
		if rest, ok := strings.CutPrefix(store, from); ok {
			return to + rest
		}
	}
	return store
}

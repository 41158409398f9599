package imaptest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Command is a command on its way to the mailboxes, as a hook sees it.
type Command struct {
	User   string
	Name   string // "SELECT", "APPEND", "FETCH", "STORE", "COPY", "MOVE", "EXPUNGE", "SEARCH", "STATUS", "CREATE", "DELETE", "RENAME"
	Folder string // the selected folder, or the one it names
	Bodies bool   // a FETCH of content
	uids   imap.NumSet
}

// Covers reports whether a command on messages names this UID.
func (c Command) Covers(uid uint32) bool {
	set, ok := c.uids.(imap.UIDSet)
	return ok && set.Contains(imap.UID(uid))
}

// No is the error with which a hook makes the server answer NO, with a response
// code or "".
func No(code, text string) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCode(code), Text: text}
}

// Hook installs a function that is called before every command, and may refuse
// it by returning an error made by No. It is called on the goroutine of the
// connection. nil removes it.
func (s *Server) Hook(fn func(Command) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = fn
}

func (s *Server) before(c Command) error {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(c)
}

func (s *Server) newSession(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	session := &session{server: s}
	if s.opts.AppendLimit > 0 {
		return &limitedSession{session, s.opts.AppendLimit}, nil, nil
	}
	return session, nil, nil
}

// limitedSession is a session that advertises APPENDLIMIT: imapserver asks for
// it whenever the method is there.
type limitedSession struct {
	*session
	limit uint32
}

func (s *limitedSession) AppendLimit() uint32 { return s.limit }

// session is the memory server's session, with a hook before every command.
type session struct {
	*imapmemserver.UserSession // nil before Login
	server                     *Server
	account                    *Account
	folder                     string
	own                        bool // opened by Account, not by the client under test
}

var _ imapserver.SessionIMAP4rev2 = (*session)(nil)

func (s *session) Login(user, password string) error {
	account := s.server.Account(user)
	if account == nil || user == "" {
		return imapserver.ErrAuthFailed
	}
	s.own = password == s.server.master
	if err := account.memory.Login(user, password); err != nil && !s.own {
		return err
	}
	s.account, s.UserSession = account, imapmemserver.NewUserSession(account.memory)
	return nil
}

func (s *session) before(name, folder string, set imap.NumSet) error {
	return s.run(Command{Name: name, Folder: folder, uids: set})
}

func (s *session) run(c Command) error {
	if s.own {
		return nil
	}
	c.User = s.account.User
	return s.server.before(c)
}

func (s *session) Select(folder string, o *imap.SelectOptions) (*imap.SelectData, error) {
	if err := s.before("SELECT", folder, nil); err != nil {
		return nil, err
	}
	data, err := s.UserSession.Select(folder, o)
	if err == nil {
		s.folder = folder
	}
	return data, err
}

func (s *session) Create(folder string, o *imap.CreateOptions) error {
	if err := s.before("CREATE", folder, nil); err != nil {
		return err
	}
	err := s.UserSession.Create(folder, o)
	if err == nil {
		s.account.made(strings.TrimRight(folder, "/"))
	}
	return err
}

func (s *session) Delete(folder string) error {
	if err := s.before("DELETE", folder, nil); err != nil {
		return err
	}
	err := s.UserSession.Delete(folder)
	if err == nil {
		s.account.gone(folder)
	}
	return err
}

// Rename renames a folder and, as the protocol wants it and the memory server does
// not, those below it.
func (s *session) Rename(folder, to string, o *imap.RenameOptions) error {
	if err := s.before("RENAME", folder, nil); err != nil {
		return err
	}
	if err := s.UserSession.Rename(folder, to, o); err != nil {
		return err
	}
	for _, name := range s.account.rename(folder, to) {
		if err := s.UserSession.Rename(name, to+strings.TrimPrefix(name, folder), o); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) Status(folder string, o *imap.StatusOptions) (*imap.StatusData, error) {
	if err := s.before("STATUS", folder, nil); err != nil {
		return nil, err
	}
	return s.UserSession.Status(folder, o)
}

func (s *session) Append(folder string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	if err := s.before("APPEND", folder, nil); err != nil {
		return nil, err
	}
	data, err := s.UserSession.Append(folder, r, o)
	if !s.server.caps.Has(imap.CapUIDPlus) {
		data = nil // APPENDUID is part of UIDPLUS
	}
	return data, err
}

func (s *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	var set imap.NumSet
	if uids != nil {
		set = *uids
	}
	if err := s.before("EXPUNGE", s.folder, set); err != nil {
		return err
	}
	return s.UserSession.Expunge(w, uids)
}

func (s *session) Search(kind imapserver.NumKind, c *imap.SearchCriteria, o *imap.SearchOptions) (*imap.SearchData, error) {
	if err := s.before("SEARCH", s.folder, nil); err != nil {
		return nil, err
	}
	return s.UserSession.Search(kind, c, o)
}

func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	command := Command{Name: "FETCH", Folder: s.folder, Bodies: len(o.BodySection) > 0, uids: set}
	if err := s.run(command); err != nil {
		return err
	}
	broken := s.account.brokenIn(s.folder)
	wanted, ok := set.(imap.UIDSet)
	if s.own || !command.Bodies || !ok || !slices.ContainsFunc(broken, wanted.Contains) {
		return s.fetch(w, set, o)
	}
	// As servers with a damaged message do: the others, then NO.
	numbers, _ := wanted.Nums()
	numbers = slices.DeleteFunc(numbers, func(uid imap.UID) bool { return slices.Contains(broken, uid) })
	if len(numbers) > 0 {
		if err := s.fetch(w, imap.UIDSetNum(numbers...), o); err != nil {
			return err
		}
	}
	return No("", fmt.Sprintf("Some messages of %s could not be read", s.folder))
}

// fetch sends messages. It fails only when the client is gone; then the memory
// server leaves the response open, and imapserver would wait for ever to send
// the next one. It recovers from panics, by ending the connection.
func (s *session) fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	if err := s.UserSession.Fetch(w, set, o); err != nil {
		panic(fmt.Sprintf("client gone in the middle of a FETCH: %v", err))
	}
	return nil
}

func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, f *imap.StoreFlags, o *imap.StoreOptions) error {
	if err := s.before("STORE", s.folder, set); err != nil {
		return err
	}
	return s.UserSession.Store(w, set, f, o)
}

func (s *session) Copy(set imap.NumSet, to string) (*imap.CopyData, error) {
	if err := s.before("COPY", s.folder, set); err != nil {
		return nil, err
	}
	return s.UserSession.Copy(set, to)
}

func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, to string) error {
	if err := s.before("MOVE", s.folder, set); err != nil {
		return err
	}
	return s.UserSession.Move(w, set, to)
}

package luaapi

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/imapfw/imapfw/host/script"
)

// apiName is the module that all of this makes up.
const apiName = "imapfw.api"

// The classes of the api, by name.
const (
	classRepository        = "Repository"
	classImapRepository    = "ImapRepository"
	classMaildirRepository = "MaildirRepository"
	classMemoryRepository  = "MemoryRepository"
	classStateRepository   = "StateRepository"
	classController        = "Controller"
	classSyncEngine        = "SyncEngine"
	classConvertEngine     = "ConvertEngine"
	classLogger            = "Logger"
	classWorker            = "Worker"
)

// class is a class of the api, to be extended by scripts.
type class struct {
	name, base, doc string
	methods         []function
	// args reads what the class is called with in main; nil: any plain data.
	args func(L *lua.LState, n int) any
	// params is how the stub writes those arguments.
	params string
}

// classes lists the classes of the api, bases first.
func classes() []class {
	list := []class{
		{name: classRepository, doc: "A place of mail.", methods: storeMethods()},
		{name: classImapRepository, base: classRepository, doc: "The mail of an IMAP account."},
		{name: classMaildirRepository, base: classRepository, doc: "A tree of Maildir folders."},
		{name: classMemoryRepository, base: classRepository, doc: "Mail in memory."},
		{name: classStateRepository, doc: "What is remembered between two runs.", methods: stateMethods()},
		{name: classController, doc: "Sees every request between a repository and its driver. What it does not override goes on unchanged.", methods: storeMethods()},
		{name: classSyncEngine, doc: "Keeps two repositories in step.", methods: engineMethods()},
		{name: classConvertEngine, base: classSyncEngine, doc: "Copies the far repository into a near one that is empty at first."},
		{name: classLogger, doc: "Writes the log.", methods: loggerMethods()},
		{name: classWorker, doc: "A worker of your own.", methods: workerMethods()},
	}
	return append(list, controllerClasses()...)
}

// classID is how a class of the api is found in a state.
func classID(name string) string { return apiName + ":" + name }

// registerClasses makes the classes known to a state and returns them by name.
func registerClasses(s *script.State, L *lua.LState) map[string]*script.Class {
	made := map[string]*script.Class{}
	for _, c := range classes() {
		methods := map[string]lua.LGFunction{}
		for _, m := range c.methods {
			methods[m.name] = m.guarded(c.name + ":" + m.name)
		}
		made[c.name] = s.NewClass(L, script.ClassSpec{Module: apiName, Name: c.name, Base: made[c.base], Methods: methods, Args: c.args})
	}
	return made
}

// isBelow reports whether a class is one of the api, or extends it.
func isBelow(c *script.Class, name string) bool {
	for ; c != nil; c = c.Base() {
		if c.ID() == classID(name) {
			return true
		}
	}
	return false
}

// scriptClass returns the id of a class that a script defined, and "" for one of
// the api: the host is that by itself.
func scriptClass(c *script.Class) string {
	if c == nil || c.API() == c {
		return ""
	}
	return c.ID()
}

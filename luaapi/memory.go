package luaapi

import (
	"github.com/imapfw/imapfw/host/script/options"
)

// memoryTable declares the options of api.memory and api.MemoryEndpoint.
func memoryTable(name string) *options.Table {
	return &options.Table{
		Name: name, Class: "imapfw.MemoryOptions",
		Doc: "Mail that is kept in memory and is gone afterwards: for tests and demonstrations.",
		Options: []options.Option{
			{Name: "name", Type: options.Text(), DefaultText: "that of its repository",
				Help: "which one; stores of one name in one process are the same"},
			{Name: "like", Type: options.Enum("imap", "maildir"), Default: "imap", Help: "what it behaves like"},
			{Name: "folders", Type: options.MapOf(options.ListOf(options.String())),
				Help: "what it holds when it is first opened: messages by folder"},
		},
	}
}

func memoryFunction(name string) function {
	return storeFunction(name, memoryTable("api."+name), kindMemory, nil)
}

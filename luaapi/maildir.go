package luaapi

import (
	"github.com/imapfw/imapfw/host/script/options"
)

// maildirTable declares the options of api.maildir and api.MaildirEndpoint.
func maildirTable(name string) *options.Table {
	return &options.Table{
		Name: name, Class: "imapfw.MaildirOptions",
		Doc: "A tree of Maildir folders.",
		Options: []options.Option{
			{Name: "path", Type: options.Text(), Required: true, Help: "the folder that holds the Maildirs; it is made when missing"},
			{Name: "inbox", Type: options.Text(), DefaultText: "path .. \"/INBOX\"", Help: "the Maildir of the inbox"},
			{Name: "subfolders", Type: options.Enum("verbatim", "maildir++", "legacy"), Default: "verbatim",
				Help: "how levels of folders lie on disk: a/b, .a.b or a/.b"},
			{Name: "separator", Type: options.String(), Help: "stands for \"/\" in directory names, so that all folders lie side by side", Check: oneCharacter},
			{Name: "encoding", Type: options.Enum("utf8", "utf7"), Default: "utf8", Help: "of folder names on disk"},
			{Name: "keywords", Type: options.AnyOf(options.Bool(), options.MapOf(options.String())), Default: true,
				Help: "keep keywords as letters: true, a table letter = keyword, or false", Check: checkLetters},
			{Name: "fsync", Type: options.Bool(), Default: true, Help: "make messages durable before the state knows them"},
			{Name: "info_separator", Type: options.String(), Default: ":", Help: "between name and flags of a file", Check: isInfoSeparator},
		},
	}
}

func maildirFunction(name string) function {
	return storeFunction(name, maildirTable("api."+name), kindMaildir, nil)
}

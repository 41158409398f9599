package luaapi

import (
	"math"

	"github.com/imapfw/imapfw/host/script/options"
	"github.com/imapfw/imapfw/host/wire"
)

// engineOptions are the options that an account and api.EngineManager share.
func engineOptions() []options.Option {
	ops := func() options.Type {
		return options.AnyOf(options.Enum("all", "none"), options.ListOf(options.Enum("new", "upgrade", "flags", "delete")))
	}
	sides := func() options.Type { return options.Enum("none", "far", "near", "both") }
	return []options.Option{
		{Name: "pull", Type: ops(), Default: "all", Help: "what is carried from far to near"},
		{Name: "push", Type: ops(), Default: "all", Help: "what is carried from near to far"},
		{Name: "mirror", Type: options.Enum("pull", "push"), Help: "one way only, and changes made on the target are undone"},
		{Name: "expunge", Type: sides(), Default: "both", Help: "where a removed message is removed for good instead of marked"},
		{Name: "create", Type: sides(), Default: "both", Help: "where folders are created that are missing there"},
		{Name: "remove", Type: sides(), Default: "none", Help: "where folders are removed that were removed on the other side"},
		{Name: "subscribe", Type: sides(), Default: "both", Help: "where created folders are subscribed"},
		{Name: "trash", Type: options.Sub(trashTable()), Help: "where messages go before they are removed for good"},
		{Name: "messages", Type: predicateType(), DefaultText: "all",
			Help: "which far messages are kept near; one that does not match any more is removed near only, and never for that while it is flagged or unread unless the predicate says so"},
		{Name: "max_size", Type: options.Size(), DefaultText: "off",
			Help: "larger messages are kept near as a placeholder until they are flagged"},
		{Name: "max_messages", Type: options.Int(0, math.MaxInt32), Default: int64(0), Help: "how many messages of a folder are kept near, the newest; 0 is all"},
		{Name: "expire_unread", Type: options.Bool(), Default: false, Help: "whether max_messages also counts out unread messages"},
		{Name: "conflict", Type: options.Enum("remove", "keep", "far", "near"), Default: "remove",
			Help: "what wins when a message was removed on one side and its flags changed on the other"},
		{Name: "flags", Type: options.MapOf(options.Enum("merge", "far", "near", "union")), DefaultText: "\"merge\" for all",
			Check: checkFlagRules,
			Help: "which side decides about a flag or keyword, { [\"\\\\Seen\"] = \"union\" }: the one that changed it (merge), " +
				"always far or near, or either one that has it (union)"},
		{Name: "guard", Type: options.AnyOf(options.Const(false), options.Sub(guardTable())), DefaultText: "on",
			Help: "how much a run may remove before it stops with exit code 5; false never stops"},
		{Name: "copy_date", Type: options.Bool(), Default: true, Help: "carry the arrival date"},
		{Name: "undo", Type: options.AnyOf(options.Const(false), options.Sub(undoTable())), DefaultText: "on",
			Help: "how long what a run destroys is kept for imapfw undo; false keeps nothing"},
	}
}

func trashTable() *options.Table {
	sides := func() options.Type { return options.Enum("none", "far", "near", "both") }
	return &options.Table{
		Name: "trash", Class: "imapfw.TrashOptions",
		Doc: "Folders that messages are moved to before they are removed for good.",
		Options: []options.Option{
			{Name: "far", Type: options.Text(), Help: "far name of the folder on the far side"},
			{Name: "near", Type: options.Text(), Help: "near name of the folder on the near side"},
			{Name: "new_only", Type: sides(), Default: "none", Help: "where only messages are kept that the other side never had"},
			{Name: "from_other", Type: sides(), Default: "none",
				Help: "whose trash also takes the messages that are removed on the other side before they were copied"},
		},
		Check: func(m wire.Map) []error {
			if m["far"] == nil && m["near"] == nil {
				return []error{problem("far", "a trash needs a folder on a side at least: far = \"Trash\" or near = \"Trash\"")}
			}
			return nil
		},
	}
}

func guardTable() *options.Table {
	count := func() options.Type { return options.Int(0, math.MaxInt32) }
	return &options.Table{
		Name: "guard", Class: "imapfw.GuardOptions",
		Doc: "How much a run may remove before it stops, with nothing written.",
		Options: []options.Option{
			{Name: "max", Type: count(), Default: int64(100), Help: "removals in a folder and side that are too many when they exceed share too"},
			{Name: "share", Type: options.Number(0, 1), Default: 0.5, Help: "of what the folder holds"},
			{Name: "hard", Type: count(), Default: int64(1000), Help: "removals in a folder and side that are too many in any case"},
			{Name: "account", Type: count(), Default: int64(2000), Help: "removals in the whole account that are too many"},
			{Name: "new", Type: count(), Default: int64(100), Help: "uploads that are too many when there is no state and both sides hold mail"},
		},
	}
}

func undoTable() *options.Table {
	return &options.Table{
		Name: "undo", Class: "imapfw.UndoOptions",
		Doc: "How long what a run destroys is kept.",
		Options: []options.Option{
			{Name: "days", Type: options.Int(0, 36500), Default: int64(7), Help: "how long"},
			{Name: "size", Type: options.Size(), Default: int64(1 << 30), Help: "how much; the oldest go first"},
			{Name: "path", Type: options.Text(), DefaultText: "below the state", Help: "the folder it is kept in"},
		},
	}
}

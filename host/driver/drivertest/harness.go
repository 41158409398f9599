// Package drivertest is the contract of driver.Store as a test suite. Every
// driver runs it; what a kind of store cannot do is declared in Features, never
// left out in silence.
package drivertest

import (
	"testing"
	"time"

	"github.com/imapfw/imapfw/host/driver"
	"github.com/imapfw/imapfw/host/mail"
)

// Harness is how the suite gets at a driver.
type Harness struct {
	// New makes a fresh place without mail. It is called once for each test,
	// and cleans up after itself with t.Cleanup.
	New func(t *testing.T) Place
	Features
}

// Place is one home of mail: a directory, an account on a server.
type Place struct {
	// Store makes a driver on the place, not open yet. The suite closes one
	// before it makes the next, which must find what the one before has left.
	Store func(t *testing.T) driver.Store

	// The side door: what another program does to the mail. A nil function
	// skips the tests that need it, visibly. The folder and the message exist.
	Add      func(t *testing.T, folder string, m Message)
	SetFlags func(t *testing.T, folder string, key mail.Key, flags mail.Flags)
	Remove   func(t *testing.T, folder string, key mail.Key)
	// Recreate removes a folder with all that is in it, and makes an empty one
	// of the same name.
	Recreate func(t *testing.T, folder string)

	// Settle lets the place come to rest: what happened before it is older than
	// any clock's grain when it returns. Nil where cursors are exact at once.
	Settle func(t *testing.T)
}

// Message is a message as the suite makes it; the body has LF line ends.
type Message struct {
	Flags mail.Flags
	Date  time.Time
	Body  []byte
}

// Features are what a kind of store can do and what it does to mail. The zero
// value is a store that can do everything and changes nothing.
type Features struct {
	// LineEnds is the form in which the store hands out content. Required.
	LineEnds mail.LineEnds
	// ChosenKeys: Reserve gives the keys, and Commit uses them.
	ChosenKeys bool
	// Delta: Changes hands out only what changed. Otherwise it may hand out the
	// whole folder as soon as anything did.
	Delta bool
	// NoFolderCursors: Folders does not tell where folders stand.
	NoFolderCursors bool
	// KeysUntold: Commit and a move may leave out the new key.
	KeysUntold bool
	// NoKeywords: only system flags are kept.
	NoKeywords bool
	// MaxKeywords is how many keywords a folder can hold; 0 means many.
	MaxKeywords int
	// NoEmpty: a message of no bytes is refused.
	NoEmpty bool
	// EarlyVisible: a message can be seen before Commit, and stays when nobody
	// ends its delivery.
	EarlyVisible bool
	// AbortLeaves: an aborted message may stay.
	AbortLeaves bool
	// Normalise is what becomes of content that the store takes, given in the
	// store's own form. Nil means that every byte is kept.
	Normalise func([]byte) []byte
	// Unholdable are names the suite uses that this store cannot hold.
	Unholdable []string
	// FolderIDs: Folders or Changes tells what names a folder whatever it is called.
	FolderIDs bool
	// BadNames are names that CreateFolder must refuse with fault.BadName.
	BadNames []string
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, one := range []struct {
		name string
		run  func(*testing.T, *env)
	}{
		{"Lifecycle/Reopen", testReopen},
		{"Lifecycle/Closed", testClosed},
		{"Lifecycle/CloseInFlight", testCloseInFlight},
		{"Folders/List", testList},
		{"Folders/Names", testNames},
		{"Folders/BadNames", testBadNames},
		{"Folders/Subscribe", testSubscribe},
		{"Folders/Remove", testRemoveFolder},
		{"Folders/Rename", testRenameFolder},
		{"Folders/RenameRefused", testRenameRefused},
		{"Folders/Missing", testMissingFolder},
		{"Changes/Full", testChangesFull},
		{"Changes/Batches", testChangesBatches},
		{"Changes/Incremental", testChangesIncremental},
		{"Changes/Random", testChangesRandom},
		{"Changes/Cursor", testCursor},
		{"Changes/CallbackError", testChangesCallbackError},
		{"Describe/Items", testDescribe},
		{"Describe/Missing", testDescribeMissing},
		{"Bodies/Exact", testBodiesExact},
		{"Bodies/Missing", testBodiesMissing},
		{"Bodies/Unread", testBodiesUnread},
		{"Bodies/CallbackError", testBodiesCallbackError},
		{"Deliver/Attributes", testDeliverAttributes},
		{"Deliver/Keys", testDeliverKeys},
		{"Deliver/Dates", testDates},
		{"Deliver/NotBeforeCommit", testDeliverNotBeforeCommit},
		{"Deliver/Abort", testDeliverAbort},
		{"Deliver/BrokenBody", testDeliverBrokenBody},
		{"Deliver/KeywordLimit", testKeywordLimit},
		{"Change/Flags", testChangeFlags},
		{"Change/OthersFlags", testChangeOthersFlags},
		{"Change/Remove", testChangeRemove},
		{"Change/Move", testChangeMove},
		{"Change/Mixed", testChangeMixed},
		{"Epoch/Pinned", testEpochPinned},
		{"Epoch/Recreated", testEpochRecreated},
		{"Context/Before", testContextBefore},
		{"Context/InBody", testContextInBody},
		{"Context/InDelivery", testContextInDelivery},
		{"Concurrent/Folders", testConcurrentFolders},
		{"Concurrent/OneFolder", testConcurrentOneFolder},
		{"Stamp", testStamp},
	} {
		t.Run(one.name, func(t *testing.T) { one.run(t, newEnv(t, h)) })
	}
}

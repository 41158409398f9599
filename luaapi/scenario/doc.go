// Package scenario holds the scenarios: small stories of two sides that are kept
// in step, told in files that a user can read, and run as tests over stores in
// memory, over Maildirs on disk, and over a real server.
//
// A file of testdata is one scenario. It is read from top to bottom; a line that
// begins at the margin is something that happens, the indented lines below it
// belong to it, and # begins a comment. The first comment is the title.
//
//	# A message removed near is removed far.
//	options
//	    expunge = "both",
//	both
//	    INBOX: a b[\Seen $Work] m1..20
//	    Sent Items:
//	in step
//	near remove INBOX/a
//	sync
//	    delete far INBOX 1: removed on the near side
//	both
//	    INBOX: b[\Seen $Work] m1..20
//	    Sent Items:
//
// The first far, near or both fill the sides, the later ones say what must be
// there. A folder holds messages by name: a message of one name is the same
// everywhere, byte for byte. In brackets are its flags and keywords and, where it
// is named first, what is special about it:
//
//	size=30k date=2020-05-01 age=40d from=bob subject=hello header=X-Tag:work id=b noid odd
//
// "a" and "a.2" share their Message-ID and header but not their bodies, id= gives
// one the Message-ID of another, noid leaves it out, odd has bytes that are hard to copy. A message that
// is not the one it should be is shown with a question mark, one whose arrival
// date changed with that date.
//
// What can happen:
//
//	options                     the options of api.account, as a user writes them
//	far options, near options   those of the store
//	lua                         what stands before the account
//	class                       the name of the class of api.SyncEngine that runs it
//	SIDE new FOLDER: a b        messages arrive
//	SIDE flag FOLDER/a +\Seen -$Work
//	SIDE remove FOLDER/a FOLDER/b, FOLDER/* for all of it, FOLDER/a#1 for one of several
//	SIDE move FOLDER/a OTHER, SIDE copy FOLDER/a OTHER
//	SIDE folder NAME, SIDE drop NAME, SIDE rename NAME OTHER
//	SIDE subscribe NAME, SIDE unsubscribe NAME, SIDE subscribed: NAME OTHER
//	SIDE renumber NAME          the folder loses its keys (another UIDVALIDITY)
//	SIDE backup, SIDE restore   goes back in time, counters and all
//	SIDE vanish, SIDE appear    the whole side is not there (a disk that is not mounted)
//	SIDE refuse a: WHY          the side refuses the message for good; SIDE accept ends it
//	SIDE limit 10k              the side takes no larger message; 0 ends it
//	lose state                  what was remembered is gone
//	kill at N                   the next run is cut off at the Nth thing it does
//	sync [--only new,flags] [--pull] [--push] [--allow-removals N] [FOLDER ...] [-> CODE]
//	                            a run: its plan, what it told, its exit code
//	undo [RUN] [-> CODE]        gives back what a run destroyed
//	in step                     a run that must do all and leave both sides the same
//	skip DRIVER: WHY            it makes no sense over memory, maildir or dovecot
//	only DRIVER: WHY            one of them, or mixed: far in memory, near a Maildir
//	not killed: WHY             a run that is killed before each would change the story
//	not still: WHY              another run would change something
//	forgets: WHY                a run without state may bring something back or lose it
//
// Around every sync there are checks that no file has to ask for: a dry run before
// it shows the same plan and changes nothing. After the last line another run must
// change nothing; and after that one more, without the state, must remove nothing.
// Told once more over stores in memory, with a run before each that is killed at a
// moment of chance, it must end the same: IMAPFW_TEST_FULL=1 does so 50 times with
// other moments each time, and a failure names the IMAPFW_TEST_SEED that repeats it.
// With -short some are told over stores in memory only.
//
// go test ./luaapi/scenario -update writes plans, tellings, exit codes and sides as
// they are; read the difference before you believe it.
package scenario

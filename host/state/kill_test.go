package state_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/mail"
	"github.com/imapfw/imapfw/host/state"
)

// commitArg makes this test binary a run of its own. The folder of the state and
// the number of the first batch follow.
const commitArg = "commit-until-killed"

const killBatch = 40

// commitUntilKilled commits batches for ever, and prints the number of each when it is
// durable. What a batch does is what an engine does: intents first, then the
// pairs that settle them, and the folder's cursor with them.
func commitUntilKilled(args []string) {
	first, _ := strconv.Atoi(args[1])
	db := state.New(options(args[0]))
	if err := db.Open(context.Background()); err != nil {
		fmt.Println("open:", fault.CodeOf(err))
		os.Exit(1)
	}
	fmt.Println("open")
	for n := first; ; n++ {
		rows := someRows(n*killBatch, (n+1)*killBatch)
		intend := &state.Change{}
		for _, r := range rows {
			intend.Intend = append(intend.Intend, state.Intent{To: state.Near, Source: r.Far, Ident: strconv.Itoa(n)})
		}
		put := &state.Change{Put: rows, Folder: &state.Folder{Far: "INBOX", FarCursor: mail.Cursor(strconv.Itoa(n))}}
		err := db.Commit(context.Background(), "INBOX", intend)
		if err == nil {
			for _, in := range intend.Intend {
				put.Settle = append(put.Settle, in.ID)
			}
			err = db.Commit(context.Background(), "INBOX", put)
		}
		if err != nil {
			fmt.Println("commit:", err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// A run is killed again and again at any moment. What it said was durable is
// there, and nothing is there by halves.
func TestKilledWhileCommitting(t *testing.T) {
	dir := t.TempDir()
	next, rounds := 0, 8
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		reported := killOneRun(t, dir, next, round)

		db := state.New(options(dir))
		require.NoError(t, db.Open(t.Context()), "the lock went with the process")
		require.NoError(t, db.Check(t.Context()))
		rows := count(t, db, "INBOX")
		require.Zero(t, rows%killBatch, "a batch is there by halves")
		committed := rows / killBatch
		require.GreaterOrEqual(t, committed, reported+1, "what was reported as committed is gone")
		require.LessOrEqual(t, committed, reported+2)
		folders, err := db.Folders(t.Context())
		require.NoError(t, err)
		if committed > 0 {
			require.Equal(t, mail.Cursor(strconv.Itoa(committed-1)), folders[0].FarCursor, "the cursor belongs to its batch")
		}

		// Intents are there in full, and only those of the batch in flight.
		intents, err := db.Intents(t.Context(), "INBOX")
		require.NoError(t, err)
		settle := &state.Change{}
		for _, in := range intents {
			require.Equal(t, strconv.Itoa(committed), in.Ident)
			settle.Settle = append(settle.Settle, in.ID)
		}
		require.Contains(t, []int{0, killBatch}, len(intents))
		require.NoError(t, db.Commit(t.Context(), "INBOX", settle))
		require.NoError(t, db.Close())
		next = committed
	}
}

// killOneRun starts a run, kills it at some moment after it reported a few batches,
// and returns the last one that it reported.
func killOneRun(t *testing.T, dir string, first, round int) (reported int) {
	t.Helper()
	child := exec.Command(os.Args[0], commitArg, dir, strconv.Itoa(first))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "open", lines.Text())

	if round == 0 {
		second := exec.Command(os.Args[0], commitArg, dir, "0")
		answer, err := second.Output()
		require.Error(t, err, "two processes have the state open")
		require.Equal(t, "open: busy\n", string(answer))
	}
	enough := first + rand.IntN(4)
	reported = first - 1
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		require.NoError(t, err, lines.Text())
		require.Equal(t, reported+1, n)
		reported = n
		if n == enough { // somewhere in the next batch
			timer := time.AfterFunc(time.Duration(rand.IntN(10_000))*time.Microsecond, func() { _ = child.Process.Signal(syscall.SIGKILL) })
			defer timer.Stop()
		}
	}
	err = child.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, -1, exit.ExitCode(), "the run ended by itself")
	return reported
}

package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/state"
)

func TestSecondInstanceIsToldAtOnce(t *testing.T) {
	opts := options(t.TempDir())
	first := state.New(opts)
	require.NoError(t, first.Open(t.Context()))
	fill(t, first, "INBOX", 0, 10)

	started := time.Now()
	second := state.New(opts)
	e := requireCode(t, fault.Busy, second.Open(t.Context()))
	require.Less(t, time.Since(started), time.Second)
	require.True(t, e.Temporary, "trying again later may work")
	require.NotEmpty(t, e.Hint)
	require.Contains(t, e.Error(), strconv.Itoa(os.Getpid()), "who has it")
	require.Equal(t, "home", e.Account)
	require.NoError(t, second.Close(), "a state that was not opened closes without complaint")

	require.Equal(t, 10, count(t, first, "INBOX"), "the first one goes on")
	require.NoError(t, first.Close())
	require.NoError(t, second.Open(t.Context()))
	require.Equal(t, 10, count(t, second, "INBOX"))
	require.NoError(t, second.Close())
}

// On the very first run there is no folder and no database yet.
func TestTwoFirstRunsAtOnce(t *testing.T) {
	opts := options(filepath.Join(t.TempDir(), "state", "home"))
	const n = 8
	var wg sync.WaitGroup
	start, errs := make(chan struct{}), make(chan error, n)
	dbs := make([]*state.DB, n)
	for i := range n {
		dbs[i] = state.New(opts)
		wg.Go(func() {
			<-start
			errs <- dbs[i].Open(t.Context())
		})
	}
	close(start)
	wg.Wait()
	opened := 0
	for range n {
		err := <-errs
		if err == nil {
			opened++
			continue
		}
		requireCode(t, fault.Busy, err)
	}
	require.Equal(t, 1, opened)
	for _, db := range dbs {
		require.NoError(t, db.Close())
	}
}

func TestAnotherProgramHoldsTheDatabase(t *testing.T) {
	opts := options(t.TempDir())
	db := open(t, opts)
	db.WaitForOthers(10 * time.Millisecond)
	require.NoError(t, db.Close())
	require.NoError(t, db.Open(t.Context()))
	fill(t, db, "INBOX", 0, 10)

	shell, err := sqlite.OpenConn(filepath.Join(opts.Dir, state.DefaultFile), sqlite.OpenReadWrite)
	require.NoError(t, err)
	defer shell.Close()
	require.NoError(t, sqlitex.ExecuteTransient(shell, "BEGIN IMMEDIATE", nil))

	e := requireCode(t, fault.Busy, db.Commit(t.Context(), "INBOX", &state.Change{Put: someRows(10, 20)}))
	require.True(t, e.Temporary)
	require.NotEmpty(t, e.Hint)
	require.Equal(t, 10, count(t, db, "INBOX"), "reading goes on")

	require.NoError(t, sqlitex.ExecuteTransient(shell, "ROLLBACK", nil))
	fill(t, db, "INBOX", 10, 20)
	require.Equal(t, 20, count(t, db, "INBOX"))
}

func TestCloseEndsCallsUnderWay(t *testing.T) {
	db := state.New(options(t.TempDir()))
	require.NoError(t, db.Open(t.Context()))
	fill(t, db, "INBOX", 0, 1500)

	reading, goOn, loaded, closed := make(chan struct{}), make(chan struct{}), make(chan error, 1), make(chan error, 1)
	var once sync.Once
	go func() {
		var err error
		for err == nil {
			err = db.Load(t.Context(), "INBOX", state.Far, func([]state.Row) error {
				once.Do(func() { close(reading) })
				<-goOn
				return nil
			})
		}
		loaded <- err
	}()
	<-reading
	go func() { closed <- db.Close() }()
	for {
		// Close has begun when new calls are refused.
		if _, err := db.Info(t.Context()); err != nil {
			requireCode(t, fault.Stopped, err)
			break
		}
	}
	select {
	case err := <-closed:
		require.Fail(t, "Close did not wait for a reader", "%v", err)
	default:
	}
	close(goOn)
	requireCode(t, fault.Stopped, <-loaded)
	require.NoError(t, <-closed)
	require.NoError(t, db.Close(), "closing twice is no error")

	requireCode(t, fault.Stopped, db.Commit(t.Context(), "INBOX", &state.Change{Forget: true}))
	require.True(t, errors.Is(db.SetInfo(t.Context(), state.Info{}), fault.Stopped))
	require.NoError(t, db.Open(t.Context()))
	require.Equal(t, 1500, count(t, db, "INBOX"))
	require.NoError(t, db.Close())
}

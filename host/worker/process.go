package worker

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/imapfw/imapfw/host/fault"
	"github.com/imapfw/imapfw/host/wire"
)

// startChild starts a worker in a process of its own.
func (h *Host) startChild(ctx context.Context, spec Spec) error {
	greeting, err := encodeHello(spec, h.opt.Setup, h.opt.Strict, minLevel(h.opt.Log))
	if err != nil {
		return err
	}
	c := &child{
		host: h, spec: spec, log: h.log.With("worker", spec.Name), ready: newReply(),
		link: make(chan struct{}), reaped: make(chan struct{}), heard: make(chan struct{}), gone: make(chan struct{}),
	}
	if err := h.add(c); err != nil {
		return err
	}
	if err := c.launch(); err != nil {
		c.ready.set(nil, err)
		close(c.gone)
		h.discard(spec.Name)
		return err
	}
	c.peer.out.post(wire.Frame{Type: frameHello, Payload: greeting})
	unhookDrain := context.AfterFunc(h.drain, func() { c.peer.out.post(wire.Frame{Type: frameDrain}) })
	unhookRuns := context.AfterFunc(h.runs, func() {
		c.peer.out.post(wire.Frame{Type: frameRuns, Payload: wire.AppendError(nil, context.Cause(h.runs))})
	})
	context.AfterFunc(c.peer.life, func() { unhookDrain(); unhookRuns() })
	select {
	case <-c.ready.done:
	case <-ctx.Done():
		c.kill(ended(ctx, "start worker "+spec.Name))
		<-c.ready.done
	}
	if c.ready.err != nil {
		<-c.gone
	}
	return c.ready.err
}

// launch starts the process and the goroutines that listen to it.
func (c *child) launch() error {
	var pipes [6]*os.File // reader and writer of: to the child, from it, its stderr
	for i := 0; i < len(pipes); i += 2 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(pipes[:i])
			return fault.Wrap(fault.IO, "start worker "+c.spec.Name, err)
		}
		pipes[i], pipes[i+1] = r, w
	}
	theirs := []*os.File{pipes[0], pipes[3], pipes[5]}
	c.frames, c.stderr = []*os.File{pipes[1], pipes[2]}, pipes[4]
	argv := c.host.opt.Command
	c.cmd = exec.Command(argv[0], argv[1:]...)
	c.cmd.ExtraFiles = theirs[:2] // fd 3 and 4
	c.cmd.Stderr = theirs[2]
	if c.host.opt.Stdout != nil {
		c.cmd.Stdout = c.host.opt.Stdout
	}
	c.cmd.SysProcAttr = childAttr()
	c.peer = newPeer(&c.host.tasks, c.host.life, pipes[2], pipes[1], 2)
	c.peer.answer, c.peer.control = c.answer, c.control

	started := make(chan error, 1)
	crashed := func(err error) { c.kill(err) }
	c.host.tasks.spawn("child "+c.spec.Name, func() { c.run(started) }, crashed)
	err := <-started
	closeAll(theirs)
	if err != nil {
		c.peer.fail(err)
		closeAll(append(c.frames, c.stderr))
		return fault.Wrap(fault.IO, "start worker "+c.spec.Name, err)
	}
	c.host.tasks.spawn("write to "+c.spec.Name, func() {
		if err := c.peer.write(); err != nil {
			c.drop()
		}
	}, crashed)
	c.host.tasks.spawn("hear "+c.spec.Name, c.hear, crashed)
	c.host.tasks.spawn("read from "+c.spec.Name, func() { c.end(c.peer.read()) }, func(err error) { c.end(err) })
	return nil
}

// run starts the process and waits for it, on one thread: the kernel kills the
// child when the thread that started it ends (PR_SET_PDEATHSIG). The group is
// killed before the process is reaped, while its number is still its own; that
// takes along what the child started.
func (c *child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	<-c.link
	killGroup(c.cmd.Process)
	_ = c.cmd.Wait() // how it ended is in ProcessState
	close(c.reaped)
}

// drop kills the process. It does not wait.
func (c *child) drop() { c.once.Do(func() { close(c.link) }) }

// end is called when the link is closed, which it is as soon as the process
// dies. Nothing is in flight when it returns.
func (c *child) end(broken error) {
	c.drop()
	select {
	case <-c.reaped:
	case <-time.After(time.Second): // it hangs in the kernel; its callers need not
	}
	err := c.verdict(broken)
	inFlight := err
	if inFlight == nil {
		inFlight = fault.New(fault.Stopped, "call "+c.spec.Name, "the worker has ended")
	}
	c.peer.fail(inFlight)
	closeAll(c.frames)
	<-c.reaped
	_ = c.stderr.SetReadDeadline(time.Now().Add(time.Second)) // something it started may still hold it
	<-c.heard
	c.ready.set(nil, err)
	c.exit = err
	if c.ready.err != nil {
		c.host.discard(c.spec.Name)
	} else {
		c.host.remove(c.spec.Name, err)
		c.host.pump.exit(Exit{Worker: c.spec.Name, Err: err})
	}
	close(c.gone)
}

// verdict says how the worker ended.
func (c *child) verdict(broken error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.last != nil:
		return *c.last
	case c.cause != nil:
		return c.cause
	}
	err := &fault.Error{Code: fault.Crashed, Op: "worker " + c.spec.Name, Worker: c.spec.Name, Err: broken}
	select {
	case <-c.reaped:
		// A signal comes from outside (somebody, or a kernel out of memory),
		// so it may not come again; a panic will.
		err.Message = "the child process ended: " + c.cmd.ProcessState.String()
		err.Temporary = signalled(c.cmd.ProcessState)
	default:
		err.Message = "the child process is gone"
	}
	select {
	case <-c.heard:
	case <-time.After(100 * time.Millisecond):
	}
	err.Trace = c.tail.String()
	return err
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

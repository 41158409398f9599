package fault

import (
	"fmt"
	"runtime/debug"
)

// Contain runs fn and returns its error. A panic becomes a Crashed whose Trace is
// the stack: every goroutine begins with it, so that a mistake of ours ends one
// worker and not the program.
func Contain(op string, fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = FromPanic(op, r)
		}
	}()
	return fn()
}

// FromPanic is the error of a recovered panic. It is called while recovering.
func FromPanic(op string, cause any) *Error {
	err := &Error{Code: Crashed, Op: op, Trace: string(debug.Stack())}
	if e, ok := cause.(error); ok {
		err.Message, err.Err = "panic", e
	} else {
		err.Message = fmt.Sprintf("panic: %v", cause)
	}
	return err
}

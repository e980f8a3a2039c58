package pgtest

import "syscall"

// endWithParent has the child stop at once, without a shutdown, when the thread that started it ends: a test binary that
// panics leaves no server behind.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGQUIT }

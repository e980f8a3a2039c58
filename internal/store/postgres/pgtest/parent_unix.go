//go:build unix && !linux

package pgtest

import "syscall"

// endWithParent does nothing: the system can not do it.
func endWithParent(*syscall.SysProcAttr) {}

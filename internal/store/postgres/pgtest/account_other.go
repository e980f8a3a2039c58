//go:build !unix

package pgtest

import "syscall"

// account is whom the server runs as: always this process's own.
type account struct{ name string }

func findAccount() (*account, error) { return &account{name: "this account"}, nil }

func (*account) own(string) error { return nil }

func (*account) attributes() *syscall.SysProcAttr { return nil }

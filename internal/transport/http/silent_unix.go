//go:build unix

package http

import (
	"net"
	"syscall"
)

// silent reports whether a kept connection has nothing to read: neither an end nor bytes that nobody asked for. Asking
// costs one system call and spares a goroutine for each kept connection.
func silent(c net.Conn) bool {
	open, ok := c.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := open.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true // never wait
	})
	return err == nil && quiet
}

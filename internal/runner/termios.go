package runner

import (
	"os"

	"golang.org/x/sys/unix"
)

// makeTransparent makes a terminal pass every byte unchanged.
func makeTransparent(f *os.File) error {
	settings, err := unix.IoctlGetTermios(int(f.Fd()), readTermios)
	if err != nil {
		return err
	}
	settings.Oflag &^= unix.OPOST
	settings.Lflag &^= unix.ECHO | unix.ECHONL
	return unix.IoctlSetTermios(int(f.Fd()), writeTermios, settings)
}

package sqlite

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// lock holds the database for this process: two writers that know nothing of each other would both own every shard.
type lock struct{ file *os.File }

// takeLock locks the database of the path, or says which process has it.
func takeLock(path string) (*lock, error) {
	file, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	taken, err := tryLock(file)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", closing(file, err))
	}
	if !taken {
		owner, _ := io.ReadAll(io.LimitReader(file, 32))
		err := fmt.Errorf("the database %s is in use by another process (%s): stop that one, or choose another data directory",
			path, strings.TrimSpace(string(owner)))
		return nil, closing(file, err)
	}
	if err := writeOwner(file); err != nil {
		return nil, fmt.Errorf("lock the database: %w", closing(file, err))
	}
	return &lock{file}, nil
}

// writeOwner notes who has the lock, for people.
func writeOwner(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt(fmt.Appendf(nil, "process %d\n", os.Getpid()), 0)
	return err
}

func closing(file *os.File, err error) error {
	_ = file.Close()
	return err
}

// release gives the lock up. The file stays: removing it would let two processes lock two files of one name.
func (l *lock) release() error { return l.file.Close() }

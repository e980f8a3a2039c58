package server

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"carillon/internal/seal"
)

// masterKeyFile is the key that a server makes for itself when none is configured.
const masterKeyFile = "master.key"

// keyring reads the master keys: from the setting, from the file, or from the data directory, where the first start makes
// one. A database on another machine needs a configured key: the nodes must share it.
func keyring(c Config) (*seal.Keyring, error) {
	text := c.MasterKey
	path := c.MasterKeyFile
	if text == "" && path == "" {
		if c.DataDir == "" {
			return nil, errors.New("no master key is set: give --master-key-file FILE, the same on every node (64 hex digits, such as `openssl rand -hex 32` prints)")
		}
		path = filepath.Join(c.DataDir, masterKeyFile)
		if err := ensureKey(path); err != nil {
			return nil, err
		}
	}
	if text == "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the master key: %w", err)
		}
		text = string(raw)
	}
	keys, err := seal.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	return seal.NewKeyring(keys...)
}

// ensureKey makes the key file unless it is there. The file is written beside its place and linked into it, so that a
// crash leaves none or a whole one, and two starts at once agree on one.
func ensureKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".master-*")
	if err != nil {
		return fmt.Errorf("make the master key: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.WriteString(hex.EncodeToString(seal.NewKey()) + "\n")
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err != nil {
		return fmt.Errorf("make the master key: %w", err)
	}
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the master key: %w", err)
	}
	return nil
}

package pulumi

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func exists(name string) bool {
	_, err := os.Stat(filepath.Join("testdata", name))
	return err == nil
}

func unixTime(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// membersOf lists the names of a document's members, in their order, with their values as Go reads them.
func membersOf(t *testing.T, body []byte) []any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var list []any
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		list = append(list, name, value)
	}
	return list
}

package spool

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"

	"carillon/internal/event"
)

// A spool file is a list of lines, appended and never changed:
//
//	e 1a2b3c4d {"key":…}    an event, after the checksum of what follows
//	d 1a2b3c4d 3            so many of the events before this line are dealt with
//
// A process that dies while it writes leaves half a line at the end; a reader passes over every line whose checksum is
// wrong, so a damaged one costs only itself.
const (
	kindEvent = 'e'
	kindDone  = 'd'
	prefix    = 11 // the kind, the checksum and the blanks after them
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord appends one line to b.
func appendRecord(b []byte, kind byte, body []byte) []byte {
	b = fmt.Appendf(b, "%c %08x ", kind, crc32.Checksum(body, castagnoli))
	return append(append(b, body...), '\n')
}

// parseRecord reads one line without its end.
func parseRecord(line []byte) (kind byte, body []byte, ok bool) {
	if len(line) < prefix || line[1] != ' ' || line[prefix-1] != ' ' {
		return 0, nil, false
	}
	sum, err := strconv.ParseUint(string(line[2:prefix-1]), 16, 32)
	body = line[prefix:]
	if err != nil || uint32(sum) != crc32.Checksum(body, castagnoli) {
		return 0, nil, false
	}
	return line[0], body, true
}

// content is what a spool file holds.
type content struct {
	events  []event.Event // those that are not dealt with
	done    int           // how many are
	damaged int           // lines that can not be read
	torn    bool          // the last line has no end
}

// parse reads a spool file.
func parse(text []byte) content {
	var c content
	var all []event.Event
	c.torn = len(text) > 0 && text[len(text)-1] != '\n'
	for line := range bytes.Lines(text) {
		kind, body, ok := parseRecord(bytes.TrimSuffix(line, []byte("\n")))
		switch {
		case ok && kind == kindEvent:
			e, err := event.Decode(body)
			if err != nil {
				c.damaged++
				continue
			}
			all = append(all, *e)
		case ok && kind == kindDone:
			if n, err := strconv.Atoi(string(body)); err == nil && n > c.done {
				c.done = n
			}
		case len(bytes.TrimSpace(line)) > 0:
			c.damaged++
		}
	}
	c.done = min(c.done, len(all))
	c.events = all[c.done:]
	return c
}

// Package ident makes and spells identifiers.
//
// Inside Carillon every object, event and delivery is named by an ID: 63 bits that sort by creation time and say which
// node made them. Outside, each platform has its own shape of identifier; a Codec turns an ID into that shape and back
// without a look-up table. The package never reads a clock or a random source by itself unless its caller hands it one.
package ident

import (
	"encoding/base32"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ID is a positive 63-bit identifier: 50 bits of microseconds since 2024-01-01 UTC, 7 bits of counter, 6 bits of node.
// IDs of one node rise strictly; IDs of several nodes sort by time to within their clock difference. The zero ID means
// "none".
type ID int64

const (
	nodeBits    = 6
	counterBits = 7
	stepBits    = nodeBits + counterBits

	// MaxNode is the highest node number that an ID can carry.
	MaxNode = 1<<nodeBits - 1

	// Step is the distance between two IDs that follow each other in one block of Generator.Block.
	Step ID = 1 << nodeBits

	textLength = 13
)

var (
	epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

	// textEncoding is Crockford's alphabet in lower case; its characters sort as their values do.
	textEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
)

// ErrMalformed is returned for text that does not spell an ID.
var ErrMalformed = errors.New("not an identifier: want 13 characters of 0-9 and a-z without i, l, o, u")

// At returns the smallest ID that can have been made at t: the lower bound of a time range.
func At(t time.Time) ID {
	us := t.Sub(epoch).Microseconds()
	if us < 0 {
		us = 0
	}
	return ID(us << stepBits)
}

// Time returns the moment at which the ID was made, to the microsecond.
func (id ID) Time() time.Time {
	return epoch.Add(time.Duration(int64(id)>>stepBits) * time.Microsecond)
}

// Node returns the number of the node that made the ID.
func (id ID) Node() int { return int(id & MaxNode) }

// String spells the ID in 13 characters that sort as the numbers do. The zero ID is spelled "".
func (id ID) String() string {
	if id == 0 {
		return ""
	}
	var raw [8]byte
	v := uint64(id)
	for i := 7; i >= 0; i-- {
		raw[i] = byte(v)
		v >>= 8
	}
	return textEncoding.EncodeToString(raw[:])
}

// Parse reads what String wrote.
func Parse(text string) (ID, error) {
	if len(text) != textLength {
		return 0, ErrMalformed
	}
	var raw [8]byte
	if _, err := textEncoding.Decode(raw[:], []byte(text)); err != nil {
		return 0, ErrMalformed
	}
	var v uint64
	for _, b := range raw {
		v = v<<8 | uint64(b)
	}
	id := ID(v)
	if id <= 0 || id.String() != text {
		return 0, ErrMalformed
	}
	return id, nil
}

// MarshalText spells the ID as String does.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads an ID; empty text is the zero ID.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = 0
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Generator makes rising IDs for one node. Its zero value is not usable; call NewGenerator.
type Generator struct {
	node ID
	now  func() time.Time

	mu   sync.Mutex
	last ID // time and counter of the newest ID, node bits zero
}

// NewGenerator returns a generator for a node between 0 and MaxNode that takes the time from now.
func NewGenerator(node int, now func() time.Time) (*Generator, error) {
	if node < 0 || node > MaxNode {
		return nil, fmt.Errorf("node number %d is outside 0..%d", node, MaxNode)
	}
	return &Generator{node: ID(node), now: now}, nil
}

// New returns the next ID. A clock that stands still or jumps back does not repeat an ID: the counter runs on.
func (g *Generator) New() ID { return g.Block(1) }

// Block reserves n IDs that follow each other at distance Step and returns the first.
func (g *Generator) Block(n int) ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := At(g.now())
	if first <= g.last {
		first = g.last + Step
	}
	g.last = first + ID(n-1)*Step
	return first | g.node
}

// SetNode changes the node number of later IDs, for a node that learns its number after it started. It fails outside
// 0..MaxNode.
func (g *Generator) SetNode(node int) error {
	if node < 0 || node > MaxNode {
		return fmt.Errorf("node number %d is outside 0..%d", node, MaxNode)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.node = ID(node)
	return nil
}

// Advance makes every later ID greater than seen. A node that restarts calls it with the newest ID it finds stored, so
// that a clock that was set back can not make an ID twice.
func (g *Generator) Advance(seen ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if floor := seen &^ MaxNode; floor > g.last {
		g.last = floor
	}
}

package ident

import (
	"crypto/sha256"
	"encoding/binary"
)

// Derive makes an ID from names, always the same one: the key of things that several nodes must name alike without
// asking each other (a run of a workspace, the destination of an address). It carries no time. The parts are separated
// unambiguously, so ("a","bc") and ("ab","c") differ.
func Derive(parts ...string) ID {
	h := sha256.New()
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		_, _ = h.Write(size[:])
		_, _ = h.Write([]byte(part))
	}
	id := ID(binary.BigEndian.Uint64(h.Sum(nil)) >> 1)
	if id == 0 {
		id = 1
	}
	return id
}

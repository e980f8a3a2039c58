package sqlite

import (
	"encoding/binary"
	"errors"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// errPacked is returned for bytes that pack did not write.
var errPacked = errors.New("a packed column is damaged")

// packed is the first byte of every packed column: the version of the format. A later release that adds fields raises it
// and goes on reading this one.
const packed = 1

// Flags of a packed delivery.
const (
	flagPinned = 1 << iota
	flagUnordered
	flagRun
	flagOrigin
)

// packDelivery appends what is not in columns of a delivery, in the queue and in the history alike.
func packDelivery(b []byte, d *delivery.Delivery) []byte {
	var flags byte
	if d.Pinned {
		flags |= flagPinned
	}
	if d.Unordered {
		flags |= flagUnordered
	}
	if d.Run != 0 || d.Sequence != 0 {
		flags |= flagRun
	}
	if d.Origin != 0 {
		flags |= flagOrigin
	}
	b = append(b, packed, flags)
	b = binary.AppendVarint(b, int64(d.ID-d.Event)) // two bytes for most
	b = packID(b, d.Organization)
	b = packID(b, d.Destination)
	b = binary.AppendVarint(b, d.Version)
	b = binary.AppendVarint(b, int64(d.Notice))
	if flags&flagRun != 0 {
		b = packID(b, d.Run)
		b = binary.AppendVarint(b, d.Sequence)
	}
	if flags&flagOrigin != 0 {
		b = packID(b, d.Origin)
	}
	return b
}

// delivery reads what packDelivery wrote into a delivery whose ID is set.
func (u *unpacker) delivery(d *delivery.Delivery) {
	if u.byte() != packed {
		u.bad = true
		return
	}
	flags := u.byte()
	d.Pinned, d.Unordered = flags&flagPinned != 0, flags&flagUnordered != 0
	d.Event = d.ID - ident.ID(u.int())
	d.Organization = u.id()
	d.Destination = u.id()
	d.Version = u.int()
	d.Notice = int(u.int())
	if flags&flagRun != 0 {
		d.Run = u.id()
		d.Sequence = u.int()
	}
	if flags&flagOrigin != 0 {
		d.Origin = u.id()
	}
}

// packID writes an ID in eight bytes: its digits are too many for the variable form to be shorter.
func packID(b []byte, id ident.ID) []byte { return binary.BigEndian.AppendUint64(b, uint64(id)) }

func packText[T ~string | ~[]byte](b []byte, text T) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// packTime is the form of a time in a column: microseconds, which is what an ID is precise to.
func packTime(t time.Time) int64 { return t.UnixMicro() }

func unpackTime(us int64) time.Time { return time.UnixMicro(us).UTC() }

// unpacker reads packed bytes. After the first damage it reads zeros; who uses it asks err at the end.
type unpacker struct {
	rest []byte
	bad  bool
}

func (u *unpacker) err() error {
	if u.bad || len(u.rest) > 0 {
		return errPacked
	}
	return nil
}

func (u *unpacker) byte() byte {
	if len(u.rest) == 0 {
		u.bad = true
		return 0
	}
	b := u.rest[0]
	u.rest = u.rest[1:]
	return b
}

func (u *unpacker) int() int64 {
	v, n := binary.Varint(u.rest)
	return advance(u, v, n)
}

func (u *unpacker) size() int {
	v, n := binary.Uvarint(u.rest)
	if v = advance(u, v, n); v > uint64(len(u.rest)) {
		u.bad = true // there can not be more items than bytes
		return 0
	}
	return int(v)
}

func advance[T int64 | uint64](u *unpacker, v T, n int) T {
	if n <= 0 {
		u.bad, u.rest = true, nil
		return 0
	}
	u.rest = u.rest[n:]
	return v
}

func (u *unpacker) uint64() uint64 {
	if len(u.rest) < 8 {
		u.bad, u.rest = true, nil
		return 0
	}
	v := binary.BigEndian.Uint64(u.rest)
	u.rest = u.rest[8:]
	return v
}

func (u *unpacker) id() ident.ID { return ident.ID(u.uint64()) }

func (u *unpacker) take() []byte {
	n := u.size()
	piece := u.rest[:n]
	u.rest = u.rest[n:]
	return piece
}

func (u *unpacker) text() string { return string(u.take()) }

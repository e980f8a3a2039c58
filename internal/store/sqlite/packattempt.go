package sqlite

import (
	"encoding/binary"
	"time"

	"carillon/internal/delivery"
)

// classCodes number the classes in the stored format: a number is never given to another class. 0 is the empty class, and
// a class that is not listed is written out.
var classCodes = map[delivery.Class]byte{
	"": 0, delivery.ClassAnswered: 1, delivery.ClassRefused: 2, delivery.ClassTimeout: 3, delivery.ClassClosed: 4,
	delivery.ClassDNS: 5, delivery.ClassTLS: 6, delivery.ClassForbidden: 7, delivery.ClassRender: 8, delivery.ClassConfig: 9,
	delivery.ClassCancelled: 10, delivery.ClassProxy: 11, delivery.ClassStopped: 12,
}

// classOther announces a class in words.
const classOther = 255

// classes is classCodes the other way round.
var classes = func() map[byte]delivery.Class {
	all := map[byte]delivery.Class{}
	for class, code := range classCodes {
		all[code] = class
	}
	return all
}()

// Flags of a packed attempt.
const (
	flagRepeat = 1 << iota
	flagResponse
	flagTruncated
)

// packAttempt appends what is not in columns of an attempt.
func packAttempt(b []byte, a *delivery.Attempt) []byte {
	b = packDelivery(b, &a.Delivery)
	r := &a.Result
	var flags byte
	if a.Repeat {
		flags |= flagRepeat
	}
	if r.Response != nil {
		flags |= flagResponse
		if r.Response.Truncated {
			flags |= flagTruncated
		}
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(a.Delivery.Attempts))
	b = binary.AppendVarint(b, packTime(a.Delivery.Due))
	b = binary.AppendVarint(b, int64(a.Number))
	b = packClass(b, r.Class)
	b = binary.AppendVarint(b, int64(r.Status))
	b = binary.AppendVarint(b, packTime(r.StartedAt))
	b = binary.AppendVarint(b, int64(r.Duration))
	b = binary.AppendVarint(b, int64(r.RetryAfter))
	b = packText(b, r.Detail)
	b = packText(b, a.Trigger)
	b = packText(b, a.Address)
	b = packID(b, a.Workspace)
	b = binary.BigEndian.AppendUint64(b, a.BodyHash)
	b = binary.AppendVarint(b, int64(a.BodySize))
	b = binary.AppendVarint(b, int64(a.Node))
	if r.Response != nil {
		b = packResponse(b, r.Response)
	}
	return b
}

func packClass(b []byte, class delivery.Class) []byte {
	if code, ok := classCodes[class]; ok {
		return append(b, code)
	}
	return packText(append(b, classOther), class)
}

func packResponse(b []byte, r *delivery.Response) []byte {
	b = binary.AppendVarint(b, int64(r.Status))
	b = binary.AppendUvarint(b, uint64(len(r.Header)))
	for name, values := range r.Header {
		b = packText(b, name)
		b = binary.AppendUvarint(b, uint64(len(values)))
		for _, value := range values {
			b = packText(b, value)
		}
	}
	return packText(b, r.Body)
}

// attempt reads what packAttempt wrote into an attempt whose columns are set.
func (u *unpacker) attempt(a *delivery.Attempt) {
	u.delivery(&a.Delivery)
	r := &a.Result
	flags := u.byte()
	a.Repeat = flags&flagRepeat != 0
	a.Delivery.Attempts = int(u.int())
	a.Delivery.Due = unpackTime(u.int())
	a.Number = int(u.int())
	r.Class = u.class()
	r.Status = int(u.int())
	r.StartedAt = unpackTime(u.int())
	r.Duration = time.Duration(u.int())
	r.RetryAfter = time.Duration(u.int())
	r.Detail = u.text()
	a.Trigger = u.text()
	a.Address = u.text()
	a.Workspace = u.id()
	a.BodyHash = u.uint64()
	a.BodySize = int(u.int())
	a.Node = int(u.int())
	if flags&flagResponse != 0 {
		r.Response = u.response()
		r.Response.Truncated = flags&flagTruncated != 0
	}
}

func (u *unpacker) class() delivery.Class {
	code := u.byte()
	if code == classOther {
		return delivery.Class(u.text())
	}
	return classes[code]
}

func (u *unpacker) response() *delivery.Response {
	r := &delivery.Response{Status: int(u.int())}
	if names := u.size(); names > 0 {
		r.Header = make(map[string][]string, names)
		for range names {
			name := u.text()
			values := make([]string, u.size())
			for i := range values {
				values[i] = u.text()
			}
			r.Header[name] = values
		}
	}
	r.Body = append([]byte(nil), u.take()...)
	return r
}

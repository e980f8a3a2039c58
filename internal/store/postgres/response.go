package postgres

import (
	"encoding/binary"
	"errors"

	"carillon/internal/delivery"
)

// A response is kept as one value: a byte of flags, the status, the header's fields each with their values, and the rest is
// the body. Numbers are varints and stand before what they count. No response is no byte at all.
const (
	responseKept      = 1 << iota // so that an empty response differs from none
	responseTruncated             // the body was cut
)

var errResponse = errors.New("a stored response can not be read")

// appendResponse writes a response.
func appendResponse(buf []byte, r *delivery.Response) []byte {
	if r == nil {
		return buf
	}
	flags := byte(responseKept)
	if r.Truncated {
		flags |= responseTruncated
	}
	buf = binary.AppendUvarint(append(buf, flags), uint64(r.Status))
	buf = binary.AppendUvarint(buf, uint64(len(r.Header)))
	for name, values := range r.Header {
		buf = appendString(buf, name)
		buf = binary.AppendUvarint(buf, uint64(len(values)))
		for _, value := range values {
			buf = appendString(buf, value)
		}
	}
	return append(buf, r.Body...)
}

func appendString(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

// parseResponse reads what appendResponse wrote.
func parseResponse(buf []byte) (*delivery.Response, error) {
	if len(buf) == 0 {
		return nil, nil
	}
	p := responseParser{rest: buf[1:]}
	r := &delivery.Response{Truncated: buf[0]&responseTruncated != 0, Status: p.count(1 << 31)}
	if fields := p.count(len(buf)); fields > 0 {
		r.Header = make(map[string][]string, fields)
		for range fields {
			name := p.string()
			values := make([]string, p.count(len(p.rest)))
			for i := range values {
				values[i] = p.string()
			}
			r.Header[name] = values
		}
	}
	if p.broken {
		return nil, errResponse
	}
	r.Body = append([]byte(nil), p.rest...)
	return r, nil
}

type responseParser struct {
	rest   []byte
	broken bool
}

// count reads a number that is most at most.
func (p *responseParser) count(most int) int {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 || v > uint64(most) {
		p.broken, p.rest = true, nil
		return 0
	}
	p.rest = p.rest[n:]
	return int(v)
}

func (p *responseParser) string() string {
	size := p.count(len(p.rest))
	if size > len(p.rest) {
		p.broken = true
		return ""
	}
	s := string(p.rest[:size])
	p.rest = p.rest[size:]
	return s
}

package pulumi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"carillon/internal/message"
)

// encode writes JSON as JSON.stringify does: compact, and nothing escaped that need not be. Receivers verify signatures
// over what their parser writes again (§2.2). Go's encoder escapes three characters that JavaScript's does not.
func encode(v any) ([]byte, error) {
	body, err := message.JSON(v)
	if err != nil {
		return nil, err
	}
	return unescape(body), nil
}

// needless are the escapes that Go's encoder always writes: the two line separators, and what stands for invalid UTF-8.
var needless = []struct{ escaped, plain string }{{`\u2028`, "\u2028"}, {`\u2029`, "\u2029"}, {`\ufffd`, "\ufffd"}}

// unescape undoes the needless escapes. An escaped backslash that stands before one makes none.
func unescape(body []byte) []byte {
	if !slices.ContainsFunc(needless, func(n struct{ escaped, plain string }) bool { return bytes.Contains(body, []byte(n.escaped)) }) {
		return body
	}
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		if body[0] != '\\' || len(body) < 2 {
			out, body = append(out, body[0]), body[1:]
			continue
		}
		escape, plain := body[:2], ""
		for _, n := range needless {
			if bytes.HasPrefix(body, []byte(n.escaped)) {
				escape, plain = body[:len(n.escaped)], n.plain
			}
		}
		if plain == "" {
			plain = string(escape)
		}
		out, body = append(out, plain...), body[len(escape):]
	}
	return out
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			buf.WriteByte(',')
		}
		name, err := message.JSON(m.name)
		if err != nil {
			return nil, err
		}
		value, err := message.JSON(m.value)
		if err != nil {
			return nil, err
		}
		buf.Write(name)
		buf.WriteByte(':')
		buf.Write(value)
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// counts are changes by operation. Names sort alphabetically, and numbers before them by their value: that is where
// JavaScript puts them, whatever their place in the text.
type counts map[string]int64

// names lists the operations in the order in which they are written.
func (c counts) names() []string {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, isX := arrayIndex(a)
		y, isY := arrayIndex(b)
		switch {
		case isX && isY:
			return int(x - y)
		case isX:
			return -1
		case isY:
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

// MarshalJSON writes the counts in the order of names.
func (c counts) MarshalJSON() ([]byte, error) {
	members := make(object, 0, len(c))
	for _, name := range c.names() {
		members = append(members, member{name, c[name]})
	}
	return members.MarshalJSON()
}

// arrayIndex reads a name that JavaScript takes for the index of an array.
func arrayIndex(name string) (int64, bool) {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil || n == 1<<32-1 || strconv.FormatUint(n, 10) != name {
		return 0, false
	}
	return int64(n), true
}

// read returns a member of a document, the zero value where it is missing or of another type: documents of others are
// read as far as they are understood (§9.1).
func read[T any](fields map[string]json.RawMessage, name string) T {
	var v, zero T
	if raw, has := fields[name]; !has || json.Unmarshal(raw, &v) != nil {
		return zero
	}
	return v
}

package strict

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
	"time"
)

// setString sets a text that came with its quotes.
func (w *walker) setString(s *shape, v reflect.Value, quoted []byte) {
	if s.kind == kindAny || s.kind == kindRaw {
		return
	}
	if s.kind != kindString && s.kind != kindText && s.kind != kindTime && s.kind != kindBytes {
		w.report("Must be %s, not a string.", s.want())
		return
	}
	if !v.IsValid() {
		return
	}
	text := plain(quoted)
	switch s.kind {
	case kindString:
		v.SetString(string(text))
	case kindText:
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text); err != nil {
			w.report("Can not be read: %s.", err)
		}
	case kindTime:
		if err := v.Addr().Interface().(*time.Time).UnmarshalText(text); err != nil {
			w.report(`Must be a time as in RFC 3339, such as "2026-11-22T04:26:00Z".`)
		}
	case kindBytes:
		raw, err := base64.StdEncoding.AppendDecode([]byte{}, text)
		if err != nil {
			w.report("Must be text in base64.")
		}
		v.SetBytes(raw)
	}
}

func (w *walker) setNumber(s *shape, v reflect.Value, text []byte) {
	switch s.kind {
	case kindAny, kindRaw:
		return
	case kindInt, kindUint, kindFloat:
	default:
		w.report("Must be %s, not a number.", s.want())
		return
	}
	if !v.IsValid() {
		return
	}
	var err error
	var i int64
	var u uint64
	var f float64
	switch s.kind {
	case kindInt:
		i, err = strconv.ParseInt(string(text), 10, s.bits)
		v.SetInt(i)
	case kindUint:
		u, err = strconv.ParseUint(string(text), 10, s.bits)
		v.SetUint(u)
	case kindFloat:
		f, err = strconv.ParseFloat(string(text), s.bits)
		v.SetFloat(f)
	}
	if err != nil {
		w.report("Must be %s; %s is not.", s.want(), text)
	}
}

func (w *walker) setBool(s *shape, v reflect.Value, value bool) {
	switch {
	case s.kind == kindAny, s.kind == kindRaw:
	case s.kind != kindBool:
		w.report("Must be %s, not a truth value.", s.want())
	case v.IsValid():
		v.SetBool(value)
	}
}

// plain resolves the escapes of a quoted text, which came with its quotes. It never returns nil.
func plain(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // the scanner accepted it
	return []byte(text)
}

package message

import (
	"strings"
	"unicode/utf8"
)

// Mark stands where a text was cut.
const Mark = "…"

// CutBytes returns text if it has at most limit bytes, otherwise as much of its beginning as leaves room for Mark. It
// never splits a character. A limit below the length of Mark gives the empty text.
func CutBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	room := limit - len(Mark)
	if room < 0 {
		return ""
	}
	for room > 0 && !utf8.RuneStart(text[room]) {
		room--
	}
	return text[:room] + Mark
}

// CutRunes is CutBytes with the limit counted in characters, Mark included.
func CutRunes(text string, limit int) string {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	if limit < 1 {
		return ""
	}
	at := 0
	for range limit - 1 {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return text[:at] + Mark
}

// Line makes one line of a text: every run of white space and control characters becomes one blank. Mail subjects and
// titles need it, and a header must never contain a line end that somebody else wrote.
func Line(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }), " ")
}

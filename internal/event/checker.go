package event

import (
	"slices"
	"strconv"
	"strings"

	"carillon/internal/fault"
	"carillon/internal/strict"
)

// maxFaults bounds how many faults of one document are reported.
const maxFaults = 20

// checker gathers what is wrong with events. The zero value is ready.
type checker struct {
	fault.Collector
	prefix string // of every pointer: the position in a batch
	place  place
	faults int
}

// place is the part that is being checked. Pointers are relative to it, and put together only for what is reported.
type place struct {
	base string
	item int // position in the list that base names, counted from 1; 0 when base is no list
}

// restore goes back to an earlier place, for use with defer.
func (c *checker) restore(p place) { c.place = p }

func (c *checker) add(pointer, format string, args ...any) {
	if c.faults++; c.faults > maxFaults {
		return
	}
	where := c.prefix + c.place.base
	if c.place.item > 0 {
		where += "/" + strconv.Itoa(c.place.item-1)
	}
	c.Add(where+pointer, format, args...)
}

func (c *checker) refuse(wrong bool, pointer, message string) {
	if wrong {
		c.add(pointer, "%s", message)
	}
}

// need checks that a part is there which the kind requires.
func (c *checker) need(there bool, kind Kind, pointer string) {
	if !there {
		c.add(pointer, "Is missing; an event of kind %q needs it.", kind)
	}
}

// required checks a name that must be there.
func (c *checker) required(pointer, value string) {
	if value == "" {
		c.add(pointer, "Is missing.")
		return
	}
	c.name(pointer, value)
}

// name checks one line of text of the length of a name.
func (c *checker) name(pointer, value string) {
	if len(value) > MaxName {
		c.add(pointer, "Is %d bytes long, at most %d are taken.", len(value), MaxName)
		return
	}
	if !isName(value) {
		c.add(pointer, "Holds a control character; it must be one line of plain text.")
	}
}

func (c *checker) names(pointer string, values []string) {
	c.count(pointer, len(values))
	for i, value := range values {
		if !isName(value) {
			c.name(pointer+"/"+strconv.Itoa(i), value)
		}
	}
}

// isName reports whether a text is one line of plain text, no longer than a name.
func isName(value string) bool {
	for i := range len(value) {
		if value[i] < 0x20 || value[i] == 0x7f {
			return false
		}
	}
	return len(value) <= MaxName
}

// word checks a word of an open set.
func (c *checker) word(pointer, value string) {
	if value != "" && !isWord(value) {
		c.add(pointer, "Must be a word of a-z, 0-9 and _ of at most 64 letters.")
	}
}

func isWord(value string) bool {
	for i := range len(value) {
		ch := value[i]
		if (ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_' {
			return false
		}
	}
	return len(value) <= 64
}

// oneOf checks a word of a closed set.
func (c *checker) oneOf(pointer, value string, known []string) {
	if value != "" && !slices.Contains(known, value) {
		c.unknown(pointer, value, known)
	}
}

// unknown reports a word outside its closed set, with what was probably meant.
func (c *checker) unknown(pointer, value string, known []string) {
	if near := strict.Nearest(value, known); near != "" {
		c.add(pointer, "There is no %s; did you mean %q?", quote(value), near)
		return
	}
	c.add(pointer, "There is no %s; known ones are %s.", quote(value), list(known))
}

// quote spells a caller's word, shortened when it is long.
func quote(value string) string {
	if len(value) > 64 {
		value = value[:64] + "…"
	}
	return strconv.Quote(value)
}

func list[T ~string](values []T) string { return strings.Join(words(values), ", ") }

func (c *checker) text(pointer, value string, limit int) {
	if len(value) > limit {
		c.add(pointer, "Is %d bytes long, at most %d are taken; shorten it.", len(value), limit)
	}
}

func (c *checker) texts(pointer string, values map[string]string) {
	c.count(pointer, len(values))
	for key, value := range values {
		if key == "" || len(key) > MaxName {
			c.add(pointer, "Has a name of %d bytes, it must have 1 to %d.", len(key), MaxName)
		}
		c.text(pointer, value, MaxText)
	}
}

func (c *checker) externalIDs(pointer string, values map[string]string) {
	c.count(pointer, len(values))
	for dialect, value := range values {
		if !isWord(dialect) || dialect == "" || value == "" || !isName(value) {
			c.add(pointer, "Must give an identifier of 1 to %d bytes for each dialect it names.", MaxName)
			return
		}
	}
}

func (c *checker) count(pointer string, n int) {
	if n > MaxItems {
		c.add(pointer, "Holds %d items, at most %d are taken.", n, MaxItems)
	}
}

func (c *checker) atLeastZero(pointer string, n int64) {
	if n < 0 {
		c.add(pointer, "Must not be negative.")
	}
}

// url checks an address that becomes a link on pages and in messages: nothing but http and https may get there.
func (c *checker) url(pointer, value string) {
	switch {
	case value == "":
	case len(value) > MaxURL:
		c.add(pointer, "Is %d bytes long, at most %d are taken.", len(value), MaxURL)
	case !isLink(value):
		c.add(pointer, `Must be an address that begins with "https://" or "http://" and holds no space.`)
	}
}

func isLink(value string) bool {
	rest, ok := strings.CutPrefix(value, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(value, "http://")
	}
	return ok && rest != "" && rest[0] != '/' && !strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func (c *checker) actor(base string, a *Actor) {
	if a == nil {
		return
	}
	defer c.restore(c.place)
	c.place = place{base: base}
	c.name("/id", a.ID)
	c.name("/name", a.Name)
	c.name("/full_name", a.FullName)
	c.name("/email", a.Email)
	c.url("/avatar_url", a.AvatarURL)
}

func (c *checker) changes(pointer string, v *Changes) {
	if v == nil {
		return
	}
	if min(v.Add, v.Change, v.Destroy, v.Import, v.Replace, v.Total) < 0 {
		c.add(pointer, "Must not count below zero.")
	}
	c.count(pointer, len(v.Operations))
	for name, n := range v.Operations {
		if name == "" || len(name) > MaxName || n < 0 {
			c.add(pointer+"/operations", "Must count from zero, for operations with names of 1 to %d bytes.", MaxName)
			return
		}
	}
}

package spacelift

import (
	"crypto/rand"
	"net/url"
	"strings"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
)

// crockford is the alphabet of ULIDs.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ulidTail spells an ID in the 80 bits of a ULID that are not its time.
var ulidTail = ident.Codec{Alphabet: crockford, Length: 16}

const ulidTime = 10 // characters

// ulid spells an ID as the platform spells identifiers: 26 characters that sort by time (§6).
func ulid(id ident.ID) string {
	ms := id.Time().UnixMilli()
	var head [ulidTime]byte
	for i := ulidTime - 1; i >= 0; i-- {
		head[i] = crockford[ms&31]
		ms >>= 5
	}
	return string(head[:]) + ulidTail.Encode(id)
}

// fromULID reads what ulid wrote, in any case; ok is false for anything else.
func fromULID(text string) (id ident.ID, ok bool) {
	if len(text) != ulidTime+ulidTail.Length {
		return 0, false
	}
	text = strings.ToUpper(text)
	id, ok = ulidTail.Decode(text[ulidTime:])
	if !ok || ulid(id) != text {
		return 0, false
	}
	return id, true
}

// slug makes an identifier of a name (§6): lower case, everything but a-z and 0-9 a dash.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

// slugOr is slug for names that may have no letter or digit: then the identifier is made of the ID.
func slugOr(name string, id ident.ID) string {
	if s := slug(name); s != "" {
		return s
	}
	return strings.ToLower(ulid(id))
}

// stackID names a stack or module: what it was given, or its name's slug (§6).
func stackID(w *event.Workspace) string {
	if given := w.ExternalIDs[Name]; given != "" {
		return given
	}
	return slugOr(w.Name, w.ID)
}

// runID is the source's own, made fit for a path (§3.5).
func runID(r *event.Run) string { return strings.ReplaceAll(r.SourceID, "/", "-") }

// stackURL is the page of a stack or module (§3.1, §3.2); runURL that of a run. An event's own address wins (§3.5).
func stackURL(site dialect.Site, w *event.Workspace) string {
	if w.URL != "" {
		return w.URL
	}
	return stackPage(site, w)
}

func stackPage(site dialect.Site, w *event.Workspace) string {
	return site.BaseURL + "/" + stackWord(w) + "/" + url.PathEscape(stackID(w))
}

func stackWord(w *event.Workspace) string {
	if w.Module {
		return "module"
	}
	return "stack"
}

func runURL(site dialect.Site, e *event.Event) string {
	if e.Run.URL != "" {
		return e.Run.URL
	}
	return stackPage(site, e.Workspace) + "/run/" + url.PathEscape(runID(e.Run))
}

// seconds is a time as run bodies have it; 0 for none.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// newULID draws an identifier for something that is not made yet.
func newULID(now time.Time) string {
	ms := now.UnixMilli()
	var text [ulidLength]byte
	for i := ulidTime - 1; i >= 0; i-- {
		text[i] = crockford[ms&31]
		ms >>= 5
	}
	_, _ = rand.Read(text[ulidTime:]) // never fails: crypto/rand ends the program instead
	for i := ulidTime; i < ulidLength; i++ {
		text[i] = crockford[text[i]&31]
	}
	return string(text[:])
}

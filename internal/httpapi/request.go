package httpapi

import (
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/strict"
)

// call is one request on its way through a handler.
type call struct {
	w http.ResponseWriter
	r *http.Request
	p estate.Principal
	q *query
}

// The limits of what is read.
const (
	maxBody   = 1 << 20  // of one document
	maxStream = 16 << 20 // of a stream of documents
	soonRead  = 64 << 10 // what is given room on the mere announcement of its length
)

const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
	typeForm   = "application/x-www-form-urlencoded"
)

// media returns the request's content type without parameters. None counts as JSON, and so does that of forms, which is
// what curl -d says of whatever it sends: no form of a page can reach this API, for it takes no cookies.
func (c *call) media() (string, error) {
	given := c.r.Header.Get("Content-Type")
	if given == "" {
		return typeJSON, nil
	}
	media, _, err := mime.ParseMediaType(given)
	if err != nil {
		return "", fault.New(fault.Malformed, "The Content-Type %q can not be read; send %s.", given, typeJSON)
	}
	if media == typeForm {
		return typeJSON, nil
	}
	return media, nil
}

// body reads a JSON request's body, bounded.
func (c *call) body() ([]byte, error) {
	media, err := c.media()
	if err != nil {
		return nil, err
	}
	if media != typeJSON {
		return nil, fault.New(fault.Malformed, "The Content-Type is %s; send %s.", media, typeJSON)
	}
	return readBounded(c.w, c.r, maxBody)
}

func readBounded(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	from := http.MaxBytesReader(w, r.Body, limit)
	if r.ContentLength > 0 && r.ContentLength <= soonRead {
		// The server reads no further than the length that was announced, so this is all there is.
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(from, body)
		return body, readFault(err, limit)
	}
	body, err := io.ReadAll(from)
	return body, readFault(err, limit)
}

// readFault turns an error of reading a body into a fault: it is the caller who sent too much or stopped sending.
func readFault(err error, limit int64) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	return &fault.Error{Code: fault.Malformed, Message: "The body ended early.", Cause: err}
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "The body is larger than %d bytes.", limit)
}

// decode reads a JSON request into T, strictly.
func decode[T any](c *call, reader *strict.Reader[T]) (T, error) {
	body, err := c.body()
	if err != nil {
		var zero T
		return zero, err
	}
	return decodeBody(body, reader)
}

func decodeBody[T any](body []byte, reader *strict.Reader[T]) (T, error) {
	value, err := reader.Read(body)
	if found, ok := errors.AsType[*strict.Error](err); ok {
		first := found.Problems[0]
		if found.Malformed {
			return value, fault.New(fault.Malformed, "%s", first.Message)
		}
		f := fault.At(first.Pointer, "%s", first.Message)
		for _, p := range found.Problems[1:] {
			f.More = append(f.More, fault.Field(p))
		}
		return value, f
	}
	return value, err
}

// query is the request's query, read strictly: what a route does not know is refused, so that a misspelled filter does
// not list everything.
type query struct {
	values url.Values
	faults fault.Collector
}

func readQuery(r *http.Request, known []string) (*query, error) {
	q := &query{}
	if r.URL.RawQuery == "" {
		return q, nil
	}
	var err error
	if q.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return q, fault.New(fault.Malformed, "The query can not be read.")
	}
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		switch values := q.values[name]; {
		case len(known) == 0:
			q.faults.Add("?"+name, "There are no parameters here.")
		case !slices.Contains(known, name):
			q.faults.Add("?"+name, "%s", strings.Replace(unknownWord(name, known), "There is no", "There is no parameter", 1))
		case len(values) > 1:
			q.faults.Add("?"+name, "Stands here twice; separate several values by commas.")
		}
	}
	return q, q.err()
}

// err returns what was wrong with the parameters that were read so far.
func (q *query) err() error { return q.faults.Err() }

func (q *query) text(name string) string { return q.values.Get(name) }

// list reads values separated by commas.
func (q *query) list(name string) []string {
	if text := q.values.Get(name); text != "" {
		return strings.Split(text, ",")
	}
	return nil
}

// id reads an identifier, zero when the parameter is absent.
func (q *query) id(name string) ident.ID {
	text := q.values.Get(name)
	if text == "" {
		return 0
	}
	id, err := ident.Parse(text)
	if err != nil {
		q.faults.Add("?"+name, "Is %s.", err)
	}
	return id
}

func (q *query) time(name string) time.Time {
	text := q.values.Get(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		q.faults.Add("?"+name, `Must be a time as in RFC 3339, such as "2026-11-22T04:26:00Z".`)
	}
	return at.UTC()
}

// number reads a whole number between least and most, or the default when the parameter is absent.
func (q *query) number(name string, least, most, otherwise int) int {
	text := q.values.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.faults.Add("?"+name, "Must be a whole number from %d to %d.", least, most)
		return otherwise
	}
	return n
}

// flag reads true or false.
func (q *query) flag(name string) bool {
	switch q.values.Get(name) {
	case "", "false":
		return false
	case "true":
		return true
	}
	q.faults.Add("?"+name, "Must be true or false.")
	return false
}

// oneOf reads a word of a closed set.
func oneOf[T ~string](q *query, name string, known []T) T {
	text := T(q.values.Get(name))
	if text != "" && !slices.Contains(known, text) {
		q.faults.Add("?"+name, "%s", unknownWord(text, known))
	}
	return text
}

// unknownWord says that a word is none of the known ones, and which one was probably meant.
func unknownWord[T ~string](given T, known []T) string {
	word := string(given)
	words := make([]string, len(known))
	for n, k := range known {
		words[n] = string(k)
	}
	if len(word) > 64 {
		word = word[:64] + "…"
	}
	if near := strict.Nearest(word, words); near != "" {
		return "There is no " + strconv.Quote(word) + "; did you mean " + strconv.Quote(near) + "?"
	}
	return "There is no " + strconv.Quote(word) + "; known ones are " + strings.Join(words, ", ") + "."
}

// pathID reads an identifier from the path. Whatever is no identifier names nothing.
func (c *call) pathID(name, noun string) (ident.ID, error) {
	text := c.r.PathValue(name)
	id, err := ident.Parse(text)
	if err != nil {
		return 0, fault.Missing(noun, text)
	}
	return id, nil
}

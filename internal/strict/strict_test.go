package strict_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"carillon/internal/ident"
	"carillon/internal/strict"
)

type inner struct {
	Name  string  `json:"name"`
	Small int8    `json:"small"`
	Ratio float32 `json:"ratio"`
}

type base struct {
	ID ident.ID `json:"id"`
}

type sample struct {
	base
	Title  string                        `json:"title"`
	Done   *bool                         `json:"done"`
	Count  int64                         `json:"count"`
	Size   uint                          `json:"size"`
	At     time.Time                     `json:"at"`
	Raw    []byte                        `json:"raw"`
	Inner  *inner                        `json:"inner"`
	List   []inner                       `json:"list"`
	Labels map[string]string             `json:"labels"`
	Free   json.RawMessage               `json:"free"`
	Any    any                           `json:"any"`
	Nested map[string]map[string][]*bool `json:"nested"`
	Self   *sample                       `json:"self"`
	Hidden string                        `json:"-"`
	Plain  string
}

func TestReadAcceptsWhatTheTypeSays(t *testing.T) {
	t.Parallel()
	const text = ` {"id":"0000000000002","title":"a\u00e9\"\/","done":null,"count":-9,"size":3,"at":"2026-11-22T04:26:00.5+02:00",
		"raw":"aGk=","inner":{"name":"n","small":127,"ratio":1.5e3},"list":[{},{"name":"x"}],"labels":{"a/b":"c"},
		"free":[1,{"deep":[true,null]}],"self":{"title":"again"},"Plain":"p"} `
	got, err := strict.For[sample]().Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var want sample
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestReadIntoKeepsWhatTheDocumentDoesNotName(t *testing.T) {
	t.Parallel()
	value := sample{Title: "kept", Count: 1}
	if err := strict.For[sample]().ReadInto([]byte(`{"count":2}`), &value); err != nil || value.Title != "kept" || value.Count != 2 {
		t.Errorf("got %+v, %v", value, err)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, want string }{
		"unknown field, near":     {`{"titel":"x"}`, `/titel: There is no such field here; did you mean "title"?`},
		"unknown field, far":      {`{"inner":{"zzz":1}}`, `/inner/zzz: There is no such field here; known ones are name, ratio, small.`},
		"other case":              {`{"Title":"x"}`, `/Title: There is no such field here; did you mean "title"?`},
		"hidden field":            {`{"inner":{"Hidden":1}}`, `/inner/Hidden: There is no such field here; known ones are name, ratio, small.`},
		"twice":                   {`{"title":"x","title":"y"}`, `/title: Stands here twice; keep one of the two.`},
		"twice, spelled alike":    {`{"title":"x","ti\u0074le":"y"}`, `/title: Stands here twice; keep one of the two.`},
		"twice in a map":          {`{"labels":{"a":"1","a":"2"}}`, `/labels/a: Stands here twice; keep one of the two.`},
		"twice in a free part":    {`{"free":[{"a":1,"b":2,"a":3}]}`, `/free/0/a: Stands here twice; keep one of the two.`},
		"escaped pointer":         {`{"labels":{"a/b~c":1}}`, `/labels/a~1b~0c: Must be a string, not a number.`},
		"number for string":       {`{"title":1}`, `/title: Must be a string, not a number.`},
		"string for number":       {`{"count":"1"}`, `/count: Must be a whole number, not a string.`},
		"bool for string":         {`{"title":true}`, `/title: Must be a string, not a truth value.`},
		"object for list":         {`{"list":{"name":1}}`, `/list: Must be a list, not an object.`},
		"list for object":         {`{"inner":[1]}`, `/inner: Must be an object, not a list.`},
		"string for object":       {`{"inner":"x"}`, `/inner: Must be an object, not a string.`},
		"string for bool":         {`{"done":"true"}`, `/done: Must be true or false, not a string.`},
		"object for string":       {`{"title":{}}`, `/title: Must be a string, not an object.`},
		"fraction for int":        {`{"count":1.0}`, `/count: Must be a whole number; 1.0 is not.`},
		"too large for 8 bits":    {`{"inner":{"small":128}}`, `/inner/small: Must be a whole number of 8 bits; 128 is not.`},
		"negative unsigned":       {`{"size":-1}`, `/size: Must be a whole number; -1 is not.`},
		"float out of range":      {`{"inner":{"ratio":1e99}}`, `/inner/ratio: Must be a number; 1e99 is not.`},
		"bad time":                {`{"at":"yesterday"}`, `/at: Must be a time as in RFC 3339, such as "2026-11-22T04:26:00Z".`},
		"number for time":         {`{"at":17}`, `/at: Must be a string, not a number.`},
		"bad base64":              {`{"raw":"*"}`, `/raw: Must be text in base64.`},
		"bad id":                  {`{"id":"x"}`, `/id: Can not be read: not an identifier: want 13 characters of 0-9 and a-z without i, l, o, u.`},
		"in a list":               {`{"list":[{},{"nam":1}]}`, `/list/1/nam: There is no such field here; did you mean "name"?`},
		"all of them":             {`{"title":1,"count":"1"}`, `/title: Must be a string, not a number. /count: Must be a whole number, not a string.`},
		"root is a list":          {`[1]`, `Must be an object, not a list.`},
		"empty":                   {` `, `The document is empty; send JSON.`},
		"not UTF-8":               {"{\"title\":\"\xff\"}", `The document is not valid UTF-8.`},
		"cut off":                 {`{"title":"x`, `The document is not JSON: line 1, column 12: a text has no closing quote, found the end.`},
		"cut off after name":      {`{"title"`, `The document is not JSON: line 1, column 9: expected ":" after a name, found the end.`},
		"cut off in list":         {`{"list":[`, `The document is not JSON: line 1, column 10: expected a value, found the end.`},
		"trailing comma":          {`{"count":1,}`, `The document is not JSON: line 1, column 12: expected a name in quotes or "}", found "}".`},
		"trailing comma in list":  {`{"list":[{},]}`, `The document is not JSON: line 1, column 13: expected a value, found "]".`},
		"missing comma":           {"{\"count\":1\n\"size\":2}", `The document is not JSON: line 2, column 1: expected "," or "}", found "\"".`},
		"missing comma in list":   {`{"list":[{} {}]}`, `The document is not JSON: line 1, column 13: expected "," or "]", found "{".`},
		"single quotes":           {`{'a':1}`, `The document is not JSON: line 1, column 2: expected a name in quotes or "}", found "'".`},
		"two documents":           {`{} {}`, `The document is not JSON: line 1, column 4: expected the end of the document, found "{".`},
		"leading zero":            {`{"count":01}`, `The document is not JSON: line 1, column 11: expected "," or "}", found "1".`},
		"no digit after point":    {`{"count":1.}`, `The document is not JSON: line 1, column 12: expected a digit after the decimal point, found "}".`},
		"no digit in exponent":    {`{"count":1e+}`, `The document is not JSON: line 1, column 13: expected a digit in the exponent, found "}".`},
		"lone minus":              {`{"count":-}`, `The document is not JSON: line 1, column 11: expected a digit, found "}".`},
		"unknown literal":         {`{"count":nil}`, `The document is not JSON: line 1, column 10: expected a value, found "n".`},
		"control character":       {"{\"title\":\"a\tb\"}", `The document is not JSON: line 1, column 12: a text holds a control character that must be escaped, found "\t".`},
		"unknown escape":          {`{"title":"\x"}`, `The document is not JSON: line 1, column 12: there is no such escape, found "x".`},
		"short unicode escape":    {`{"title":"\u12g4"}`, `The document is not JSON: line 1, column 15: expected four hexadecimal digits after \u, found "g".`},
		"nested without end":      {`{"free":` + strings.Repeat("[", 200), `The document is not JSON: line 1, column 109: nested more than 100 levels deep, found "[".`},
		"problems before a break": {`{"title":1,`, `The document is not JSON: line 1, column 12: expected a name in quotes or "}", found the end.`},
	}
	reader := strict.For[sample]()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := reader.Read([]byte(test.body))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			fault, ok := errors.AsType[*strict.Error](err)
			if !ok || fault.Malformed != (len(fault.Problems) == 1 && strings.HasPrefix(test.want, "The document ")) {
				t.Errorf("got %#v", err)
			}
		})
	}
}

func TestReadReportsNoMoreThanSomebodyReads(t *testing.T) {
	t.Parallel()
	_, err := strict.For[[]string]().Read([]byte("[" + strings.Repeat("1,", 99) + "1]"))
	if fault, ok := errors.AsType[*strict.Error](err); !ok || len(fault.Problems) != 20 {
		t.Errorf("got %v", err)
	}
}

func TestManyNamesInAFreePartStayCheap(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 20_000 {
		many[ident.ID(i+1).String()] = "x"
	}
	body, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strict.For[map[string]string]().Read(body); err != nil {
		t.Error(err)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"run", "workspace", "policy_checked", "run:completed"}
	tests := map[string]string{
		"rnu": "run", "RUN": "run", "worksapce": "workspace", "policy_check": "policy_checked", "policycheked": "policy_checked",
		"run:complete": "run:completed", "elephant": "", "": "", "r": "", strings.Repeat("run", 99): "",
	}
	for word, want := range tests {
		if got := strict.Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// FuzzRead watches that what is accepted is read exactly as the standard decoder reads it, and that valid JSON is never
// called malformed.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"title":"x","count":1,"at":"2026-11-22T04:26:00Z","raw":"aGk=","list":[{"name":"\ud800"}],"labels":{"":""}}`,
		`{"free":{"a":[1.5e-7,-0,null,false]},"id":"","size":18446744073709551615,"self":{"inner":{"ratio":3.5e38}}}`,
		`{"free":null,"done":true,"labels":{},"list":[],"raw":"","any":{"x":[1,"2",null]},"nested":{"a":{"b":[true,null]}}}`,
	} {
		f.Add([]byte(seed))
	}
	reader := strict.For[sample]()
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := reader.Read(body)
		if err == nil {
			var want sample
			if err := json.Unmarshal(body, &want); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%q\nread as   %+v\nstandard: %+v, %v", body, got, want, err)
			}
		}
		if fault, ok := errors.AsType[*strict.Error](err); ok && fault.Malformed && json.Valid(body) && !deep(body) && utf8.Valid(body) {
			t.Errorf("called %q malformed: %v", body, err)
		}
	})
}

func deep(body []byte) bool {
	return bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > 100
}

func TestTypesThatNoDocumentHasAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]func(){
		"keys that are no strings": func() { strict.For[map[int]string]() },
		"a channel":                func() { strict.For[struct{ C chan int }]() },
	}
	for name, build := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("was accepted")
				}
			}()
			build()
		})
	}
}

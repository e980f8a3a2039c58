package server

import (
	"fmt"
	"strings"
	"testing"

	"carillon/internal/dialect"
)

// configured is a dialect that notes what it is told.
type configured struct {
	dialect.Dialect
	name string
	got  map[string]string
	fail error
}

func (c *configured) Name() string { return c.name }

func (c *configured) Configure(options map[string]string) error {
	c.got = options
	return c.fail
}

// plain is a dialect without options.
type plain struct{ dialect.Dialect }

func (plain) Name() string { return "plain" }

func TestConfigure(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings []string
		fail     error
		want     string // what the dialect was told
		err      string
	}{
		"nothing":         {nil, nil, "map[]", ""},
		"two":             {[]string{"one.a=1", "one.b = x=y"}, nil, "map[a:1 b:x=y]", ""},
		"no value":        {[]string{"one.a"}, nil, "", `must be DIALECT.OPTION=VALUE, not "one.a"`},
		"no option":       {[]string{"one=1"}, nil, "", `not "one=1"`},
		"unknown dialect": {[]string{"two.a=1"}, nil, "", `there is no dialect "two"`},
		"no options":      {[]string{"plain.a=1"}, nil, "", "the dialect plain has no options"},
		"refused":         {[]string{"one.a=1"}, fmt.Errorf("no option a"), "", "configure the dialect one: no option a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := &configured{name: "one", fail: tc.fail}
			err := configure([]dialect.Dialect{plain{}, one}, tc.settings)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || fmt.Sprint(one.got) != tc.want {
				t.Errorf("got %v, %v", one.got, err)
			}
		})
	}
}

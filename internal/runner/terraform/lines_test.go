package terraform

import (
	"slices"
	"testing"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, raw, want string }{
		{"plain", "Plan: 1", "Plan: 1"},
		{"colours", "\x1b[0m\x1b[1mPlan:\x1b[0m 1", "Plan: 1"},
		{"carriage return", "Plan: 1\r", "Plan: 1"},
		{"title ended by bell", "\x1b]0;title\x07Plan: 1", "Plan: 1"},
		{"title ended by string terminator", "\x1b]8;;https://x.example\x1b\\link", "link"},
		{"two characters", "\x1b7Plan", "Plan"},
		{"cut off", "Plan\x1b[3", "Plan"},
		{"cut off at once", "Plan\x1b", "Plan"},
		{"title without an end", "Plan\x1b]0;title", "Plan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := plain([]byte(tt.raw)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSplitWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want []string
	}{
		{"", nil},
		{"  -a  -b=1\n-c ", []string{"-a", "-b=1", "-c"}},
		{`-var "name=two words" -x`, []string{"-var", "name=two words", "-x"}},
		{`-var 'a="b"'`, []string{"-var", `a="b"`}},
		{`a\ b "c\"d"`, []string{"a b", `c"d`}},
		{`-var name=''`, []string{"-var", "name="}},
		{`""`, []string{""}},
		{`"open end`, []string{"open end"}},
	}
	for _, tt := range tests {
		if got := splitWords(tt.text); !slices.Equal(got, tt.want) {
			t.Errorf("%q is split into %q, want %q", tt.text, got, tt.want)
		}
	}
}

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// output is the choice of form that every command has that prints a list or an object.
type output struct {
	Output string `short:"o" default:"table" enum:"table,json" help:"Form of what is printed: ${enum}."`
}

// print writes v as JSON, or calls table with a writer that aligns tab-separated columns.
func (o output) print(to io.Writer, v any, table func(w io.Writer)) error {
	if o.Output == "json" {
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(v)
	}
	w := tabwriter.NewWriter(to, 2, 8, 2, ' ', 0)
	table(w)
	return w.Flush()
}

// row writes one line of a table. Line breaks and tabs in values would tear it.
func row(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case time.Time:
			if !v.IsZero() {
				texts[i] = v.UTC().Format(time.RFC3339)
			}
		case []string:
			texts[i] = strings.Join(v, ",")
		default:
			texts[i] = fmt.Sprint(v)
		}
		texts[i] = strings.NewReplacer("\n", " ", "\t", " ", "\r", " ").Replace(texts[i])
		if texts[i] == "" {
			texts[i] = "-"
		}
	}
	fmt.Fprintln(w, strings.Join(texts, "\t"))
}

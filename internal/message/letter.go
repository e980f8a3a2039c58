package message

import (
	"html"
	"strings"
)

// Letter is a mail body that is written once and read as plain text or as HTML. Its parts are separated by blank lines.
type Letter struct {
	Parts []LetterPart
}

// LetterPart is either lines of text or a table.
type LetterPart struct {
	Lines []LetterLine
	Table []LetterRow
}

// LetterLine is one line of spans that follow each other without a gap.
type LetterLine []LetterSpan

// LetterSpan is a piece of text; with an address it is a link in HTML. The plain text shows Text only.
type LetterSpan struct {
	Text string
	URL  string
}

// LetterRow is a label and a value. The value is the text, or the address itself when the text is empty.
type LetterRow struct {
	Label string
	Text  string
	URL   string
}

// Plain is a line of one span.
func Plain(text string) LetterLine { return LetterLine{{Text: text}} }

// Say adds a paragraph.
func (l *Letter) Say(lines ...LetterLine) { l.Parts = append(l.Parts, LetterPart{Lines: lines}) }

// Show adds a table; rows without a value are left out.
func (l *Letter) Show(rows ...LetterRow) {
	var kept []LetterRow
	for _, row := range rows {
		if row.value() != "" {
			kept = append(kept, row)
		}
	}
	if len(kept) > 0 {
		l.Parts = append(l.Parts, LetterPart{Table: kept})
	}
}

// Text writes the letter as plain text with LF line ends, ending in one.
func (l *Letter) Text() string {
	var b strings.Builder
	for i, part := range l.Parts {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, line := range part.Lines {
			for _, span := range line {
				b.WriteString(lineEnds.Replace(span.Text))
			}
			b.WriteString("\n")
		}
		writeTable(&b, part.Table)
	}
	return b.String()
}

// HTML writes the letter as a small document without styles of its own.
func (l *Letter) HTML() string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n")
	for _, part := range l.Parts {
		if len(part.Table) > 0 {
			writeHTMLTable(&b, part.Table)
			continue
		}
		b.WriteString("<p>")
		for i, line := range part.Lines {
			if i > 0 {
				b.WriteString("<br>\n")
			}
			for _, span := range line {
				b.WriteString(anchor(span.Text, span.URL))
			}
		}
		b.WriteString("</p>\n")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

func (r LetterRow) value() string {
	if r.Text != "" {
		return r.Text
	}
	return r.URL
}

// writeTable aligns the values; a value's further lines stand below its first.
func writeTable(b *strings.Builder, rows []LetterRow) {
	width := 0
	for _, row := range rows {
		width = max(width, len(row.Label)+2)
	}
	for _, row := range rows {
		b.WriteString(row.Label + ":" + strings.Repeat(" ", width-len(row.Label)-1))
		for i, line := range splitLines(row.value()) {
			if i > 0 && line != "" {
				b.WriteString(strings.Repeat(" ", width))
			}
			b.WriteString(line + "\n")
		}
	}
}

func writeHTMLTable(b *strings.Builder, rows []LetterRow) {
	b.WriteString("<table>\n")
	for _, row := range rows {
		b.WriteString("<tr><th align=\"left\" valign=\"top\">" + html.EscapeString(row.Label) + "</th><td>")
		if row.URL != "" {
			b.WriteString(anchor(row.value(), row.URL))
		} else {
			for i, line := range splitLines(row.Text) {
				if i > 0 {
					b.WriteString("<br>\n")
				}
				b.WriteString(html.EscapeString(line))
			}
		}
		b.WriteString("</td></tr>\n")
	}
	b.WriteString("</table>\n")
}

// lineEnds keeps a line one line.
var lineEnds = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

// anchor writes a text, as a link when there is an address that a mail may lead to.
func anchor(text, url string) string {
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		return `<a href="` + html.EscapeString(url) + `">` + html.EscapeString(text) + `</a>`
	}
	return html.EscapeString(text)
}

func splitLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r", "\n"), "\n"), "\n")
}

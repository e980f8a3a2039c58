package message

import "strings"

// CardText escapes somebody's text for a card, so that it reads there as it was written: emphasis, links, and lists and
// headings at the beginning of a line. Brackets that make no link are left alone.
func CardText(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = escapeLineStart(cardEscaper.Replace(line))
	}
	return strings.Join(lines, "\n")
}

var cardEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, "`", "\\`", `~`, `\~`, `](`, `]\(`)

// CardLink writes a link. Brackets in the label and parentheses in the address can not end it early.
func CardLink(label, url string) string {
	label = strings.NewReplacer("[", `\[`, "]", `\]`).Replace(CardText(label))
	return "[" + label + "](" + strings.NewReplacer("(", "%28", ")", "%29", " ", "%20").Replace(url) + ")"
}

// escapeLineStart takes the meaning from what would begin a list, a heading or a quotation.
func escapeLineStart(line string) string {
	rest := strings.TrimLeft(line, " \t")
	indent := line[:len(line)-len(rest)]
	if rest == "" {
		return line
	}
	switch rest[0] {
	case '-', '+', '#', '>':
		return indent + `\` + rest
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if digits > 0 && digits < len(rest) && (rest[digits] == '.' || rest[digits] == ')') {
		return indent + rest[:digits] + `\` + rest[digits:]
	}
	return line
}

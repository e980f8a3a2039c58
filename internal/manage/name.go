package manage

import (
	"encoding/json"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

const (
	maxName  = 255       // characters of a name or a mail address
	maxAlias = 1024      // characters of an external identifier
	maxExtra = 256 << 10 // bytes of what a platform's client wants kept
	maxText  = 4096      // bytes of a description or another free text
)

// checkName refuses names that are blank, too long, or hold what a log or a page could not show.
func checkName(faults *fault.Collector, pointer, name string) {
	switch {
	case strings.TrimSpace(name) == "":
		faults.Add(pointer, "The name can't be blank.")
	case utf8.RuneCountInString(name) > maxName:
		faults.Add(pointer, "The name is too long (maximum is %d characters).", maxName)
	case !printable(name):
		faults.Add(pointer, "The name must be valid UTF-8 without control characters.")
	}
}

// checkURLName refuses names that could not stand in a path as they are.
func checkURLName(faults *fault.Collector, pointer, name string) {
	if strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > maxName {
		checkName(faults, pointer, name)
		return
	}
	if !isAlnum(name[0]) || strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(urlNameRunes, r) }) {
		faults.Add(pointer, "The name may only contain letters, digits, dots, dashes and underscores, and must begin with a letter or digit.")
	}
}

const urlNameRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// checkCommon checks what every object of the estate has beside its name.
func checkCommon(faults *fault.Collector, c *estate.Common) {
	for _, dialect := range slices.Sorted(maps.Keys(c.ExternalIDs)) {
		checkExternalID(faults, dialect, c.ExternalIDs[dialect])
	}
	size := 0
	for _, dialect := range slices.Sorted(maps.Keys(c.Extra)) {
		size += len(c.Extra[dialect])
		if !json.Valid(c.Extra[dialect]) {
			faults.Add("/extra/"+dialect, "This is not valid JSON.")
		}
	}
	if size > maxExtra {
		faults.Add("/extra", "This is too large (maximum is %d bytes).", maxExtra)
	}
}

func checkExternalID(faults *fault.Collector, dialect, identifier string) {
	switch {
	case dialect == "" || strings.ContainsAny(dialect, ":/") || !printable(dialect) || dialect == emailAlias:
		faults.Add("/external_ids", "%q is not the name of a dialect.", dialect)
	case strings.TrimSpace(identifier) == "" || !printable(identifier) || utf8.RuneCountInString(identifier) > maxAlias:
		faults.Add("/external_ids/"+dialect, "An external identifier must be 1 to %d printable characters.", maxAlias)
	}
}

// checkText bounds a free text; it may have several lines.
func checkText(faults *fault.Collector, pointer, text string) {
	if len(text) > maxText || !utf8.ValidString(text) {
		faults.Add(pointer, "This text must be valid UTF-8 of at most %d bytes.", maxText)
	}
}

// checkAddress refuses what can not be a mail address. Nothing is sent to find out.
func checkAddress(faults *fault.Collector, pointer, address string) {
	if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address || len(address) > maxName || !printable(address) {
		faults.Add(pointer, "%q is not a mail address.", clip(address))
	}
}

// clip shortens what a message quotes.
func clip(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}

// aliases lists external identifiers as they are indexed, in a stable order; the organization is zero for what belongs to
// the installation.
func aliases(external map[string]string, organization ident.ID) []string {
	list := make([]string, 0, len(external))
	for _, dialect := range slices.Sorted(maps.Keys(external)) {
		list = append(list, aliasIn(organization, estate.Alias(dialect, external[dialect])))
	}
	return list
}

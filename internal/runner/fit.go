package runner

import (
	"net/url"
	"strings"
	"unicode"

	"carillon/internal/event"
)

// fit makes facts that were found out acceptable: names are one line of bounded length, addresses are addresses. A CI
// variable with an odd value must not cost the whole event.
func (f Facts) fit() Facts {
	for _, text := range []*string{
		&f.RunID, &f.Place.Organization, &f.Place.Project, &f.Place.Name, &f.Trigger, &f.Branch, &f.Repository, &f.VCS,
	} {
		*text = fitName(*text)
	}
	f.Message = cut(f.Message, event.MaxText)
	f.URL = fitURL(f.URL)
	if f.Actor != nil {
		f.Actor = &event.Actor{
			ID: fitName(f.Actor.ID), Name: fitName(f.Actor.Name), FullName: fitName(f.Actor.FullName), Email: fitName(f.Actor.Email),
		}
	}
	if c := f.Commit; c != nil {
		f.Commit = &event.Commit{
			Hash: fitName(c.Hash), Message: cut(c.Message, messageLimit), AuthorName: fitName(c.AuthorName), URL: fitURL(c.URL), At: c.At,
		}
	}
	labels := make([]string, 0, len(f.Labels))
	for _, label := range f.Labels {
		labels = append(labels, fitName(label))
	}
	f.Labels = labels[:min(len(labels), event.MaxItems)]
	return f
}

// fitName makes a text one line of at most the length of a name.
func fitName(text string) string {
	oneLine := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	return strings.TrimSpace(cut(strings.TrimSpace(oneLine), event.MaxName))
}

// fitURL drops what is no web address.
func fitURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || len(text) > event.MaxURL ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || unicode.IsControl(r) }) {
		return ""
	}
	return text
}

package subscription

import (
	"strconv"
	"strings"
)

// HeaderKeys returns, for each of a subscription's headers, the key of its value in Secrets.Headers: the name, and for
// what repeats an earlier name, whatever its spelling, the name and a number. A name has no blanks, so no key is two
// headers'.
func HeaderKeys(headers []Header) []string {
	keys := make([]string, len(headers))
	for i, h := range headers {
		earlier := 0
		for _, other := range headers[:i] {
			if strings.EqualFold(other.Name, h.Name) {
				earlier++
			}
		}
		keys[i] = h.Name
		if earlier > 0 {
			keys[i] += " " + strconv.Itoa(earlier+1)
		}
	}
	return keys
}

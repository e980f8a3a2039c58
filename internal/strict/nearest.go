package strict

import "strings"

// Nearest returns the word among known that a writer most likely meant, or "" when none is near: at most a third of the
// letters differ, without regard to case. Of equally near ones it returns the first.
func Nearest(word string, known []string) string {
	const longest = 64 // what is longer is no slip of the finger
	if word == "" || len(word) > longest {
		return ""
	}
	word = strings.ToLower(word)
	best, limit := "", max(1, len(word)/3)+1
	for _, candidate := range known {
		if d := distance(word, strings.ToLower(candidate), limit); d < limit {
			best, limit = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b; it returns limit
// when there are that many or more.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, prior, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prior {
		prior[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prior[j]+1, row[j-1]+1, prior[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prior, row = prior, row, before
	}
	return min(prior[len(b)], limit)
}

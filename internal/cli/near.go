package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// most is how many names are offered in place of one that is not there.
const most = 3

// near words which names may have been meant by one that is not among them. Where
// none resembles it and there are few, it tells of those.
func near(want string, have []string) string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	for _, name := range have {
		if d := distance(want, name); d <= max(2, len(want)/4) {
			found = append(found, candidate{name, d})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, c := range found[:min(most, len(found))] {
		names = append(names, fmt.Sprintf("%q", c.name))
	}
	switch {
	case len(names) > 0:
		return ": did you mean " + strings.Join(names, " or ") + "?"
	case len(have) > 0 && len(have) <= most:
		for _, name := range have {
			names = append(names, fmt.Sprintf("%q", name))
		}
		return ": there is " + strings.Join(names, ", ")
	default:
		return ""
	}
}

// distance is the number of letters to insert, remove or replace to make one name
// of another (Levenshtein, 1965).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := corner
			if a[i] != b[j] {
				replaced++
			}
			corner = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

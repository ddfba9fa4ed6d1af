package promql

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Recipe is what the queries and the rules of an objective are made from. They
// are tens of kilobytes of text, ten thousand times over, so they are made when
// they are needed. A recipe is never written to.
type Recipe struct {
	// Lanes are the numbers that are read; the first makes a minute count as
	// covered. Sums says what becomes of them.
	Lanes  []Lane
	Sums   Sums
	Policy NewSeries
	// Bucket is the width of the ledger's buckets.
	Bucket time.Duration
	// Identity selects the objective's recorded series, Confine what every other
	// selector must have.
	Identity, Confine Confinement

	id string
}

// NewRecipe completes a recipe: recorded deltas are told apart by its ID. A
// selector that asks for something outside of the confinement is an error.
func NewRecipe(r Recipe) (*Recipe, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	r.id = r.hash()
	r.Identity = r.Identity.Confine(RecipeLabel, r.id)
	return &r, nil
}

func (r *Recipe) check() error {
	for _, l := range r.Lanes {
		expr := l.Expr
		if l.Counter != nil {
			expr = l.Counter.selector.String()
		}
		if _, err := r.Confine.Apply(expr); err != nil {
			return err
		}
	}
	return nil
}

// Reads makes the queries of the ledger.
func (r *Recipe) Reads() (Reads, error) {
	return NewReads(r.Lanes, r.Policy, r.Bucket, r.Confine)
}

// Recording makes the expressions of the rules.
func (r *Recipe) Recording() (Recording, error) {
	return NewRecording(r.Lanes, r.Sums, r.Policy, r.Identity, r.Confine)
}

// RecipeLabel is the label of recorded deltas that says what they were made
// from. Numbers that were recorded before a spec was changed count something
// else, and are not read for it.
const RecipeLabel = "recipe"

// ID is the same for recipes that count the same, in twelve characters.
func (r *Recipe) ID() string { return r.id }

func (r *Recipe) hash() string {
	var all strings.Builder
	fmt.Fprintf(&all, "%d %s %v", r.Policy, r.Confine, r.Sums)
	for _, l := range r.Lanes {
		text := l.Expr
		if l.Counter != nil {
			text = fmt.Sprintf("%t %s", l.Counter.merged, l.Counter.last(0))
		}
		fmt.Fprintf(&all, "\n%s %t %s", l.Name, l.Counter != nil, text)
	}
	sum := sha256.Sum256([]byte(all.String()))
	return hex.EncodeToString(sum[:6])
}

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
	// Hours are when minutes count; nil is always.
	Hours *Hours
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
	open, err := r.Hours.Open()
	if err != nil {
		return Reads{}, err
	}
	return newReads(builder{lanes: r.Lanes, policy: r.Policy, open: open}, r.Bucket, r.Confine)
}

// Recording makes the expressions of the rules.
func (r *Recipe) Recording() (Recording, error) {
	open, err := r.Hours.Open()
	if err != nil {
		return Recording{}, err
	}
	return newRecording(builder{lanes: r.Lanes, policy: r.Policy, open: open}, r.Sums, r.Identity, r.Confine)
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
	if r.Hours != nil {
		fmt.Fprintf(&all, "\nopen %s", r.Hours.ID)
	}
	sum := sha256.Sum256([]byte(all.String()))
	return hex.EncodeToString(sum[:6])
}

package ledger

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/experience-slo/operator/internal/promql"
)

func labelName(label string) model.LabelName { return model.LabelName(label) }

// joined asks for the last minutes of several books at once. It keeps the text of
// what it asks, so that the books need not keep theirs.
type joined struct {
	values []string
	expr   string
}

// read gives a record of each book that was read and lacks no more than a few
// minutes; none where no book lacks any.
func (j *joined) read(ctx context.Context, q Querier, books map[string]*Book, to time.Time) (map[string]*Record, error) {
	near, from := behind(books, to)
	if !from.Before(to) {
		return nil, nil
	}
	if err := j.compose(near); err != nil {
		return nil, err
	}
	matrix, err := q.Range(ctx, j.expr, from.Add(time.Minute), to, time.Minute)
	if err != nil {
		return nil, err
	}
	tables := tablesOf(matrix)
	out := map[string]*Record{}
	for i, value := range j.values {
		out[value] = minutesOf(near[value], tables[strconv.Itoa(i)], from, to)
	}
	return out, nil
}

// behind gives the books that lack a few minutes at the most, and the end of the last
// minute that all of them have.
func behind(books map[string]*Book, to time.Time) (near map[string]*Book, from time.Time) {
	near, from = map[string]*Book{}, to
	for value, book := range books {
		cursor := book.Cursor()
		if cursor.IsZero() || to.Sub(cursor) > few {
			continue
		}
		near[value] = book
		if cursor.Before(from) {
			from = cursor
		}
	}
	return near, from
}

// tablesOf gives the answers to the parts of a query by the name of the part.
func tablesOf(matrix model.Matrix) map[string]table {
	out := map[string]table{}
	for _, stream := range matrix {
		part := string(stream.Metric[promql.SegmentLabel])
		if out[part] == nil {
			out[part] = table{}
		}
		for _, sample := range stream.Values {
			out[part].put(sample.Timestamp.Unix(), string(stream.Metric[promql.LaneLabel]), float64(sample.Value))
		}
	}
	return out
}

// compose makes the text for some books.
func (j *joined) compose(books map[string]*Book) error {
	values := slices.Sorted(maps.Keys(books))
	if j.expr != "" && slices.Equal(values, j.values) {
		return nil
	}
	var recipes []*promql.Recipe
	for _, value := range values {
		if recipe, ok := books[value].newest().(*promql.Recipe); ok {
			recipes = append(recipes, recipe)
		}
	}
	expr, err := promql.SegmentMinutes(recipes)
	if err != nil {
		return err
	}
	j.values, j.expr = values, expr
	return nil
}

// emptyRecord is one that leaves everything to be asked for.
func emptyRecord(b *Book) *Record {
	return &Record{minutes: map[int64]recorded{}, buckets: table{}, recipe: b.terms.Queries.ID()}
}

// minutesOf words the answer to a query for minutes as a record of them.
func minutesOf(b *Book, t table, from, to time.Time) *Record {
	out := emptyRecord(b)
	for minute := from.Add(time.Minute); !minute.After(to); minute = minute.Add(time.Minute) {
		out.minutes[minute.Unix()] = recorded{marked: true}
	}
	entries, broken := t.entries(b.terms.Formula)
	for at, e := range entries {
		out.minutes[at] = recorded{entry: e, marked: true, earned: true}
	}
	for _, at := range broken {
		out.minutes[at] = recorded{marked: true, resets: -1}
	}
	for _, at := range t.resets(b.terms.Formula) {
		out.minutes[at] = recorded{marked: true, resets: 1}
	}
	return out
}

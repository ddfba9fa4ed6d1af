package ledger

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/internal/compile"
)

// Ledger is the books of all objectives.
type Ledger struct {
	mu    sync.Mutex
	books map[types.NamespacedName]*Book
}

// New makes an empty ledger.
func New() *Ledger {
	return &Ledger{books: map[types.NamespacedName]*Book{}}
}

// Book gives the book of a bound plan: the one there is when its terms are the
// plan's, so that a new target costs no query, and otherwise an empty one.
func (l *Ledger) Book(p *compile.Plan) *Book {
	terms := TermsOf(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if book, ok := l.books[p.Key]; ok && book.terms.equal(terms) {
		book.renew(terms)
		return book
	}
	book := NewBook(terms)
	l.books[p.Key] = book
	return book
}

// BookSince is Book for a plan whose events are counted since a moment to the
// minute, minutes being kept from so far back. Where they were not and are gone,
// the book is begun anew, to be read from the source.
func (l *Ledger) BookSince(p *compile.Plan, since time.Time, back time.Duration) *Book {
	book := l.Book(p)
	book.Keep(back)
	if book.reaches(since) {
		return book
	}
	l.Drop(p.Key)
	book = l.Book(p)
	book.Keep(back)
	return book
}

// Held gives the book of an objective, nil where there is none.
func (l *Ledger) Held(key types.NamespacedName) *Book {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books[key]
}

// Drop forgets the book of an objective.
func (l *Ledger) Drop(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.books, key)
}

// Bytes is the memory that all books take.
func (l *Ledger) Bytes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := 0
	for _, b := range l.books {
		sum += b.Bytes()
	}
	return sum
}

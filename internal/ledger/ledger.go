package ledger

import (
	"sync"

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
		return book
	}
	book := NewBook(terms)
	l.books[p.Key] = book
	return book
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

package cli

import (
	"cmp"
	"time"
)

// patience is how long a command works before it says how far it is, and how
// often it says so.
func (p Program) patience() time.Duration { return cmp.Or(p.Patience, time.Second) }

// progress waits until as many things were finished as there are, and tells how
// far it is while that takes longer than a moment.
func (p Program) progress(finished <-chan struct{}, all int, what string) {
	ticker := time.NewTicker(p.patience())
	defer ticker.Stop()
	p.follow(finished, ticker.C, all, what)
}

func (p Program) follow(finished <-chan struct{}, ticks <-chan time.Time, all int, what string) {
	told := -1
	for done := 0; done < all; {
		select {
		case <-finished:
			done++
		case <-ticks:
			if done != told {
				p.tell("%d of %d %s", done, all, what)
				told = done
			}
		}
	}
}

// patiently tells what the command waits for where that takes longer than a
// moment. It returns what ends the waiting.
func (p Program) patiently(what string) (stop func()) {
	timer := time.AfterFunc(p.patience(), func() { p.tell("%s", what) })
	return func() { timer.Stop() }
}

// Package simulate makes believable traffic for five services and their
// support desks: 28 days of history written as Prometheus TSDB blocks, then live
// /metrics pages that carry the same counters on, so that a Prometheus which
// opens the blocks and scrapes the pages sees one unbroken past.
//
// Each of the five is a short story about a customer, in a namespace of its own:
// a long hold, an app that was not as described, a photo editor nobody
// understands, a flight, and a laptop. Some of their promises are kept and some
// are broken, and the package knows exactly how many events it wrote, so that a
// measurement can be compared with the truth and not with a tolerance.
//
// Everything but the live part is a function of the seed, the end of history,
// its length and the scrape interval: the same four give the same samples.
package simulate

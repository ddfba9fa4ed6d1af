// Package ledgertest makes worlds of scraped pods in which the truth is known.
// A world is simulated scrape by scrape: pods are replaced and restart in place,
// label sets are born late, scrapes fail or stay away. What was scraped goes
// into a real Prometheus TSDB, from which the ledger counts through Prometheus'
// own engine, and the truth is counted from the same samples by plain
// arithmetic. It is for tests and benchmarks alone.
package ledgertest

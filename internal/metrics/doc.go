// Package metrics holds every metric of the operator: what each objective and each
// journey came to, and what each source of metrics cost. Series live exactly as
// long as the object that they are about, and a scrape of ten thousand objectives
// allocates little, because label sets are built when a verdict comes in and
// shared by all series of the objective.
package metrics

// Package recording holds the test of the whole path with a ruler: the operator
// writes rule files into ConfigMaps, a real Prometheus loads them and records
// deltas, and the operator reads those.
package recording

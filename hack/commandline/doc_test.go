// Package commandline_test runs kubectl-experience itself against a real API
// server and a real Prometheus, and holds what it says and how it ends against
// the table in docs/exits.md.
package commandline_test

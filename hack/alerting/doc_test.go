// Package alerting_test proves alerts on real parts: Prometheus loads what is
// rendered and shipped, Alertmanager holds what fires, and somebody is told.
package alerting_test

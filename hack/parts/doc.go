// Package parts runs the real programs around the operator, for tests and for
// the demo: an etcd with a kube-apiserver, a Prometheus and an Alertmanager. Each
// is a child process on a free port of the loopback interface, with its data and
// its log in one folder. A start returns when the program really serves, and no child
// outlives the process that started it. The programs are built by `make parts`.
package parts

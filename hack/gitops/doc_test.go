// Package gitops_test proves what is shipped for tools that deploy: objects are
// worded by the operator's own constructors, in each state that they have, and
// judged by the scripts of Argo CD, the expressions of Flux and kstatus.
package gitops_test

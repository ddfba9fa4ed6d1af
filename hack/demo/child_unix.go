//go:build unix && !linux

package main

import "syscall"

// childAttributes keeps Ctrl-C from the child, which is ended in its turn.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

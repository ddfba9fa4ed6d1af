package main

import "syscall"

// childAttributes keeps Ctrl-C from the child, which is ended in its turn, and
// ends it when this process dies in any other way.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

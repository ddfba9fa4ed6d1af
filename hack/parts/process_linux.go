package parts

import "syscall"

// childAttributes puts a child into a process group of its own, so that Ctrl-C
// reaches it in order and not all at once, and has the kernel kill it when this
// process dies in any way.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

//go:build unix && !linux

package parts

import "syscall"

// childAttributes puts a child into a process group of its own, so that Ctrl-C
// reaches it in order and not all at once. Only Linux can tie its life to ours.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

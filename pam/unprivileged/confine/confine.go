// Package confine takes from a program what it does not need, with the kernel's Landlock and
// seccomp.
package confine

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Needs are what is left to a program: everything else that the kernel can refuse is refused.
type Needs struct {
	Files []string // that it reads; those that do not exist are not needed
	Ports []uint16 // of TCP that it connects to, on any host
}

// Lookup are the files that say how a host's address is looked up.
var Lookup = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"}

// Domain is the port of the domain name system, by TCP where an answer is long.
const Domain = 53

// Process confines every thread of the process, for good, and reports whether this kernel can. No
// other file is opened, made, changed or removed then, no program is started and, from Linux 6.7
// on, no other port of TCP is connected to or listened on. The only new sockets are those of TCP,
// UDP and routes: look-ups of names take UDP, on any port. What is open stays open.
//
// It works in programs without cgo: with it, Go does not know every thread.
func Process(n Needs) (confined bool, err error) {
	if err := noNewPrivileges(); err == unix.ENOTSUP {
		return false, nil
	} else if err != nil {
		return false, os.NewSyscallError("prctl", err)
	}
	// an old kernel has no Landlock, and a container may forbid it
	if v := version(); v > 0 {
		confined, err = true, files(n, v)
	}
	if err != nil {
		return false, err
	}
	return confined, sockets()
}

// version is that of the kernel's Landlock, or 0.
func version() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0,
		unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// files leaves every thread the files and ports that are needed.
func files(n Needs, v int) error {
	r, err := newRules(v)
	if err != nil {
		return err
	}
	defer unix.Close(r.fd)
	if err := r.allow(n); err != nil {
		return err
	}
	return r.enforce()
}

// noNewPrivileges is what Landlock demands of a thread that confines itself.
func noNewPrivileges() error {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// rules are what becomes a domain: a kernel's object.
type rules struct {
	fd      int
	handled unix.LandlockRulesetAttr
}

// newRules refuses all that this version of Landlock can.
func newRules(v int) (r rules, err error) {
	r.handled.Handled_access_fs = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // and all before it
	if v >= 2 {
		r.handled.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if v >= 3 {
		r.handled.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if v >= 4 {
		r.handled.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP |
			unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if v >= 5 {
		r.handled.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if v >= 6 {
		r.handled.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	// SAFETY: the kernel reads the attributes during the call, and only so many bytes of them.
	// Fields that it does not know yet are zero, which it accepts.
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&r.handled)), unsafe.Sizeof(r.handled), 0)
	if errno != 0 {
		return r, os.NewSyscallError("landlock_create_ruleset", errno)
	}
	r.fd = int(fd)
	return r, nil
}

// enforce makes the rules those of every thread.
func (r rules) enforce() error {
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r.fd), 0, 0)
	if errno != 0 {
		return os.NewSyscallError("landlock_restrict_self", errno)
	}
	return nil
}

func (r rules) allow(n Needs) error {
	for _, file := range n.Files {
		if err := r.read(file); err != nil {
			return err
		}
	}
	if r.handled.Handled_access_net == 0 {
		return nil
	}
	for _, port := range n.Ports {
		if err := r.port(unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, port); err != nil {
			return err
		}
	}
	// Go binds sockets to a port of the kernel's choice to find out whether there is IPv6.
	return r.port(unix.LANDLOCK_ACCESS_NET_BIND_TCP, 0)
}

// read lets a file be read: the one that the path leads to now.
func (r rules) read(path string) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // neither can it be read
	}
	defer unix.Close(fd)
	// SAFETY: the kernel reads the rule during the call; it is packed, 12 bytes long, and so are
	// its fields here, from the start.
	rule := unix.LandlockPathBeneathAttr{Allowed_access: unix.LANDLOCK_ACCESS_FS_READ_FILE,
		Parent_fd: int32(fd)}
	return r.add(unix.LANDLOCK_RULE_PATH_BENEATH, unsafe.Pointer(&rule))
}

// portRule is struct landlock_net_port_attr, which package unix does not have.
type portRule struct{ allowed, port uint64 }

const ruleNetPort = 2 // LANDLOCK_RULE_NET_PORT

func (r rules) port(access uint64, port uint16) error {
	rule := portRule{access, uint64(port)}
	return r.add(ruleNetPort, unsafe.Pointer(&rule))
}

func (r rules) add(kind uintptr, rule unsafe.Pointer) error {
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), kind, uintptr(rule),
		0, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("landlock_add_rule", errno)
	}
	return nil
}

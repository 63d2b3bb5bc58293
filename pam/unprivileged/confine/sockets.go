package confine

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockets lets every thread make sockets for TCP and UDP alone, and to ask for routes. Landlock
// knows neither MPTCP, which reaches every server that TCP does, nor sockets of this machine.
func sockets() error {
	machine, known := machines[runtime.GOARCH]
	if !known {
		return nil
	}
	program := filter(machine)
	// SAFETY: the kernel copies the program during the call, which keeps it alive.
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&unix.SockFprog{
			Len: uint16(len(program)), Filter: &program[0]})))
	switch errno {
	case 0:
		if thread != 0 {
			return errors.New("seccomp: a thread has another filter")
		}
		return nil
	case unix.ENOSYS, unix.EINVAL, unix.EPERM:
		return nil // a kernel without it, or a container that forbids it
	}
	return os.NewSyscallError("seccomp", errno)
}

// machines are what seccomp calls the architectures.
var machines = map[string]uint32{
	"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// Where the fields of struct seccomp_data are: of the arguments, the half that counts for
// socket(2).
const (
	atCall    = 0
	atMachine = 4
	atDomain  = 16
	atType    = 24
	atProto   = 32
)

const (
	otherABI = 0x40000000 // the first call of x32
	kind     = 0xf        // the rest of a socket's type are flags
)

// Lines of the filter that others go to.
const (
	domains = 6
	types   = 10
	udp     = 14
	tcp     = 17
	routes  = 20
	allowed = 22
	refused = 23
)

// filter refuses socket(2) for anything else, calls of another architecture, and io_uring, whose
// sockets pass no filter. Go asks the kernel about interfaces by netlink where a name server has a
// link-local address.
func filter(machine uint32) []unix.SockFilter {
	return []unix.SockFilter{
		0:       load(atMachine),
		1:       jump(1, unix.BPF_JEQ, machine, 2, refused),
		2:       load(atCall),
		3:       jump(3, unix.BPF_JGE, otherABI, refused, 4),
		4:       jump(4, unix.BPF_JEQ, unix.SYS_IO_URING_SETUP, refused, 5),
		5:       jump(5, unix.BPF_JEQ, unix.SYS_SOCKET, domains, allowed),
		domains: load(atDomain),
		7:       jump(7, unix.BPF_JEQ, unix.AF_INET, types, 8),
		8:       jump(8, unix.BPF_JEQ, unix.AF_INET6, types, 9),
		9:       jump(9, unix.BPF_JEQ, unix.AF_NETLINK, routes, refused),
		types:   load(atType),
		11:      {Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: kind},
		12:      jump(12, unix.BPF_JEQ, unix.SOCK_STREAM, tcp, 13),
		13:      jump(13, unix.BPF_JEQ, unix.SOCK_DGRAM, udp, refused),
		udp:     load(atProto),
		15:      jump(15, unix.BPF_JEQ, 0, allowed, 16),
		16:      jump(16, unix.BPF_JEQ, unix.IPPROTO_UDP, allowed, refused),
		tcp:     load(atProto),
		18:      jump(18, unix.BPF_JEQ, 0, allowed, 19),
		19:      jump(19, unix.BPF_JEQ, unix.IPPROTO_TCP, allowed, refused),
		routes:  load(atProto),
		21:      jump(21, unix.BPF_JEQ, unix.NETLINK_ROUTE, allowed, refused),
		allowed: {Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		refused: {Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)},
	}
}

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

// jump goes from its own line to one of two.
func jump(line int, compare uint16, with uint32, yes, no int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | compare | unix.BPF_K, K: with,
		Jt: uint8(yes - line - 1), Jf: uint8(no - line - 1)}
}

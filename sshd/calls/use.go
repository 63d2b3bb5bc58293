package calls

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"latchkey/sshd/apparmor"
)

// use is what a call does to one path.
type use struct {
	path   string // a relative one is not resolved
	access apparmor.Access
	target string // of a link
	// resolved: the kernel has named the file; parent: the last part of the path is no link to be
	// followed; folder: the path is a folder's
	resolved, parent, folder bool
}

// openForm finds a descriptor's path, as -yy writes it.
var openForm = regexp.MustCompile(
	`^(?:AT_FDCWD|\d+)<(/[^>]*?)(?:<(?:char|block) [^>]*>)?>(?:\(deleted\))?$`)

// opened is the file behind a descriptor; "" for sockets, pipes and what else has no path.
func opened(arg string) string {
	m := openForm.FindStringSubmatch(arg)
	if m == nil || strings.HasPrefix(m[1], "/memfd:") {
		return ""
	}
	return m[1]
}

// named is the path of an argument, below the folder of the one before it, if that is one.
func named(args []string, i int) string {
	text, err := strconv.Unquote(args[i])
	if err != nil {
		return ""
	}
	if i > 0 && !path.IsAbs(text) {
		if text == "" {
			return opened(args[i-1])
		}
		return path.Join(opened(args[i-1]), text)
	}
	return text
}

// onDescriptor are calls that do something to the file of their first argument.
var onDescriptor = map[string]apparmor.Access{
	"read": apparmor.Read, "readv": apparmor.Read, "pread64": apparmor.Read,
	"getdents64": apparmor.Read,
	"write":      apparmor.Write, "writev": apparmor.Write, "pwrite64": apparmor.Write,
	"ftruncate": apparmor.Write, "fallocate": apparmor.Write, "fchmod": apparmor.Write,
	"fchown": apparmor.Write,
}

// onPath are calls that change what is at a path, and where that is among their arguments. What
// they make, remove, or give other rights is written.
var onPath = map[string]struct {
	arg    int
	follow bool
	folder bool
}{
	"truncate": {arg: 0, follow: true}, "chmod": {arg: 0, follow: true},
	"chown": {arg: 0, follow: true}, "lchown": {arg: 0},
	"fchmodat": {arg: 1, follow: true}, "fchmodat2": {arg: 1, follow: true},
	"fchownat": {arg: 1, follow: true},
	"unlink":   {arg: 0}, "unlinkat": {arg: 1}, "rmdir": {arg: 0, folder: true},
	"mkdir": {arg: 0, folder: true}, "mkdirat": {arg: 1, folder: true},
	"mknod": {arg: 0}, "mknodat": {arg: 1}, "symlink": {arg: 1}, "symlinkat": {arg: 2},
}

// uses are what a call does to files. Programs that it runs are not among them.
func (c Call) uses() []use {
	if access, ok := onDescriptor[c.Name]; ok {
		return c.descriptor(0, access)
	}
	if p, ok := onPath[c.Name]; ok {
		return []use{{path: named(c.Args, p.arg), access: apparmor.Write, parent: !p.follow,
			folder: p.folder || contains(c.Args, "AT_REMOVEDIR")}}
	}
	switch c.Name {
	case "open", "openat", "openat2", "creat":
		return c.open()
	case "flock", "fcntl":
		return c.lock()
	case "mmap":
		return c.mmap()
	case "rename":
		return moved(named(c.Args, 0), named(c.Args, 1), c.Args)
	case "renameat", "renameat2":
		return moved(named(c.Args, 1), named(c.Args, 3), c.Args)
	case "link":
		return linked(named(c.Args, 0), named(c.Args, 1))
	case "linkat":
		return linked(named(c.Args, 1), named(c.Args, 3))
	case "sendfile":
		return append(c.descriptor(0, apparmor.Write), c.descriptor(1, apparmor.Read)...)
	case "copy_file_range":
		return append(c.descriptor(0, apparmor.Read), c.descriptor(2, apparmor.Write)...)
	case "bind", "connect", "sendto", "sendmsg":
		return c.socket()
	}
	return nil
}

func (c Call) descriptor(arg int, access apparmor.Access) []use {
	file := opened(c.Args[arg])
	if file == "" || access == 0 {
		return nil
	}
	return []use{{path: file, access: access, resolved: true}}
}

// flagForm finds flags outside of paths.
var flagForm = regexp.MustCompile(`\bO_[A-Z_]+\b`)

// open is judged by the flags. O_PATH opens nothing.
func (c Call) open() []use {
	file := opened(c.Result)
	var access apparmor.Access
	var flags []string
	for _, arg := range c.Args {
		if !strings.HasPrefix(arg, `"`) && !strings.HasPrefix(arg, "AT_FDCWD") {
			flags = append(flags, flagForm.FindAllString(arg, -1)...)
		}
	}
	if c.Name == "creat" {
		flags = []string{"O_WRONLY", "O_CREAT", "O_TRUNC"}
	}
	for _, flag := range flags {
		switch flag {
		case "O_PATH":
			return nil
		case "O_RDONLY":
			access |= apparmor.Read
		case "O_WRONLY", "O_CREAT", "O_TRUNC", "O_TMPFILE":
			access |= apparmor.Write
		case "O_RDWR":
			access |= apparmor.Read | apparmor.Write
		}
	}
	if file == "" || access == 0 {
		return nil
	}
	return []use{{path: file, access: access, resolved: true}}
}

// lock: a lock that excludes others is also a write.
func (c Call) lock() []use {
	text := strings.Join(c.Args[1:], " ")
	switch {
	case strings.Contains(text, "LOCK_EX"), strings.Contains(text, "SETLK") &&
		strings.Contains(text, "F_WRLCK"):
		return c.descriptor(0, apparmor.Lock|apparmor.Write)
	case strings.Contains(text, "LOCK_SH"), strings.Contains(text, "LOCK_UN"),
		strings.Contains(text, "SETLK"):
		return c.descriptor(0, apparmor.Lock)
	}
	return nil
}

// mmap: a private mapping only reads the file, even if the program writes to its copy.
func (c Call) mmap() []use {
	var access apparmor.Access
	if strings.Contains(c.Args[2], "PROT_READ") {
		access |= apparmor.Read
	}
	if strings.Contains(c.Args[2], "PROT_EXEC") {
		access |= apparmor.Map
	}
	if strings.Contains(c.Args[2], "PROT_WRITE") && strings.Contains(c.Args[3], "MAP_SHARED") {
		access |= apparmor.Write
	}
	return c.descriptor(4, access)
}

// moved: what is renamed is read and written, and so is what it is exchanged with.
func moved(from, to string, args []string) []use {
	access := apparmor.Write
	if contains(args, "RENAME_EXCHANGE") {
		access |= apparmor.Read
	}
	return []use{{path: from, access: apparmor.Read | apparmor.Write, parent: true},
		{path: to, access: access, parent: true}}
}

func linked(target, link string) []use {
	return []use{{path: link, access: apparmor.Link, target: target, parent: true}}
}

var socketForm = regexp.MustCompile(`sun_path="((?:[^"\\]|\\.)*)"`)

// socket: a kernel that mediates sockets in the file system asks for the right to write, and to
// read, too, where there are answers, which the log does not give.
func (c Call) socket() []use {
	m := socketForm.FindStringSubmatch(strings.Join(c.Args[1:], " "))
	if m == nil {
		return nil
	}
	access := apparmor.Write
	if c.Name == "connect" && m[1] != "/dev/log" {
		access |= apparmor.Read
	}
	return []use{{path: m[1], access: access, parent: c.Name == "bind"}}
}

func contains(args []string, flag string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		return !strings.HasPrefix(arg, `"`) && strings.Contains(arg, flag)
	})
}

// Package calls records with strace what programs do to files, and says which of AppArmor's
// accesses that takes.
package calls

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// traced are the system calls by which a process reaches files, becomes another program or user,
// or makes a process. AppArmor does not mediate what a path leads through, nor stat, access,
// readlink, chdir, attributes and times of files, so they are left out.
const traced = "open,openat,openat2,creat,read,readv,pread64,write,writev,pwrite64,getdents64," +
	"ftruncate,truncate,fallocate,flock,fcntl,mmap,sendfile,copy_file_range," +
	"rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,link,linkat," +
	"symlink,symlinkat,chmod,fchmod,fchmodat,fchmodat2,chown,lchown,fchown,fchownat," +
	"bind,connect,sendto,sendmsg,execve,execveat,clone,clone3,fork,vfork," +
	"setuid,setreuid,setresuid,setfsuid,setgid,setregid,setresgid,setfsgid,setgroups"

// options are strace's for a log that parse understands. Not every kernel has all of the calls.
var options = []string{"-yy", "--pidns-translation", "-s", "0", "-e",
	"trace=?" + strings.ReplaceAll(traced, ",", ",?"), "-e", "signal=none"}

// Call is a system call that succeeded.
type Call struct {
	PID    int
	Name   string
	Args   []string
	Result string
}

// String is the call as strace writes it.
func (c Call) String() string {
	return fmt.Sprintf("%s(%s) = %s", c.Name, strings.Join(c.Args, ", "), c.Result)
}

var (
	lineForm    = regexp.MustCompile(`^(\d+) +(.*)$`)
	callForm    = regexp.MustCompile(`^(\w+)\((.*)\) += (.*)$`)
	resumedForm = regexp.MustCompile(`^<\.\.\. \w+ resumed>(.*)$`)
	// A thread that is not the first becomes the first when it runs another program.
	changedForm    = regexp.MustCompile(`^(.*) <pid changed to (\d+) \.\.\.>$`)
	supersededForm = regexp.MustCompile(`^\+\+\+ superseded by execve in pid (\d+) \+\+\+$`)
)

// reader puts the parts of calls together that other processes' calls interrupted.
type reader struct {
	begun map[int]string // by process
	calls []Call
}

// parse returns the calls that succeeded, in the order of their ends.
func parse(log string) ([]Call, error) {
	r := reader{begun: map[int]string{}}
	for line := range strings.Lines(log) {
		m := lineForm.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			return nil, fmt.Errorf("a line of strace's log has no process: %q", line)
		}
		r.line(number(m[1]), m[2])
	}
	return r.calls, nil
}

func (r *reader) line(pid int, text string) {
	if m := resumedForm.FindStringSubmatch(text); m != nil {
		text = r.begun[pid] + m[1]
		delete(r.begun, pid)
	}
	if head, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
		r.begun[pid] = head
	} else if m := changedForm.FindStringSubmatch(text); m != nil {
		r.begun[number(m[2])] = m[1]
	} else if m := supersededForm.FindStringSubmatch(text); m != nil {
		if head, ok := r.begun[number(m[1])]; ok {
			r.begun[pid] = head
		}
	} else if m := callForm.FindStringSubmatch(text); m != nil && m[3][0] != '-' &&
		m[3][0] != '?' {
		r.calls = append(r.calls, Call{PID: pid, Name: m[1], Args: split(m[2]), Result: m[3]})
	}
}

// number is that of digits which a pattern has matched.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// split takes arguments apart, at commas that are in no quotes and no brackets.
func split(text string) (args []string) {
	var open []byte
	begin, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',' && len(open) == 0:
			args = append(args, strings.TrimSpace(text[begin:i]))
			begin = i + 1
		case strings.IndexByte("([{<", c) >= 0 && !inBrackets(open, c):
			open = append(open, ")]}>"[strings.IndexByte("([{<", c)])
		case len(open) > 0 && c == open[len(open)-1]:
			open = open[:len(open)-1]
		}
	}
	return append(args, strings.TrimSpace(text[begin:]))
}

// inBrackets reports whether a < is no bracket: where C's operators are.
func inBrackets(open []byte, c byte) bool {
	return c == '<' && len(open) > 0 && open[len(open)-1] == ']'
}

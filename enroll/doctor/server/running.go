package server

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Running are the processes of all sshd that listen, as root runs them. Any user can give a process
// such a title, or start an sshd with files of their own: neither lets anyone in as someone else.
func Running(root string) (pids []int) {
	files, _ := filepath.Glob(root + "/proc/[0-9]*/cmdline") // the pattern has no mistake
	for _, file := range files {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if command(root, pid) != nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Listens reports whether a process is an sshd of root's that listens.
func Listens(pid int) bool { return command("", pid) != nil }

// File is where a process that listens finds its sshd_config when it is told to read it again;
// empty: the process is none.
func File(pid int) string {
	words := command("", pid)
	if words == nil {
		return ""
	}
	file := parse(words).File
	if !filepath.IsAbs(file) {
		file = fmt.Sprintf("/proc/%d/cwd/%s", pid, file)
	}
	return file
}

// running are the command lines of all sshd that listen.
func running(root string) (all [][]string) {
	for _, pid := range Running(root) {
		if words := command(root, pid); words != nil {
			all = append(all, words)
		}
	}
	return all
}

// command is the command line of an sshd of root's that listens; nil: the process is none, or has
// ended.
func command(root string, pid int) []string {
	dir := fmt.Sprintf("%s/proc/%d/", root, pid)
	text, err := os.ReadFile(dir + "cmdline")
	if err != nil || !ofRoot(dir) {
		return nil
	}
	words := titled(string(text))
	// What is set-user-ID, such as sudo, can be started under any title, too.
	exe, err := os.Readlink(dir + "exe")
	if words == nil || err == nil && !strings.HasPrefix(filepath.Base(exe), "sshd") &&
		filepath.Base(exe) != filepath.Base(words[0]) {
		return nil
	}
	return words
}

// ofRoot reports whether all uids of a process are root's.
func ofRoot(dir string) bool {
	text, err := os.ReadFile(dir + "status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if uids, ok := strings.CutPrefix(line, "Uid:"); ok {
			return slices.Equal(strings.Fields(uids), []string{"0", "0", "0", "0"})
		}
	}
	return false
}

// titled is the command line in the title of an sshd that listens; nil: it is of something else.
// sshd shows its own as "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", and by another
// name with that in front.
func titled(text string) []string {
	name, shown, _ := strings.Cut(text, ": ")
	shown, _, listens := strings.Cut(shown, " [listener]")
	words := strings.Fields(shown)
	if !listens || len(words) == 0 || name != "sshd" && name != filepath.Base(words[0]) {
		return nil
	}
	return words
}

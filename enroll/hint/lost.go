package hint

import (
	"errors"
	"strings"

	"latchkey/pam/factor"
)

// folders are latchkey's own, from the top, with the mode that each has.
var folders = []struct{ path, mode string }{
	{"/etc/latchkey", "0755"},
	{"/etc/latchkey/users", "0700"},
	{"/var/lib/latchkey", "0700"},
	{"/var/lib/latchkey/users", "0700"},
}

// Folder is what to do about a missing folder of latchkey's, at path below any root; empty for
// another folder. Its command is safe where one above it is missing, too: what users have is not
// taken for nothing, because a record without its state, or the reverse, is a denial.
func Folder(path string) string {
	for i, f := range folders {
		if !strings.HasSuffix(path, f.path) {
			continue
		}
		top := folders[i&^1] // each top folder stands before the one in it
		command := "install -d -m " + f.mode + " " + f.path
		if f != top {
			command = "install -d -m " + top.mode + " " + top.path + " && " + command
		}
		return "restore it from a backup, or mount it if it is a file system of its own. Without " +
			"a backup: " + command + "; then look again with: enroll doctor"
	}
	return ""
}

// StartOver is what root can do about a record or state that cannot be used. An old state would
// let used codes work again, so only a record is worth restoring.
func StartOver(name string, err error) string {
	reset := "root can start over with: enroll reset " + name
	if errors.Is(err, factor.ErrRecord) {
		return "root can restore the record from a backup (owner root, mode 0600). Without one, " +
			reset
	}
	return reset
}

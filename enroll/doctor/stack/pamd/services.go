// Package pamd has PAM's own files (pam.d(5)): where services and modules are, and what the lines
// of a service say. It is as strict as its callers need it: a line that versions of libpam read
// differently is an error.
package pamd

import (
	"os"
	"slices"
	"strings"
)

// Dirs are where service files are looked for, in this order.
var Dirs = []string{"/etc/pam.d", "/usr/lib/pam.d"}

// Vendor are where some distributions have service files beside Dirs.
var Vendor = []string{"/usr/share/pam.d", "/usr/etc/pam.d"}

// Enroll is the service of enroll, which goes when the module goes.
const Enroll = "enroll"

// leftovers are the ends of names of copies, which editors, package managers and pam-auth-update
// leave beside a file.
var leftovers = []string{"~", "#", ".bak", ".orig", ".old", ".save", ".swp", ".rpmnew", ".rpmsave",
	".rpmorig", ".pam-old", ".pam-new",
	".dpkg-old", ".dpkg-dist", ".dpkg-new", ".dpkg-tmp", ".dpkg-bak", ".ucf-old", ".ucf-dist",
	".ucf-new", ".pacnew", ".pacsave"}

// IsService reports whether a file of that name can be a service: libpam asks for names in lower
// case, and no program's name for itself looks like a copy of a file.
func IsService(name string) bool {
	copied := slices.ContainsFunc(leftovers, func(end string) bool {
		return strings.HasSuffix(name,
			end)
	})
	return !copied && name == strings.ToLower(name) && !strings.HasPrefix(name, ".")
}

// Services are the names of all services below root.
func Services(root string) []string {
	var names []string
	for _, dir := range Dirs {
		entries, _ := os.ReadDir(root + dir) // reading the service says why
		for _, e := range entries {
			if name := e.Name(); IsService(name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

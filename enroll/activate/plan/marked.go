package plan

import (
	"os"
	"strings"

	"latchkey/enroll/doctor/stack/pamd"
)

// written begins a drop-in for sshd.
const written = "# Written by enroll activate;"

// Marked are the files below root that hold what an activation wrote, as its marks show. They are
// there without a journal where a host got only /etc from a backup or another host.
func Marked(root string) (all []string) {
	if marked(root+dropIn, written) {
		all = append(all, dropIn)
	}
	places := []string{sshdConfig}
	for _, name := range pamd.Services(root) {
		places = append(places, pamd.Dirs[0]+"/"+name)
	}
	for _, path := range places {
		if marked(root+path, begin) {
			all = append(all, path)
		}
	}
	return all
}

// marked reports whether a line of a file begins with a mark; a file that cannot be read has none.
func marked(path, mark string) bool {
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		return false
	}
	text, err := os.ReadFile(path)
	return err == nil && strings.Contains("\n"+string(text), "\n"+mark)
}

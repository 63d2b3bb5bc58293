// Package unprivileged is the account as which latchkey's programs run what needs no rights.
package unprivileged

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Name is the account that packages make.
const Name = "latchkey"

// noAccount is the uid and gid where there is no such account.
const noAccount = 65534

// Account is that account's uid and gid, and whether there is one. It is looked up where packages
// make it: no name service is asked, because that is the network's.
func Account(root string) (uid, gid uint32, found bool) {
	text, _ := os.ReadFile(root + "/etc/passwd")
	for line := range bytes.Lines(text) {
		fields := strings.Split(string(line), ":")
		if len(fields) < 4 || fields[0] != Name {
			continue
		}
		u, err1 := strconv.ParseUint(fields[2], 10, 32)
		g, err2 := strconv.ParseUint(fields[3], 10, 32)
		if err1 == nil && err2 == nil && u != 0 && g != 0 {
			return uint32(u), uint32(g), true
		}
	}
	return noAccount, noAccount, false
}

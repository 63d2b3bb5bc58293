package apparmor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

const (
	journalctl = "/usr/bin/journalctl"
	patience   = 5 * time.Second // a large journal
	most       = "200"           // lines
)

// Denial is something that a profile denied, or would have denied in complain mode.
type Denial struct {
	Profile string
	What    string // open /data/x (r); capable sys_admin
	Allowed bool   // in complain mode
}

// field is one of a line of the kernel's.
var field = regexp.MustCompile(`\b([a-z_]+)="([^"]*)"`)

// Denied are those of the last day, each once, the newest first. Without a journal of systemd's
// there are none.
func Denied(root string) []Denial {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := os.Stat(root + journalctl); err != nil {
		return nil
	}
	out, _ := exec.CommandContext(ctx, root+journalctl, "--quiet", "--no-pager", "--reverse",
		"--output=cat", "--since=-1d", "--lines="+most, `--grep=apparmor="(DENIED|ALLOWED)"`,
		"_TRANSPORT=audit", "_TRANSPORT=kernel").Output() // what it said until it failed
	var all []Denial
	seen := map[Denial]bool{}
	for line := range strings.Lines(string(out)) {
		if d, ours := parse(line); ours && !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	}
	return all
}

func parse(line string) (d Denial, ours bool) {
	f := map[string]string{}
	for _, m := range field.FindAllStringSubmatch(line, -1) {
		f[m[1]] = m[2]
	}
	for _, name := range own {
		ours = ours || f["profile"] == name
	}
	d = Denial{Profile: f["profile"], What: f["operation"], Allowed: f["apparmor"] == "ALLOWED"}
	for _, more := range []string{f["capname"], f["name"], f["family"]} {
		if more != "" {
			d.What += " " + more
		}
	}
	if mask := f["denied_mask"]; mask != "" {
		d.What += fmt.Sprintf(" (%s)", mask)
	}
	return d, ours && (d.Allowed || f["apparmor"] == "DENIED")
}

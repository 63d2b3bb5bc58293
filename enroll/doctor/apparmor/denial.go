package apparmor

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	journalctl = "/usr/bin/journalctl"
	patience   = 5 * time.Second // a large journal
	most       = "200"           // lines
	auditLog   = "/var/log/audit/audit.log"
	tail       = 1 << 20 // bytes
	day        = 24 * time.Hour
)

// Denial is something that a profile denied, or would have denied in complain mode.
type Denial struct {
	Profile string
	What    string // open /data/x (r); capable sys_admin
	Allowed bool   // in complain mode
}

// field is one of a line of the kernel's.
var field = regexp.MustCompile(`\b([a-z_]+)="([^"]*)"`)

// Denied are those of the last day, each once, from auditd's log and systemd's journal: where auditd
// runs, the journal may have none.
func Denied(root string) (all []Denial) {
	seen := map[Denial]bool{}
	for line := range strings.Lines(audited(root, time.Now()) + journaled(root)) {
		if d, ours := parse(line); ours && !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	}
	return all
}

func journaled(root string) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := os.Stat(root + journalctl); err != nil {
		return ""
	}
	out, _ := exec.CommandContext(ctx, root+journalctl, "--quiet", "--no-pager", "--reverse",
		"--output=cat", "--since=-1d", "--lines="+most, `--grep=apparmor="(DENIED|ALLOWED)"`,
		"_TRANSPORT=audit", "_TRANSPORT=kernel").Output() // what it said until it failed
	return string(out)
}

// stamp is the time of a line of auditd's, in seconds.
var stamp = regexp.MustCompile(`msg=audit\((\d+)\.`)

// audited are the lines of the last day at the end of auditd's log.
func audited(root string, now time.Time) string {
	f, err := os.Open(root + auditLog)
	if err != nil {
		return ""
	}
	defer f.Close()
	_, _ = f.Seek(-tail, io.SeekEnd) // a shorter file is read whole
	text, _ := io.ReadAll(io.LimitReader(f, tail))
	var recent strings.Builder
	for line := range strings.Lines(string(text)) {
		m := stamp.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if s, err := strconv.ParseInt(m[1], 10, 64); err == nil && now.Sub(time.Unix(s, 0)) < day {
			recent.WriteString(line)
		}
	}
	return recent.String()
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

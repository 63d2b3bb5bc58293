package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
)

// refusal is a line of the kernel's, or of dbus's, about one of latchkey's profiles, in the log of
// auditd.
var refusal = regexp.MustCompile(`apparmor="(DENIED|ALLOWED)" .*` +
	`(profile|label)="((latchkey-[a-z]+|enroll)(//[^"]*)?)".*`)

// varying are what differs between two denials of the same thing.
var varying = regexp.MustCompile(` (pid|fsuid|ouid|comm|error)=("[^"]*"|\S+)`)

// denied lists, each once, what AppArmor denied, and what it would deny in complain mode.
func denied() (all []string) {
	text, _ := os.ReadFile("/var/log/audit/audit.log")
	for line := range strings.Lines(string(text)) {
		if m := refusal.FindString(strings.TrimSpace(line)); m != "" {
			all = append(all, varying.ReplaceAllString(m, ""))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"latchkey/enroll/doctor/sshd"
	"latchkey/enroll/doctor/sshd/ask"
	"latchkey/enroll/doctor/sshd/config"
)

// server is an sshd that runs or is started with the machine.
type server struct {
	program string   // its name, which is its PAM service before OpenSSH 9.8
	file    string   // its sshd_config
	flags   []string // that decide what is in force
}

// label is what findings that no line is the cause of are about.
func (s server) label() string {
	if s.file != sshdConfig {
		return "sshd -f " + s.file
	}
	return "sshd"
}

// servers are the usual sshd and all others: each may have a configuration of its own, or
// options that outweigh it.
func (d Doctor) servers() []server {
	all := []server{{"sshd", sshdConfig, nil}}
	for _, words := range append(d.running(), d.enabled()...) {
		s := parseServer(words)
		if !slices.ContainsFunc(all, func(o server) bool {
			return o.program == s.program && o.file == s.file && slices.Equal(o.flags, s.flags)
		}) {
			all = append(all, s)
		}
	}
	return all
}

// flagged are the flags of sshd(8) that decide what is in force, and silentFlags others that
// take a value.
const (
	flagged     = "fohp"
	silentFlags = "cCEgbuk"
)

func parseServer(words []string) server {
	s := server{program: filepath.Base(words[0]), file: sshdConfig}
	for i := 1; i < len(words); i++ {
		w := words[i]
		if len(w) < 2 || w[0] != '-' {
			continue
		}
		letter := strings.IndexAny(w[1:], flagged+silentFlags) + 1 // -Df FILE
		if letter == 0 {
			continue
		}
		flag, value := w[letter:letter+1], w[letter+1:]
		if value == "" && i+1 < len(words) {
			i++
			value = words[i]
		}
		switch {
		case flag == "f":
			s.file = value
		case strings.Contains(flagged, flag):
			s.flags = append(s.flags, "-"+flag, value)
		}
	}
	return s
}

// running are the command lines of all sshd that listen. sshd shows its own as "sshd:
// /usr/sbin/sshd -D [listener] 0 of 10-100 startups".
func (d Doctor) running() (all [][]string) {
	files, _ := filepath.Glob(d.Root + "/proc/[0-9]*/cmdline") // the pattern has no mistake
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		shown, isSSHD := strings.CutPrefix(string(text), "sshd: ")
		shown, _, listens := strings.Cut(shown, " [listener]")
		if isSSHD && listens {
			all = append(all, strings.Fields(shown))
		}
	}
	return all
}

// examineSSHD asks one sshd about its configuration.
func (d Doctor) examineSSHD(s server) (*sshd.Report, error) {
	file, err := config.Read(d.Root, s.file)
	if err != nil {
		return nil, err
	}
	flags := s.flags
	if s.file != sshdConfig {
		flags = append([]string{"-f", s.file}, flags...)
	}
	return sshd.Examination{
		Program: ask.Program{Command: d.sshdCommand, Flags: flags},
		Service: s.program, Config: file, Machine: d.machine(),
		Clock: time.Now, Bound: d.bound(), Progress: d.Progress,
	}.Run()
}

// Package grace finds out how long sshd gives a login: LoginGraceTime of sshd_config(5), after
// which sshd ends the connection without a word.
//
// It is asked only for what the user is told. Where it cannot find out, it takes sshd's defaults.
package grace

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sshd's defaults.
const (
	standard   = 2 * time.Minute
	configFile = "/etc/ssh/sshd_config"
)

// Left is how long sshd still gives the login whose process has this id; false: it sets no limit.
// Paths are below root, which is "" but in tests.
func Left(root string, process int) (time.Duration, bool) {
	s := server{root: root, file: configFile}
	connection := s.find(process)
	limit := s.limit()
	return limit - max(age(root, connection), 0), limit > 0
}

// server is the sshd that took the connection.
type server struct {
	root, file string
	option     string // LoginGraceTime on its command line
}

// find goes from a process up to the sshd that listens, notes with which options that runs, and
// returns the first process of the connection: the one below it. Where none listens, as with
// socket activation, it is the first that calls itself sshd. A link to sshd has it call itself
// otherwise.
func (s *server) find(process int) (connection int) {
	connection = process
	for below := process; process > 1; below, process = process, parent(s.root, process) {
		title, err := os.ReadFile(fmt.Sprintf("%s/proc/%d/cmdline", s.root, process))
		if err != nil {
			break
		}
		_, shown, _ := strings.Cut(string(title), ": ")
		if command, _, listens := strings.Cut(shown, " [listener]"); listens {
			s.options(strings.Fields(command))
			return below
		}
		if strings.HasPrefix(string(title), "sshd") {
			connection = process
		}
	}
	return connection
}

// options takes from a command line what decides about the limit: -f FILE, -g SECONDS and
// -o LoginGraceTime=TIME.
func (s *server) options(words []string) {
	for i, word := range words[:max(0, len(words)-1)] {
		keyword, value := setting(words[i+1])
		switch {
		case word == "-f":
			s.file = words[i+1]
		case word == "-g":
			s.option = words[i+1]
		case word == "-o" && keyword == "logingracetime":
			s.option = value
		}
	}
}

// limit is the time that counts: the command line's before the first that the file sets.
func (s *server) limit() time.Duration {
	value := s.option
	if value == "" {
		value = s.read(s.file, 0)
	}
	if limit, ok := parse(value); ok {
		return limit
	}
	return standard
}

// depthLimit is how deep sshd nests includes.
const depthLimit = 16

// read is the first LoginGraceTime in a file and those it includes; "" if there is none.
func (s *server) read(file string, depth int) string {
	text, err := os.ReadFile(s.root + file)
	if err != nil || depth > depthLimit {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		value := ""
		switch keyword, rest := setting(line); keyword {
		case "logingracetime":
			value = rest
		case "include":
			value = s.included(rest, depth)
		}
		if value != "" {
			return value
		}
	}
	return ""
}

func (s *server) included(patterns string, depth int) string {
	for _, pattern := range strings.Fields(patterns) {
		if pattern = strings.Trim(pattern, `"`); !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(configFile), pattern)
		}
		files, _ := filepath.Glob(s.root + pattern) // sshd refuses a bad pattern
		for _, file := range files {
			if value := s.read(strings.TrimPrefix(file, s.root), depth+1); value != "" {
				return value
			}
		}
	}
	return ""
}

// setting cuts a line of sshd_config into its keyword, in lower case, and the rest.
func setting(line string) (keyword, value string) {
	line = strings.TrimSpace(line)
	end := strings.IndexAny(line, " \t=")
	if end < 0 || strings.HasPrefix(line, "#") {
		return "", ""
	}
	value, _, _ = strings.Cut(line[end:], "#")
	return strings.ToLower(line[:end]), strings.Trim(value, " \t=\"")
}

// units are those of sshd's times; a number alone is seconds.
var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour,
	'w': 7 * 24 * time.Hour,
}

// parse reads a time such as 600, 10m or 1h30m.
func parse(text string) (sum time.Duration, ok bool) {
	for text != "" {
		end := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' })
		unit, rest := time.Second, ""
		digits := text
		if end >= 0 {
			digits, unit, rest = text[:end], units[text[end]|0x20], text[end+1:]
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || unit == 0 {
			return 0, false
		}
		sum, text, ok = sum+time.Duration(n)*unit, rest, true
	}
	return sum, ok
}

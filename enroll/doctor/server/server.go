// Package server finds the sshd of a machine: those that run, and those that systemd starts.
package server

import (
	"path/filepath"
	"slices"
	"strings"
)

// Config is the usual sshd_config.
const Config = "/etc/ssh/sshd_config"

// Server is an sshd that runs or is started with the machine.
type Server struct {
	Program string   // its name, which is its PAM service before OpenSSH 9.8
	File    string   // its sshd_config
	Flags   []string // that decide what is in force
}

// Label is what findings that no line is the cause of are about.
func (s Server) Label() string {
	if s.File != Config {
		return "sshd -f " + s.File
	}
	return "sshd"
}

// All are the usual sshd and all others: each may have a configuration of its own, or
// options that outweigh it.
func All(root string) []Server {
	all := []Server{{"sshd", Config, nil}}
	for _, words := range append(running(root), enabled(root)...) {
		s := parse(words)
		if !slices.ContainsFunc(all, func(o Server) bool {
			return o.Program == s.Program && o.File == s.File && slices.Equal(o.Flags, s.Flags)
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

func parse(words []string) Server {
	s := Server{Program: filepath.Base(words[0]), File: Config}
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
			s.File = value
		case strings.Contains(flagged, flag):
			s.Flags = append(s.Flags, "-"+flag, value)
		}
	}
	return s
}

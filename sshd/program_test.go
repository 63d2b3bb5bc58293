package sshd_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

const loginProgram = "/usr/libexec/latchkey/latchkey-login"

func TestMissingOrMisbehavingLoginProgramOnlyDenies(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s := server(t, h, suite.KeyAndCode)
		script(t, h, "mv "+loginProgram+" /root/good")
		for _, c := range []struct{ name, script string }{
			{"missing", ""},
			{"not executable", "install -m 644 /root/good $P"},
			{"a script that ends", `printf '#!/bin/sh\nexit 0\n' >$P; chmod 755 $P`},
			{"a script that prints", `printf '#!/bin/sh\nyes SUCCESS\n' >$P; chmod 755 $P`},
			{"garbage on the socket",
				`printf '#!/usr/bin/perl\nopen F, "+<&=0"; syswrite F, "V2 allow" x 9; sleep ` +
					`1\n' >$P; chmod 755 $P`},
			{"killed", `printf '#!/bin/sh\nkill -9 $$\n' >$P; chmod 755 $P`},
			{"hanging", `printf '#!/bin/sh\nexec sleep 300\n' >$P; chmod 755 $P`},
		} {
			t.Run(c.name, func(t *testing.T) {
				u := enrolled(t, h)
				script(t, h, "set -e\nP="+loginProgram+"\nrm -f $P\n"+c.script)
				o := denied(t, s,
					suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
				if o.CodePrompts() != 0 {
					t.Errorf("a code was asked for: %q", o.Prompts)
				}
				must(t, noneLeft(h))
				script(t, h, "rm -f "+loginProgram+"; cp -p /root/good "+loginProgram)
				allowed(t, s, suite.Attempt{
					User:  u.Name,
					Key:   shared.Key,
					Codes: []string{u.Code()},
				}).Close()
			})
		}
	})
}

// noneLeft waits until there is neither a child of the gate nor a zombie.
func noneLeft(h *suite.Host) error {
	return poll.Until("children and zombies to go", time.Minute, func() error {
		all, err := h.Processes()
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.State == "Z" || strings.HasPrefix(p.Name, "latchkey-login") ||
				p.Name == "sleep" || p.Name == "yes" {
				return &still{p}
			}
		}
		return nil
	})
}

type still struct{ suite.Process }

func (s *still) Error() string { return s.Name + " (" + s.State + ") is still there" }

func TestLoginProgramKilledAtThePromptDenies(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, u := server(t, h, suite.KeyAndCode), enrolled(t, h)
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()},
			AtCode: func() error {
				all, err := h.Processes()
				if err != nil {
					return err
				}
				for _, p := range all {
					if strings.HasPrefix(p.Name, "latchkey-login") {
						return p.Kill()
					}
				}
				return nil
			}})
		must(t, noneLeft(h))
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
	})
}

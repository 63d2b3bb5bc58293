package explain

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"

	"latchkey/enroll/doctor/server"
	"latchkey/enroll/doctor/sshd/ask"
	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/ways"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
)

const sshd = "/usr/sbin/sshd"

// unkeyed is why no sshd of this machine tells PAM of one of these keys in the login; empty if one
// does, or if that cannot be told.
func (l Login) unkeyed(keys []record.Device) (why string) {
	if _, err := os.Lstat(l.Root + sshd); errors.Is(err, fs.ErrNotExist) {
		return "only sshd says which key was used, and there is none"
	}
	spec, ok := l.connection()
	if !ok {
		return ""
	}
	why = "only sshd says which key was used, and none has the PAM service " + l.Service
	for _, s := range server.All(l.Root) {
		answer, err := l.program(s).Ask(spec)
		if err != nil {
			return ""
		}
		o := answer.Options
		name := cmp.Or(o.First("pamservicename"), s.Program)
		if pamd.ServiceName(name) != pamd.ServiceName(l.Service) {
			continue
		}
		lists, _ := o.Ways(l.User.UID == 0)
		switch {
		case !ways.Keyed(lists):
			why = "sshd asks for no key before PAM in this login (see AuthenticationMethods)"
		case !takes(o, keys):
			why = "sshd takes no key of that type (see PubkeyAcceptedAlgorithms)"
		default:
			return ""
		}
	}
	return why
}

// connection is the login as sshd -C has it; ok is false if it cannot be said there.
func (l Login) connection() (spec string, ok bool) {
	if _, err := netip.ParseAddr(l.From); err != nil {
		return "", false
	}
	q := config.Connection{User: &config.User{Name: l.User.Name, UID: l.User.UID}, Host: l.From,
		Addr: l.From, LAddr: config.PlainLocal, LPort: config.PlainPort}
	return q.Spec()
}

// program is an sshd of the machine, to be asked.
func (l Login) program(s server.Server) ask.Program {
	flags := s.Flags
	if s.File != server.Config {
		flags = append([]string{"-f", s.File}, flags...)
	}
	return ask.Program{Flags: flags, Command: func(ctx context.Context,
		args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, l.Root+sshd, args...)
	}}
}

// takes reports whether sshd accepts signatures of one of the keys, or of a certificate of it.
func takes(o ways.Options, keys []record.Device) bool {
	accepted := o.First("pubkeyacceptedalgorithms")
	if accepted == "" { // an sshd that does not say
		return true
	}
	return slices.ContainsFunc(keys, func(d record.Device) bool {
		key, err := sshkey.Decode(string(d.Secret))
		name, _, _ := strings.Cut(key.Type, "@")
		return err == nil && slices.ContainsFunc(strings.Split(accepted, ","), func(a string) bool {
			return strings.HasPrefix(strings.TrimPrefix(a, "webauthn-"), name)
		})
	})
}

package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// damage is one way in which a user's files can be wrong: a script in which $F is the file, and
// what the log says.
type damage struct{ name, script, reason string }

const recordFile, stateFile = "/etc/latchkey/users/", "/var/lib/latchkey/users/"

// flip changes one bit of the byte at the offset (negative: from the end).
const flip = `perl -e 'open F, "+<", $ARGV[0] or die; my $o = $ARGV[1]; $o += -s F if $o < 0; ` +
	`seek F, $o, 0; read F, my $b, 1; seek F, $o, 0; print F chr(ord($b) ^ 1)' "$F" `

var recordDamage = []damage{
	{"readable by others", `chmod 644 $F`, "record"},
	{"of another owner", `chown daemon $F`, "record"},
	{"a symlink", `mv $F $F.moved; ln -s $F.moved $F`, "record"},
	{"a hard link", `ln $F $F.twin`, "record"},
	{"a FIFO", `rm $F; mkfifo -m 600 $F`, "record"},
	{"a folder", `rm $F; mkdir -m 700 $F`, "record"},
	{"empty", `: >$F`, "record"},
	{"cut short", `truncate -s -20 $F`, "record"},
	{"off by a bit at the start", flip + `3`, "record"},
	{"off by a bit at the end", flip + `-4`, "record"},
	{"of a newer version", `sed -i 's/^version = 1$/version = 2/' $F`, "record"},
	{"somebody else's", `cp -p ${F%/*}/$OTHER $F`, "record"},
	{"without its state", `rm $S`, "state"},
	{"with an empty state", `: >$S`, "state"},
	{"with another's state", `cp -p ${S%/*}/$OTHER $S`, "state"},
	{"with a state of zeros",
		`head -c $(stat -c %s $S) /dev/zero >$S.z && cat $S.z >$S && rm $S.z`, "state"},
	{"with a state others may write", `chmod 666 $S`, "state"},
	{"with a symlink as state", `mv $S $S.moved; ln -s $S.moved $S`, "state"},
}

func TestUntrustedRecordOrStateDeniesAndIsLeftAsItIs(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, other := server(t, h, suite.KeyAndCode), enrolled(t, h)
		for _, d := range recordDamage {
			t.Run(d.name, func(t *testing.T) {
				u := enrolled(t, h)
				vars := fmt.Sprintf("set -e\nF=%s%s S=%s%s OTHER=%s\n", recordFile, u.Name,
					stateFile, u.Name, other.Name)
				script(t, h, vars+`cp -p $F /root/record.`+u.Name+`; cp -p $S /root/state.`+u.Name)
				script(t, h, vars+d.script)
				before := picture(t, h, u)
				o := denied(t, s,
					suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
				if o.CodePrompts() != 0 {
					t.Errorf("a code was asked for: %q", o.Prompts)
				}
				audited(t, h, u.Name, 1, "verdict=deny", "reason="+d.reason, "tries=0")
				if after := picture(t, h, u); after != before {
					t.Errorf("files changed from\n%s\nto\n%s", before, after)
				}
				script(t, h, vars+`rm -rf $F* $S*; cp -p /root/record.`+u.Name+
					` $F; cp -p /root/state.`+u.Name+` $S`)
				allowed(t, s,
					suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
			})
		}
	})
}

func script(t *testing.T, h *suite.Host, text string) string {
	t.Helper()
	out, err := h.Script(text)
	must(t, err)
	return out
}

// picture returns everything about the user's files that could change: kind, owner, mode, size,
// links, content.
func picture(t *testing.T, h *suite.Host, u *suite.User) string {
	t.Helper()
	return script(t, h, fmt.Sprintf(`for f in %s%s* %s%s*; do
		stat -c '%%n %%F %%U %%a %%s %%h' $f
		[ ! -f $f ] || sha256sum $f
	done 2>&1`, recordFile, u.Name, stateFile, u.Name))
}

func TestOneDamagedSlotOfAStateLosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.KeyAndCode)
		for _, offset := range []string{"40", "-40"} {
			u := enrolled(t, h)
			used := u.Code()
			allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{used}})
			script(t, h, fmt.Sprintf("set -e\nF=%s%s\n", stateFile, u.Name)+flip+offset)
			denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{used}})
			audited(t, h, u.Name, 2, "verdict=deny", "reason=replayed")
			allowed(t, s,
				suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.CodeAt(1)}})
		}
	})
}

func TestAUserWithoutARecordIsDeniedUnlessThePolicySaysAllow(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		u := user(t, h)
		u.Secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // a secret that no user has
		a := suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}}
		denied(t, server(t, h, suite.KeyAndCode), a)
		audited(t, h, u.Name, 1, "verdict=deny", "reason=unenrolled", "method=none")
		open := configured(t, h, "open", "unenrolled = \"allow\"\n")
		if o := allowed(t, open, a); o.CodePrompts() != 0 {
			t.Errorf("a code was asked for: %q", o.Prompts)
		}
		audited(t, h, u.Name, 2, "verdict=allow", "reason=unenrolled")
		script(t, h, "mkdir "+recordFile+u.Name)
		denied(t, open, a)
		audited(t, h, u.Name, 3, "verdict=deny", "reason=record")
		script(t, h, "rmdir "+recordFile+u.Name)
	})
}

// Even "allow" lets no one pass whose record might only be out of sight.
func TestUntrustedFolderIsNotTakenForAMissingRecord(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s := configured(t, h, "open", "unenrolled = \"allow\"\n")
		u, stranger := enrolled(t, h), user(t, h)
		for _, c := range []struct{ name, script string }{
			{"missing", "rm -r $D"},
			{"writable by others", "chmod 777 $D"},
			{"of another owner", "chown daemon $D"},
			{"a symlink to nowhere", "rm -r $D; ln -s /nonexistent $D"},
			{"a file", "rm -r $D; : >$D"},
			{"in a folder others may write", "chmod 777 ${D%/*}"},
		} {
			t.Run(c.name, func(t *testing.T) {
				script(t, h, "set -e\nD=/etc/latchkey/users\ncp -a /etc/latchkey /root/good\n"+
					c.script)
				for _, who := range []*suite.User{u, stranger} {
					a := suite.Attempt{User: who.Name, Key: shared.Key, Codes: []string{"000000"}}
					if o := denied(t, s, a); o.CodePrompts() != 0 {
						t.Errorf("a code was asked for: %q", o.Prompts)
					}
				}
				script(t, h, "rm -r /etc/latchkey; mv /root/good /etc/latchkey")
			})
		}
		allowed(t, s, suite.Attempt{User: stranger.Name, Key: shared.Key})
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
	})
}

func TestInvalidConfigurationDeniesAndIsNamedInTheLog(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		const path = "/etc/latchkey/bad.toml"
		s := configured(t, h, "bad", "")
		for _, c := range []struct{ name, stack, script, reason string }{
			{"an unknown argument", "required pam_latchkey.so nosuch", "", "argument"},
			{"an unknown argument beside good ones",
				"required pam_latchkey.so conf=" + path + " nullok", "", "argument"},
			{"an unknown key", "", "echo 'tries = 3' >" + path, "config"},
			{"a bad value", "", "echo 'unenrolled = \"yes\"' >" + path, "config"},
			{"not TOML", "", "echo '<html>' >" + path, "config"},
			{"missing", "", "rm " + path, "config"},
			{"writable by its group", "", "chmod 664 " + path, "config"},
			{"of another owner", "", "chown daemon " + path, "config"},
			{"a symlink", "",
				"mv " + path + " " + path + ".moved; ln -s " + path + ".moved " + path, "config"},
			{"a folder", "", "rm " + path + "; mkdir " + path, "config"},
		} {
			t.Run(c.name, func(t *testing.T) {
				u := enrolled(t, h)
				if c.stack != "" {
					must(t, h.Service("bad", suite.Stack{c.stack}))
				}
				script(t, h, c.script)
				denied(t, s, suite.Attempt{
					User:  u.Name,
					Key:   shared.Key,
					Codes: []string{u.Code()},
				})
				line := audited(t, h, u.Name, 1, "verdict=deny", "reason="+c.reason)
				if c.reason == "config" && !strings.Contains(line, path) {
					t.Errorf("the log does not name the file: %s", line)
				}
				must(t, h.Service("bad", s.Stack))
				script(t, h, "rm -rf "+path+"*; : >"+path+"; chmod 644 "+path)
				allowed(t, s,
					suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
			})
		}
	})
}

package doctor

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/doctor/server"
)

// maker makes configurations with Match lines of all kinds.
type maker struct{ *rand.Rand }

func (m maker) pick(all ...string) string { return all[m.IntN(len(all))] }

// list is some of the patterns, and perhaps exceptions.
func (m maker) list(all ...string) string {
	var some []string
	for range 1 + m.IntN(3) {
		some = append(some, m.pick("", "", "", "!")+m.pick(all...))
	}
	return strings.Join(some, ",")
}

var (
	makerUsers = []string{"alice", "bob", "carol", "root", "a*", "*b", "?ob", "*", "dave",
		"c*l"}
	makerAddresses = []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3",
		"192.168.*", "*",
		"2001:db8::/32", "2001:db8:1::/48", "::/0", "0.0.0.0/0", "127.0.0.1", "10.?.0.1"}
)

func (m maker) criterion() string {
	switch m.IntN(7) {
	case 0, 1:
		return m.pick("User ", "user=", "User ") + m.list(makerUsers...)
	case 2:
		return "Group " + m.list("admins", "sudo", "alice", "*o*", "empty", "carol")
	case 3, 4:
		quote := m.pick("", `"`)
		return "Address " + quote + m.list(makerAddresses...) + quote
	case 5:
		return "LocalPort " + m.pick("22", "2222", "2022")
	}
	return "LocalAddress " + m.list("10.0.0.1", "10.0.0.0/8", "::/0", "127.0.0.0/8")
}

// settings are what a Match line sets; the code is left out with publickey alone.
func (m maker) settings() string {
	return "    " + m.pick("AuthenticationMethods publickey",
		"AuthenticationMethods publickey,keyboard-interactive",
		"AuthenticationMethods publickey,keyboard-interactive", "PubkeyAuthentication no",
		"PubkeyAuthentication yes",
		"X11Forwarding no", "AllowUsers a* root carol", "DenyUsers bob") + "\n"
}

func (m maker) config() string {
	var b strings.Builder
	b.WriteString("UsePAM yes\nPasswordAuthentication no\nPermitRootLogin yes\nPort 22\n" +
		m.pick("", "Port 2222\n"))
	if m.IntN(4) > 0 {
		b.WriteString("AuthenticationMethods publickey,keyboard-interactive\n")
	}
	for range 1 + m.IntN(6) {
		line := "Match " + m.criterion()
		if m.IntN(2) == 0 {
			line += " " + m.criterion()
		}
		b.WriteString(line + "\n" + m.settings())
		if m.IntN(3) == 0 {
			b.WriteString(m.settings())
		}
	}
	return b.String()
}

var spokenOf = regexp.MustCompile(`Port ([0-9]+)`)

// connections are many that a client could make, to ports that sshd listens on or that a line is
// for.
func (m maker) connections(n int, config string) []string {
	var all, ports []string
	for _, found := range spokenOf.FindAllStringSubmatch(config, -1) {
		ports = append(ports, found[1])
	}
	for range n {
		four := m.IntN(3) > 0
		addr := m.pick("10.0.0.1", "10.1.0.1", "10.1.2.3", "10.1.2.4", "192.168.7.7", "8.8.8.8",
			"127.0.0.1", "10.5.0.1")
		laddr := m.pick("10.0.0.1", "192.0.2.9", "127.0.0.1")
		if !four {
			addr, laddr = m.pick("2001:db8::5", "2001:db8:1::5", "2a00::1", "::1"),
				m.pick("::1", "2a00::9")
		}
		all = append(all, fmt.Sprintf("user=%s,host=%s,addr=%s,laddr=%s,lport=%s",
			m.pick("alice", "bob", "carol", "root", "dave", "zed", "aab", "tob"), addr, addr,
			laddr, m.pick(ports...)))
	}
	return all
}

var decided = regexp.MustCompile(`(?s)config reprocess config.*?` +
	`debug3: reprocess config:([0-9]+) setting AuthenticationMethods`)

// No way past the code that a connection finds is missing in what doctor says, and each is on
// the line that sshd took it from.
func TestEachWayPastTheCodeThatAConnectionFindsIsNamed(t *testing.T) {
	bare := template(t)
	if bare == "" {
		t.Skip("there is no sshd here, or no root: ./sshd runs this in its containers")
	}
	configs, bad := 12, 0
	if n, err := strconv.Atoi(os.Getenv("LATCHKEY_TEST_CONFIGS")); err == nil {
		configs = n
	}
	for seed := range uint64(configs) {
		m := maker{rand.New(rand.NewPCG(seed, 43))}
		c := &tableCase{base: "debian",
			remove: []string{"/etc/ssh/sshd_config.d/00-latchkey.conf"}}
		root, config := c.lay(t, bare), m.config()
		put(t, root, server.Config, config, 0o644)
		d := doctorIn(root)
		said := fmt.Sprint(examined(d.checkSSHD().findings))
		for _, spec := range m.connections(25, config) {
			if place := past(t, d, spec); place != "" {
				bad++
				if !strings.Contains(said, place) {
					t.Errorf("seed %d: with %s a key alone gets in by %s, and doctor "+
						"says %s\n%s", seed, spec, place, said, config)
				}
			}
		}
	}
	if bad < 5*configs/4 {
		t.Errorf("%d connections of %d configurations get past: these show little", bad, configs)
	}
}

// What was not tried is an error that names the line: what sshd reads in another way than doctor
// (OpenSSH 9.2 takes these quotes for a part of the name), and what there was no time for.
func TestALineThatWasNotTriedIsNamed(t *testing.T) {
	bare := template(t)
	if bare == "" {
		t.Skip("there is no sshd here, or no root: ./sshd runs this in its containers")
	}
	for name, c := range map[string]struct {
		lines, want string
		bound       time.Duration
	}{
		"quotes, lax": {"Match User 'bob'\n AuthenticationMethods publickey\n",
			"error: /etc/ssh/sshd_config.d/20-site.conf:", 0},
		"no time": {"Match User bob\n AuthenticationMethods keyboard-interactive\n",
			"not tried: /etc/ssh/sshd_config.d/20-site.conf:1)", 1},
		"no time, but lax": {"Match User bob\n AuthenticationMethods publickey\n",
			"error: /etc/ssh/sshd_config.d/20-site.conf:2: ", 1},
	} {
		root := (&tableCase{base: "debian"}).lay(t, bare)
		put(t, root, "/etc/ssh/sshd_config.d/20-site.conf", c.lines, 0o644)
		d := doctorIn(root)
		d.Bound = cmp.Or(c.bound, d.Bound)
		if got := fmt.Sprint(examined(d.checkSSHD().findings)); !strings.Contains(got,
			strings.TrimSuffix(c.want, ")")) {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// Each name of a list is tried, since sshd may read one in another way than the others: OpenSSH
// 9.2 takes these quotes for a part of the name, 10 does not.
func TestEachNameOfAListIsTried(t *testing.T) {
	bare := template(t)
	if bare == "" {
		t.Skip("there is no sshd here, or no root: ./sshd runs this in its containers")
	}
	root := (&tableCase{base: "debian"}).lay(t, bare)
	put(t, root, "/etc/ssh/sshd_config.d/00-latchkey.conf",
		"UsePAM yes\nPasswordAuthentication no\n"+
			"KbdInteractiveAuthentication yes\nAllowGroups admins\nMatch User alice,'bob'\n"+
			" AuthenticationMethods publickey,keyboard-interactive\n", 0o644)
	d := doctorIn(root)
	const bob = "user=bob,host=192.0.2.1,addr=192.0.2.1,laddr=192.0.2.2,lport=22"
	found := examined(d.checkSSHD().findings)
	if gets := past(t, d, bob) != ""; gets != (len(found) > 0) {
		t.Errorf("got %q, and bob gets in with a key alone: %v", found, gets)
	}
}

// past is the line by which a key alone gets in, as sshd itself says; where none asks for more,
// the words for that; empty if it does not get in.
func past(t *testing.T, d Doctor, spec string) string {
	t.Helper()
	cmd := d.SSHD(context.Background(), "-T", "-ddd", "-C", spec)
	var out, trace strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &trace
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s", spec, err, trace.String())
	}
	says := func(line string) bool { return strings.Contains("\n"+out.String(), "\n"+line+"\n") }
	user := spec[len("user="):strings.Index(spec, ",")]
	alone := says("authenticationmethods any") || says("authenticationmethods publickey")
	if !alone || says("pubkeyauthentication no") || says("denyusers "+user) {
		return ""
	}
	if allowed := regexp.MustCompile(`(?m)^allowusers (.*)$`).FindAllStringSubmatch(out.String(),
		-1); allowed != nil &&
		!slices.ContainsFunc(allowed, func(m []string) bool {
			ok, _ := path.Match(m[1], user)
			return ok
		}) {
		return ""
	}
	if m := decided.FindStringSubmatch(trace.String()); m != nil {
		return server.Config + ":" + m[1] + ": "
	}
	return "yes and no AuthenticationMethods: publickey alone"
}

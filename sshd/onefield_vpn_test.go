package sshd_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// makeKeys makes a certificate authority and a server's certificate. Dovecot brings openssl.
func (h *fieldHost) makeKeys(t *testing.T) {
	t.Helper()
	script(t, h.Host, `set -e
mkdir -p /root/vpn && cd /root/vpn
new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $new -keyout ca.key -out ca.crt -subj /CN=ca -days 30 2>/dev/null
openssl req -new $new -keyout server.key -out server.csr -subj /CN=server 2>/dev/null
printf 'extendedKeyUsage=serverAuth\nkeyUsage=digitalSignature,keyEncipherment\n' >usage
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt \
	-days 30 -extfile usage 2>/dev/null`)
}

const authPAM = `plugin /usr/lib/openvpn/openvpn-plugin-auth-pam.so `

func (h *fieldHost) startVPN(t *testing.T) {
	h.startOpenVPN(t, "field", 1194, h.says(t, authPAM+`openvpn
auth-gen-token 43200`))
}

func (h *fieldHost) startChallengingVPN(t *testing.T) {
	h.startOpenVPN(t, "challenge", 1195, h.says(t, authPAM+
		`"openvpn-challenge login USERNAME Password PASSWORD From OTP Phones OTP"
auth-gen-token 43200`))
}

// startOpenVPN starts a server with the rights and limits of Debian's systemd unit that matter
// here, and writes a client's configuration.
func (h *fieldHost) startOpenVPN(t *testing.T, name string, port int, plugin string) {
	t.Helper()
	script(t, h.Host, fmt.Sprintf(`set -e
cd /root/vpn
cat >%[1]s.server <<'.'
local 127.0.0.1
port %[2]d
proto tcp4-server
dev tun
server 10.99.0.0 255.255.255.0
topology subnet
ca ca.crt
cert server.crt
key server.key
dh none
verify-client-cert none
username-as-common-name
%[3]s
verb 3
.
cat >%[1]s.client <<'.'
client
remote 127.0.0.1 %[2]d tcp4-client
dev null
ifconfig-noexec
route-noexec
nobind
ca ca.crt
remote-cert-tls server
connect-retry-max 3
.`, name, port, plugin))
	h.daemon(t, "setpriv --bounding-set=-all,+setuid,+setgid,+dac_override,+audit_write,"+
		"+sys_chroot,+net_admin prlimit --nproc=10 openvpn --cd /root/vpn --config "+name+
		".server --daemon --log "+name+".log", listening(port))
}

// How a client's log ends.
const (
	connected = "Initialization Sequence Completed"
	refused   = "AUTH_FAILED"
	decided   = connected + "|" + refused + "|Exiting"
)

// vpnLogin is a login by OpenVPN's own client.
func (h *fieldHost) vpnLogin(t *testing.T, u *suite.User, password, code string) bool {
	t.Helper()
	return h.client(t, u.Name+"\n"+password+code+"\n", `cd /root/vpn
cat >typed && chmod 600 typed && rm -f said && mkfifo said
openvpn --config field.client --auth-user-pass typed >said &
grep -m 1 -E '`+decided+`' <said
kill $!; wait`, connected, refused)
}

// challengedLogin is a login by OpenVPN's own client with a field for each. A code in a field of
// its own needs no comma.
func (h *fieldHost) challengedLogin(t *testing.T, u *suite.User, password, code string) bool {
	t.Helper()
	h.says(t, `auth-user-pass
static-challenge "Verification code" 1`)
	script(t, h.Host, fmt.Sprintf("umask 077; printf '%%s\\n' '%s' '%s' >/root/vpn/saved", u.Name,
		password))
	term, err := terminal.New(h.Shell("/usr/sbin/openvpn", "--cd", "/root/vpn", "--config",
		"challenge.client", "--auth-user-pass", "saved", "--static-challenge", "Verification code",
		"1"))
	must(t, err)
	defer term.Close()
	typed(t, term, `Verification code`, strings.TrimPrefix(code, ","))
	must(t, term.Expect(decided))
	in := strings.Contains(term.Seen(), connected)
	if in == strings.Contains(term.Seen(), refused) {
		t.Errorf("OpenVPN's client says %s", term.Seen())
	}
	return in
}

// showsThePagesLogins checks that the client shows the lines of the page, in that order, after
// right and wrong codes.
func (h *fieldHost) showsThePagesLogins(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```\n\\$ sudo openvpn [^\n]*\n(.*?)```").FindAllStringSubmatch(
		h.page, -1)
	if len(blocks) != 2 {
		t.Fatalf("the page shows %d logins by OpenVPN, want 2", len(blocks))
	}
	u := enrolled(t, h.Host)
	for i, code := range []string{u.Code(), u.WrongCode()} {
		shown := strings.NewReplacer("alice", u.Name, "192.0.2.1", "127.0.0.1").Replace(blocks[i][1])
		seen := h.watched(t, u, suite.Password+code)
		rest := seen
		for line := range strings.Lines(shown) {
			_, after, ok := strings.Cut(rest, "\n"+strings.TrimSpace(line)+"\n")
			if !ok {
				t.Errorf("OpenVPN's client does not show %q at its place: %s", line, seen)
			}
			rest = "\n" + after
		}
	}
}

// watched is a login as a person sees it. The password is left out: the terminal echoes it if it is
// typed before the client has switched that off.
func (h *fieldHost) watched(t *testing.T, u *suite.User, password string) string {
	t.Helper()
	term, err := terminal.New(h.Shell("/usr/sbin/openvpn", "--cd", "/root/vpn", "--config",
		"field.client", "--auth-user-pass", "--suppress-timestamps"))
	must(t, err)
	defer term.Close()
	typed(t, term, `Username:`, u.Name)
	typed(t, term, `Password:`, password)
	must(t, term.Expect(connected+`\s|process exiting\s`))
	return strings.ReplaceAll(term.Seen(), password, "")
}

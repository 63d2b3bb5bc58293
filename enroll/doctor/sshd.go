package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	sshdProgram = "/usr/sbin/sshd"
	sshdWait    = 10 * time.Second // for one answer; it takes milliseconds
)

// sshdReport is what sshd says about itself.
type sshdReport struct {
	findings []Finding
	services []string        // of PAM; none: there is no sshd
	keyFirst map[string]bool // by service: on every way to it a key comes first
}

// note takes down which service an answer uses (PAMServiceName, since OpenSSH 9.8; a Match line may set another).
func (r *sshdReport) note(a *sshdAnswer) {
	name := a.options["pamservicename"]
	if name == "" {
		name = "sshd"
	}
	if !slices.Contains(r.services, name) {
		r.services = append(r.services, name)
		r.keyFirst[name] = true
	}
	r.keyFirst[name] = r.keyFirst[name] && a.keyFirst()
}

// checkSSHD asks sshd itself what its configuration comes to, for a connection that no Match line is for and for some that each
// is for.
func (d Doctor) checkSSHD() sshdReport {
	if _, err := os.Lstat(d.Root + sshdProgram); errors.Is(err, fs.ErrNotExist) {
		return sshdReport{findings: []Finding{{sshdProgram, OK, "sshd is not installed", ""}}}
	}
	r := sshdReport{services: []string{"sshd"}, keyFirst: map[string]bool{}}
	plain, err := d.askSSHD("")
	if err != nil {
		r.findings = []Finding{fault("sshd", err, "sshd -t says what is wrong; /run/sshd is made when ssh is started")}
		return r
	}
	r.services = nil
	r.note(plain)
	r.findings = plain.judge("sshd")
	d.checkMatches(&r, plain)
	if len(r.findings) == 0 {
		r.findings = []Finding{okay("sshd asks for the code on every way in")}
	}
	return r
}

// checkMatches asks for connections that Match lines are for.
func (d Doctor) checkMatches(r *sshdReport, plain *sshdAnswer) {
	seen := map[string]bool{}
	specs, all := d.connections(plain.matches)
	for _, spec := range specs {
		a, err := d.askSSHD(spec)
		if err != nil {
			r.findings = append(r.findings, fault("sshd for "+spec, err, ""))
			continue
		}
		r.note(a)
		for _, f := range a.judge("sshd for " + spec) {
			if !slices.ContainsFunc(r.findings, func(g Finding) bool { return g.Detail == f.Detail }) {
				r.findings = append(r.findings, f)
			}
		}
		for _, m := range a.matched {
			seen[m] = true
		}
	}
	const hint = "see what it comes to: sshd -T -C user=NAME,host=HOST,addr=ADDRESS"
	for _, m := range plain.matches {
		if !seen[m] {
			r.findings = append(r.findings, warning("sshd: Match "+m, "no connection was found that it is for: not looked at", hint))
		}
	}
	if !all {
		r.findings = append(r.findings, warning("sshd: Match", "not all combinations of the Match lines were looked at", hint))
	}
	if len(plain.matches) == 0 && d.writesMatch() {
		r.findings = append(r.findings, warning("sshd: Match", "this sshd does not tell which lines it meets: none was looked at", hint))
	}
}

// writesMatch tells whether the configuration has a Match line. It is only a second look, in case that sshd traces them
// in words that are not known here.
func (d Doctor) writesMatch() bool {
	files, _ := filepath.Glob(d.Root + "/etc/ssh/sshd_config.d/*.conf") // the pattern has no mistake
	for _, file := range append(files, d.Root+"/etc/ssh/sshd_config") {
		if text, err := os.ReadFile(file); err == nil && writtenMatch.Match(text) {
			return true
		}
	}
	return false
}

var writtenMatch = regexp.MustCompile(`(?mi)^[ \t]*match[ \t=]`)

// sshdAnswer is what sshd -T says for one connection.
type sshdAnswer struct {
	options map[string]string // by keyword, in lower case
	matches []string          // the conditions of all Match lines
	matched []string          // of those that are for this connection
}

// askSSHD runs sshd -T; spec is for -C. With -ddd sshd also tells which Match lines it meets, in included files too.
func (d Doctor) askSSHD(spec string) (*sshdAnswer, error) {
	args := []string{"-T", "-ddd"}
	if spec != "" {
		args = append(args, "-C", spec)
	}
	ctx, cancel := context.WithTimeout(context.Background(), sshdWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.Root+sshdProgram, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	var out, trace bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trace
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("sshd -T: %w: %s", err, lastWord(trace.String()))
	}
	a := &sshdAnswer{options: map[string]string{}}
	for line := range strings.Lines(out.String()) {
		keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, twice := a.options[keyword]; !twice {
			a.options[keyword] = value
		}
	}
	a.follow(trace.String())
	if a.options["usepam"] == "" {
		return nil, errors.New("sshd -T does not say whether it uses PAM")
	}
	return a, nil
}

// lastWord is the last line that is no tracing.
func lastWord(trace string) string {
	last := ""
	for line := range strings.Lines(trace) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "debug") {
			last = line
		}
	}
	return last
}

var (
	matchLine  = regexp.MustCompile(`^debug3: checking (syntax|match) for '(?:Match )?(.*)'(?: user .*)?(?: on line [0-9]+)?\s*$`)
	matchFound = regexp.MustCompile(`^debug3: match found`)
)

// follow picks the Match lines out of sshd's tracing (servconf.c, match_cfg_line).
func (a *sshdAnswer) follow(trace string) {
	current := ""
	for line := range strings.Lines(trace) {
		if m := matchLine.FindStringSubmatch(line); m != nil {
			current = strings.TrimSpace(m[2])
			if !slices.Contains(a.matches, current) {
				a.matches = append(a.matches, current)
			}
			if m[1] == "match" && strings.EqualFold(current, "all") {
				a.matched = append(a.matched, current) // older sshd does not say so
			}
		} else if matchFound.MatchString(line) {
			a.matched = append(a.matched, current)
		}
	}
}

func (a *sshdAnswer) on(keyword string) bool { return a.options[keyword] == "yes" }

// methods are how a client can authenticate by sshd alone, with the option that allows it.
var methods = map[string]string{
	"publickey": "PubkeyAuthentication", "hostbased": "HostbasedAuthentication",
	"gssapi-with-mic": "GSSAPIAuthentication", "gssapi-keyex": "GSSAPIKeyExchange",
	"password": "PasswordAuthentication", "keyboard-interactive": "KbdInteractiveAuthentication",
}

// withoutCode are those of them that need nothing of PAM, in the order in which they are told.
var withoutCode = []string{"publickey", "hostbased", "gssapi-with-mic", "gssapi-keyex"}

// enabled tells whether a client may use a method.
func (a *sshdAnswer) enabled(method string) bool {
	return a.on(strings.ToLower(methods[plainMethod(method)]))
}

// plainMethod is a method without its device (keyboard-interactive:pam).
func plainMethod(method string) string {
	name, _, _ := strings.Cut(method, ":")
	return name
}

// ways are the lists of AuthenticationMethods that a client can go through; nil if any one method is enough.
func (a *sshdAnswer) ways() [][]string {
	value := a.options["authenticationmethods"]
	if value == "" || value == "any" {
		return nil
	}
	ways := [][]string{}
	for _, list := range strings.Fields(value) {
		way := strings.Split(list, ",")
		if !slices.ContainsFunc(way, func(m string) bool { return !a.enabled(m) }) {
			ways = append(ways, way)
		}
	}
	return ways
}

// asks tells at which place a way asks PAM, and so for the code; -1 if it does not.
func asks(way []string) int {
	return slices.IndexFunc(way, func(m string) bool { return plainMethod(m) == "keyboard-interactive" })
}

// keyFirst tells whether every way shows a key (or what is as good) before PAM is asked.
func (a *sshdAnswer) keyFirst() bool {
	ways := a.ways()
	for _, way := range ways {
		at := asks(way)
		if at >= 0 && !slices.ContainsFunc(way[:at], func(m string) bool { return slices.Contains(withoutCode, m) }) {
			return false
		}
	}
	return ways != nil
}

// judge tells what lets somebody in without a code, or keeps everybody out.
func (a *sshdAnswer) judge(check string) []Finding {
	var found []Finding
	if !a.on("usepam") {
		found = append(found, fault(check, errors.New("UsePAM no: PAM is not asked, so nobody is asked for a code"),
			"write in sshd_config: UsePAM yes"))
	}
	if !a.on("kbdinteractiveauthentication") {
		found = append(found, fault(check, errors.New("KbdInteractiveAuthentication no: nobody can be asked for a code"),
			"write in sshd_config: KbdInteractiveAuthentication yes"))
	}
	ways := a.ways()
	if a.on("passwordauthentication") {
		found = append(found, a.judgePassword(check, ways))
	}
	if ways == nil {
		return append(found, a.judgeMethods(check)...)
	}
	return append(found, judgeWays(check, ways)...)
}

// judgePassword: sshd's older method cannot ask a second question. Where AuthenticationMethods leaves it out nobody gets to
// it.
func (a *sshdAnswer) judgePassword(check string, ways [][]string) Finding {
	const hint = "write in sshd_config: PasswordAuthentication no"
	used := ways == nil || slices.ContainsFunc(ways, func(way []string) bool { return slices.Contains(way, "password") })
	if used || !a.on("usepam") {
		err := errors.New("PasswordAuthentication yes: sshd's older method for passwords cannot ask for a code")
		return fault(check, err, hint)
	}
	return warning(check, "PasswordAuthentication yes has no effect, because AuthenticationMethods does not name it", hint)
}

const keyAndCode = "write in sshd_config: AuthenticationMethods publickey,keyboard-interactive"

// judgeMethods: without AuthenticationMethods each method that is on is enough.
func (a *sshdAnswer) judgeMethods(check string) []Finding {
	var found []Finding
	for _, m := range withoutCode {
		if a.enabled(m) {
			err := fmt.Errorf("%s yes and no AuthenticationMethods: %s alone lets in without a code", methods[m], m)
			found = append(found, fault(check, err, keyAndCode+"; or: "+methods[m]+" no"))
		}
	}
	return found
}

func judgeWays(check string, ways [][]string) []Finding {
	if len(ways) == 0 {
		err := errors.New("nobody can log in: each list of AuthenticationMethods has a method that is switched off")
		return []Finding{fault(check, err, "switch on what AuthenticationMethods names")}
	}
	var found []Finding
	for _, way := range ways {
		if asks(way) < 0 {
			err := fmt.Errorf("AuthenticationMethods has %s, which lets in without a code", strings.Join(way, ","))
			found = append(found, fault(check, err, keyAndCode))
		}
	}
	return found
}

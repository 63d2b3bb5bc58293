package past

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/audit"
	"latchkey/pam/flow/verdict"
)

var noon = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

// reader reads what is about alice on a system below a new root.
func reader(t *testing.T) Reader {
	t.Helper()
	return Reader{Root: t.TempDir(), Clock: func() time.Time { return noon }, User: "alice", Most: 10}
}

// holds puts a file below the root, last written at noon so many days ago.
func (r Reader) holds(t *testing.T, path, text string, days int) {
	t.Helper()
	path = r.Root + path
	at := noon.AddDate(0, 0, -days)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755),
		os.WriteFile(path, []byte(text), 0o640), os.Chtimes(path, at, at)); err != nil {
		t.Fatal(err)
	}
}

// reads demands the reasons of the decisions, in their order.
func (r Reader) reads(t *testing.T, want ...string) *Report {
	t.Helper()
	report, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range report.Decisions {
		got = append(got, d.Reason)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	return report
}

// decided is a line about alice.
func decided(stamp, reason string) string {
	return stamp + ` web1 latchkey: verdict=deny user="alice" service="sshd" from="192.0.2.7" ` +
		"method=none device=\"\" reason=" + reason + " tries=1 ms=4\n"
}

func TestTheFilesOfASyslogDaemonAreReadFromTheNewestOn(t *testing.T) {
	r := reader(t)
	r.holds(t, "/var/log/auth.log", decided("2027-01-31T08:00:00.123456+01:00", "wrong")+
		"2027-01-31T08:00:01+01:00 web1 sshd[12]: Invalid user latchkey: "+allowed+"\n"+
		strings.Replace(decided("2027-01-31T08:00:02+01:00", "ok"), "alice", "bob", 1)+
		"2027-01-31T08:00:03+01:00 web1 latchkey: verdict=deny user=\"al\n"+
		strings.Repeat("x", 200000)+"\n"+
		decided("2027-01-31T09:00:00Z", "locked")+
		strings.TrimSuffix(decided("2027-01-31T10:00:00Z", "state"), "\n"), 0)
	r.holds(t, "/var/log/auth.log.1", decided("Jan 30 23:59:59", "expired"), 1)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, decided("Dec 31 10:00:00", "name"))
	z.Close()
	r.holds(t, "/var/log/auth.log.2.gz", packed.String(), 7)
	r.holds(t, "/var/log/auth.log.3.xz", "packed", 14)
	r.holds(t, "/var/log/auth.log.orig", decided("Jan 31 09:00:00", "service"), 0)
	r.holds(t, "/var/log/syslog", decided("Jan 31 09:00:00", "service"), 0)
	report := r.reads(t, "locked", "wrong", "expired", "name")
	if got, want := report.Decisions[3].At.Year(), 2026; got != want {
		t.Errorf("the last of December is in %d, want %d", got, want)
	}
	if d := report.Decisions[1]; d.At != time.Date(2027, 1, 31, 7, 0, 0, 123456000, time.UTC) ||
		d.Host != "web1" || d.From != "192.0.2.7" {
		t.Errorf("got %+v", d)
	}
	if report.Broken != 1 || len(report.Unread) != 1 || len(report.Sources) != 3 ||
		!report.forgeable {
		t.Errorf("got %+v, want one line that is not whole, one file that is not read, and 3 sources",
			report)
	}
	r.Most = 2
	if report := r.reads(t, "locked", "wrong"); len(report.Sources) != 1 {
		t.Errorf("read %q although the newest file had enough", report.Sources)
	}
}

func TestOneFileMayHaveManyMoreDecisionsThanAreWanted(t *testing.T) {
	r := reader(t)
	var text strings.Builder
	for i := range 1000 {
		text.WriteString(decided("2027-01-31T08:00:00Z", "wrong"))
		if i > 996 {
			text.WriteString(decided("2027-01-31T08:00:00Z", "locked"))
		}
	}
	r.Most = 4
	r.holds(t, "/var/log/secure", text.String(), 0)
	r.reads(t, "locked", "wrong", "locked", "wrong")
}

func TestDecisionsAreChosenByServiceAndAddress(t *testing.T) {
	r := reader(t)
	at := "2027-01-31T08:00:00Z"
	r.holds(t, "/var/log/auth.log", decided(at, "wrong")+
		strings.NewReplacer("sshd", "sudo", "192.0.2.7", "").Replace(decided(at, "locked"))+
		strings.Replace(decided(at, "expired"), "192.0.2.7", "2001:db8::1", 1)+
		strings.Replace(decided(at, "name"), "alice", `al\x0aice`, 1), 0)
	r.reads(t, "expired", "locked", "wrong")
	r.Service = "sudo"
	r.reads(t, "locked")
	r.Service, r.From = "", "2001:0db8:0::0001"
	r.reads(t, "expired")
	r.From = "::ffff:192.0.2.7"
	r.reads(t, "wrong")
	r.User, r.From = "al\nice", ""
	r.reads(t, "name")
	r.User = ""
	r.reads(t, "name", "expired", "locked", "wrong")
}

func TestALogThatOthersMayWriteOrThatIsNoFileIsNotRead(t *testing.T) {
	r := reader(t)
	if _, err := r.Read(); !errors.Is(err, ErrNoLog) {
		t.Errorf("without a log: got error %v, want %v", err, ErrNoLog)
	}
	r.holds(t, "/var/log/auth.log", decided("2027-01-31T08:00:00Z", "ok"), 0)
	if err := os.Chmod(r.Root+"/var/log/auth.log", 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(); err == nil || !strings.Contains(err.Error(), "everyone may write it") {
		t.Errorf("got error %v", err)
	}
	if err := os.Symlink("auth.log", r.Root+"/var/log/secure"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(); err == nil || !strings.Contains(err.Error(), "secure: too many levels") {
		t.Errorf("got error %v", err)
	}
}

// fakeJournal makes a journal that says this, on a system below the root.
func (r Reader) fakeJournal(t *testing.T, script string) {
	t.Helper()
	r.holds(t, "/var/log/journal/machine/system.journal", "", 0)
	r.holds(t, journalctl, "#!/bin/sh\n"+script, 0)
	if err := os.Chmod(r.Root+journalctl, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestAJournalThatCannotBeReadIsAnError(t *testing.T) {
	r := reader(t)
	r.holds(t, "/var/log/auth.log", decided("2027-01-31T08:00:00Z", "ok"), 0)
	r.fakeJournal(t, "echo 'Journal file is truncated' >&2; exit 1\n")
	if _, err := r.Read(); err == nil || !strings.Contains(err.Error(), "Journal file is truncated") {
		t.Errorf("got error %v", err)
	}
}

func TestJournalctlWithoutAJournalIsNone(t *testing.T) {
	r := reader(t)
	r.holds(t, "/var/log/auth.log", decided("2027-01-31T08:00:00Z", "wrong"), 0)
	r.fakeJournal(t, "exit 1\n")
	if err := os.RemoveAll(r.Root + "/var/log/journal/machine"); err != nil {
		t.Fatal(err)
	}
	r.reads(t, "wrong")
}

func TestEveryReasonOfTheLogHasAMeaning(t *testing.T) {
	text, err := os.ReadFile("../../pam/flow/verdict/verdict.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for l := range strings.Lines(string(text)) {
		_, rest, isReason := strings.Cut(l, `Reason = "`)
		reason, _, _ := strings.Cut(rest, `"`)
		if !isReason || strings.Contains(l, "never logged") || reason == "enroll" {
			continue
		}
		n++
		if says[verdict.Reason(reason)] == "" {
			t.Errorf("nothing says what %s means", reason)
		}
	}
	if n < 10 {
		t.Errorf("found %d reasons: this shows nothing", n)
	}
}

// inJournal is set inside the namespaces in which a journal of the test's own runs.
const inJournal = "LATCHKEY_TEST_JOURNAL"

// fill starts systemd's own journald on empty folders and has root, and a user without rights,
// write lines of latchkey's.
const fill = `mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/log
mkdir -p /run/systemd/journal /run/log/journal
journald=/usr/lib/systemd/systemd-journald
[ -x $journald ] || journald=/lib/systemd/systemd-journald
$journald >/dev/null 2>&1 &
until [ -S /run/systemd/journal/io.systemd.journal ]; do :; done
write() { logger -u /run/systemd/journal/dev-log -p authpriv.notice "$@"; }
write -t latchkey "$1"
setpriv --reuid 65534 --regid 65534 --clear-groups logger -u /run/systemd/journal/dev-log \
	-p authpriv.notice -t latchkey "$(echo "$1" | sed s/reason=ok/reason=forged/)"
write -t sshd "Invalid user latchkey: $1"
write -t 'sshd[12]' "latchkey: $2"
write -t latchkey "verdict=allow user=\"al"
logger -u /run/systemd/journal/dev-log -p user.notice -t latchkey "$1"
journalctl --sync
shift 2; exec "$@"`

// bansForRootAlone has journalctl choose lines as fail2ban's example does: otherwise any user could
// have any address banned.
func bansForRootAlone(t *testing.T) {
	t.Helper()
	filter, err := os.ReadFile("../../packaging/examples/fail2ban/latchkey.conf")
	if err != nil {
		t.Fatal(err)
	}
	_, match, _ := strings.Cut(string(filter), "\njournalmatch = ")
	match, _, _ = strings.Cut(match, "\n")
	chosen, err := exec.Command("journalctl", strings.Fields(match)...).CombinedOutput()
	if err != nil || strings.Contains(string(chosen), "forged") ||
		!strings.Contains(string(chosen), "replayed") {
		t.Errorf("fail2ban is told to read %q, %v; want root's lines alone", chosen, err)
	}
}

// The oracle is systemd's journal itself: it says who wrote a line.
func TestTheJournalIsReadAndLinesThatAUserWroteAreNot(t *testing.T) {
	if os.Getenv(inJournal) != "" {
		// as a login does, with [log] format = "json"
		log := audit.Syslog{Journal: "/run/systemd/journal/socket", JSON: true}
		log.Log(audit.Warning, audit.Line{User: "alice", Service: "sshd", Method: "totp",
			Reason: "replayed", Tries: 2})
		if out, err := exec.Command("journalctl", "--sync").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		r := Reader{Clock: time.Now, User: "alice", Most: 10}
		report := r.reads(t, "replayed", "internal", "ok")
		if report.Broken != 1 || report.forgeable || !slices.Equal(report.Sources, []string{"journal"}) {
			t.Errorf("got %+v, want one line that is not whole, from the journal", report)
		}
		if d := report.Decisions; len(d) == 3 && (d[2].Device != "phone" ||
			time.Since(d[2].At) > time.Minute || d[2].Host == "") {
			t.Errorf("got %+v", d)
		}
		r.Most = 1
		r.reads(t, "replayed")
		bansForRootAlone(t)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("skipped: a journal of the test's own takes namespaces, and so root")
	}
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
		"sh", "-ec", fill, "sh", allowed, denied, os.Args[0],
		"-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inJournal+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v: %s", err, out)
	}
}

package gate

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// wantFreshProcess checks what a login program noted about itself with the command report.
func wantFreshProcess(t *testing.T, path, program string, root bool) {
	t.Helper()
	seen := notes(t, path)
	if seen["pid"] == nil {
		t.Fatalf("the login program noted nothing: %v", seen)
	}
	for key, want := range map[string]string{
		"session": seen["pid"][0],
		"death":   "9",
		"umask":   "077",
		"cwd":     "/",
		"environment": "PATH=/usr/sbin:/usr/bin:/sbin:/bin\x00LC_ALL=C\x00GOGC=off\x00" +
			"GOMAXPROCS=1\x00GOTRACEBACK=none\x00",
		"arguments":  program + "\x00",
		"descriptor": "0",
		"scheduling": "0 0 0 1000000",
	} {
		if key == "scheduling" && !(root && has(t, unix.CAP_SYS_NICE)) {
			continue // only root can do better than the application
		}
		if !slices.Equal(seen[key], []string{want}) {
			t.Errorf("%s: %q, want %q", key, seen[key], want)
		}
	}
	status := seen["status"][0]
	want := []string{
		"SigPnd:\t0+", "ShdPnd:\t0+", "SigBlk:\t0+", "SigIgn:\t0+", "SigCgt:\t0+", "Threads:\t1",
	}
	if root {
		want = append(want, "Uid:\t0\t0\t0\t0", "Gid:\t0\t0\t0\t0", "Groups:\t ?")
	}
	for _, line := range want {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(status) {
			t.Errorf("no line %q in\n%s", line, status)
		}
	}
	if root {
		wantLimits(t, seen["limits"][0])
	}
}

const unlimited = ^uint64(0)

// wantLimits checks the fixed table. Without CAP_SYS_RESOURCE no process can exceed the hard
// limits of this machine.
func wantLimits(t *testing.T, limits string) {
	t.Helper()
	for name, want := range map[string]struct {
		what       int
		soft, hard uint64
	}{
		"Max core file size":  {unix.RLIMIT_CORE, 0, 0},
		"Max cpu time":        {unix.RLIMIT_CPU, 60, 60},
		"Max file size":       {unix.RLIMIT_FSIZE, 16 << 20, 16 << 20},
		"Max address space":   {unix.RLIMIT_AS, unlimited, unlimited},
		"Max data size":       {unix.RLIMIT_DATA, 512 << 20, 512 << 20},
		"Max stack size":      {unix.RLIMIT_STACK, 8 << 20, unlimited},
		"Max open files":      {unix.RLIMIT_NOFILE, 3, 64},
		"Max processes":       {unix.RLIMIT_NPROC, unlimited, unlimited},
		"Max locked memory":   {unix.RLIMIT_MEMLOCK, 8 << 20, 8 << 20},
		"Max pending signals": {unix.RLIMIT_SIGPENDING, 1024, 1024},
	} {
		if !mayRaiseLimits(t) {
			var own unix.Rlimit
			if err := unix.Getrlimit(want.what, &own); err != nil {
				t.Fatal(err)
			}
			want.soft, want.hard = min(want.soft, own.Max), min(want.hard, own.Max)
		}
		line := regexp.MustCompile(`(?m)^` + name + ` +(\S+) +(\S+)`).FindStringSubmatch(limits)
		if line == nil || line[1] != limit(want.soft) || line[2] != limit(want.hard) {
			t.Errorf("%s: %q, want %s and %s", name, line, limit(want.soft), limit(want.hard))
		}
	}
}

func limit(n uint64) string {
	if n == unlimited {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}

func mayRaiseLimits(t *testing.T) bool {
	t.Helper()
	may := has(t, unix.CAP_SYS_RESOURCE)
	if !may {
		t.Log("no CAP_SYS_RESOURCE here: hostile hard limits, which the module then raises " +
			"again, are not tried")
	}
	return may
}

// has reports whether this process has a capability.
func has(t *testing.T, capability int) bool {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
	return data[0].Effective&(1<<capability) != 0
}

func TestLoginProgramIsAFreshProcess(t *testing.T) {
	t.Setenv("GODEBUG", "http2debug=1")
	t.Setenv("SSL_CERT_FILE", "/tmp/evil")
	t.Setenv("LD_PRELOAD", "")
	path := filepath.Join(t.TempDir(), "notes")
	a := newAttempt(t, "notes="+path, "report", send("V2 allow")).at(t)
	if o := a.authenticate(); o.code != pamSuccess {
		t.Fatalf("code %d, log %q", o.code, o.log)
	}
	wantFreshProcess(t, path, a.program, asRoot(t))
}

func TestLoginProgramIsAFreshProcessInEveryApplication(t *testing.T) {
	for _, options := range append(oddHosts(t), []string{"uid=su"},
		[]string{"uid=su", "limits=hostile", "signals=ignored", "stdio=closed"},
		[]string{"uid=su", "scheduling=idle"}) {
		t.Run(strings.Join(options, " "), func(t *testing.T) {
			module := must(t, buildModule)
			path := filepath.Join(writable(t), "notes")
			h := newHost(t, module, "notes="+path, "report", send("Qcode"), "receive",
				send("V2 allow"))
			h.environment = []string{
				"GODEBUG=http2debug=1", "SSL_CERT_FILE=/tmp/evil",
				"HTTPS_PROXY=http://127.0.0.1:1", "TMPDIR=/nonexistent", "TZ=/etc/shadow",
			}
			wantUnharmed(t, h.run(t, options...), pamSuccess)
			wantFreshProcess(t, path, loginOf(module), asRoot(t))
		})
	}
}

func TestAnApplicationWithoutPrivilegeGetsALoginProgramWithoutPrivilege(t *testing.T) {
	if !asRoot(t) {
		return
	}
	path := filepath.Join(writable(t), "notes")
	module := must(t, buildModule)
	h := newHost(t, module, "notes="+path, "report", send("V2 allow"))
	wantUnharmed(t, h.run(t, "uid=nobody", "descriptors=inheritable", "umask=0"), pamSuccess)
	wantFreshProcess(t, path, loginOf(module), false)
	status := notes(t, path)["status"][0]
	if !strings.Contains(status, "Uid:\t65534\t65534\t65534\t65534") {
		t.Errorf("status\n%s", status)
	}
}

package terminal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/sshd/terminal"
)

func echoes() bool {
	state, err := unix.IoctlGetTermios(0, unix.TCGETS)
	return err != nil || state.Lflag&unix.ECHO != 0
}

// witness is the terminal; it notes whether that echoed when a prompt was written to it.
type witness struct {
	io.Writer
	echoed bool
}

func (w *witness) Write(text []byte) (int, error) {
	w.echoed = w.echoed || strings.Contains(string(text), "Password") && echoes()
	return w.Writer.Write(text)
}

// askHiddenAndDie asks for a password, and ends itself by the signal of its first argument once
// nothing echoes.
func askHiddenAndDie() {
	c := New(os.Stdin, os.Stdout, os.Stderr)
	w := &witness{Writer: os.Stdout}
	c.Out = w
	if n, _ := strconv.Atoi(os.Args[1]); n != 0 {
		go func() {
			for echoes() {
			}
			unix.Kill(os.Getpid(), unix.Signal(n))
		}()
	}
	answer, err := c.AskHidden("Password: ")
	fmt.Printf("got %q, %v; the prompt was seen with echo: %v\n", answer, err, w.echoed)
}

// asked runs askHiddenAndDie from a shell, which then tells how it left the terminal.
func asked(t *testing.T, by unix.Signal) *terminal.Terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "hidden")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf(`"$0" %d; echo; stty -a`, by)
	term, err := terminal.New([]string{"sh", "-c", line, name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	return term
}

func TestTheTerminalEchoesAfterAHiddenPromptHoweverItEnded(t *testing.T) {
	for _, by := range []unix.Signal{
		unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGABRT,
		unix.SIGTRAP, unix.SIGSYS, unix.SIGSEGV, unix.SIGPIPE,
	} {
		t.Run(unix.SignalName(by), func(t *testing.T) {
			term := asked(t, by)
			seen(t, term, `[ ;]-?icrnl`)
			ends(t, term)
			if !strings.Contains(term.Seen(), " echo ") {
				t.Errorf("seen: %s", term.Seen())
			}
		})
	}
}

func TestAHiddenPromptIsSeenOnlyOnceNothingEchoes(t *testing.T) {
	term := asked(t, 0)
	seen(t, term, "Password: ")
	if err := term.Type("secret"); err != nil {
		t.Fatal(err)
	}
	seen(t, term, `got "secret", <nil>; the prompt was seen with echo: false`)
	ends(t, term)
	if strings.Count(term.Seen(), "secret") != 1 || !strings.Contains(term.Seen(), " echo ") {
		t.Errorf("seen: %s", term.Seen())
	}
}

// TestMain runs the tests, or what the tests run on a terminal of their own.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "hidden" {
		askHiddenAndDie()
		return
	}
	os.Exit(m.Run())
}

// seen waits until the terminal shows what matches the pattern.
func seen(t *testing.T, term *terminal.Terminal, pattern string) {
	t.Helper()
	if err := term.Expect(pattern); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the shell, which succeeds.
func ends(t *testing.T, term *terminal.Terminal) {
	t.Helper()
	if status, err := term.Exit(); err != nil || status != 0 {
		t.Errorf("got exit status %d, %v; want 0", status, err)
	}
}

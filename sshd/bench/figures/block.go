package figures

import (
	"fmt"
	"os"
	"strings"
)

// The lines between which a page has a run.
const (
	begin = "<!-- make bench writes from here -->\n"
	end   = "<!-- to here -->\n"
)

// Put puts text between the two lines of the page at path, in place of what is there.
func Put(path, text string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, started := strings.Cut(string(page), begin)
	_, after, ended := strings.Cut(rest, end)
	if !started || !ended {
		return fmt.Errorf("%s: no place for figures; it needs the lines %q and %q", path, begin, end)
	}
	whole := before + begin + strings.TrimRight(text, "\n") + "\n" + end + after
	return os.WriteFile(path, []byte(whole), 0o644)
}

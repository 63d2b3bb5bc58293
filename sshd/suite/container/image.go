package container

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// Image gives the image of a release, making it from Debian's packages unless the engine has it
// already. The tag is a hash of what went in, so a changed list of packages is a new image.
func (e *Engine) Image(release string, packages []string, progress io.Writer) (string, error) {
	recipe := release + " " + strings.Join(packages, ",")
	name := fmt.Sprintf("localhost/latchkey-sshd:%s-%x", release,
		sha256.Sum256([]byte(recipe)))[:50]
	if _, err := e.Run(nil, "image", "inspect", name); err == nil {
		return name, nil
	}
	fmt.Fprintf(progress, "making the %s image from Debian's packages, once\n", release)
	args := []string{"--variant=minbase", "--include=" + strings.Join(packages, ","), release, "-"}
	bootstrap := exec.Command("mmdebstrap", append(args, Mirrors(release)...)...)
	var stderr bytes.Buffer
	bootstrap.Stderr = &stderr
	tar, err := bootstrap.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := bootstrap.Start(); err != nil {
		return "", fmt.Errorf("make the %s image: %w", release, err)
	}
	_, imported := e.Run(tar, "import", "-", name)
	if err := bootstrap.Wait(); err != nil {
		_, _ = e.Run(nil, "image", "rm", name)
		return "", fmt.Errorf("make the %s image: mmdebstrap: %v: %s", release, err,
			LastLines(stderr.String(), 5))
	}
	return name, imported
}

// target is a line of `apt-get indextargets`: site and release.
var target = regexp.MustCompile(`^(\S+) (\S+) Debian main$`)

// Mirrors gives sources lines for the release on the machine's own Debian mirrors. None:
// mmdebstrap's own choice.
func Mirrors(release string) []string {
	out, err := exec.Command("apt-get", "indextargets", "--format",
		"$(SITE) $(RELEASE) $(ORIGIN) $(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return nil
	}
	var lines []string
	for _, line := range strings.Split(string(out), "\n") {
		m := target.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		_, pocket, _ := strings.Cut(m[2], "-")
		archive := release
		if pocket != "" {
			archive += "-" + pocket
		}
		if source := "deb " + m[1] + " " + archive + " main"; !slices.Contains(lines, source) {
			lines = append(lines, source)
		}
	}
	return lines
}

// LastLines are the last of a text's lines.
func LastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

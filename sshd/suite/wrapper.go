package suite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// answer puts the askpass program and what it answers into a folder.
func (c OpenSSH) answer(dir string) error {
	files := map[string]string{
		"askpass": askpass, "password": c.Password + "\n", "count": "0\n", "prompts": "",
	}
	for i, code := range c.Codes {
		files[fmt.Sprintf("code.%d", i)] = code + "\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// asking is the environment in which OpenSSH's client has the folder's askpass program answer.
func asking(dir string) []string {
	return []string{
		"SSH_ASKPASS=" + filepath.Join(dir, "askpass"), "SSH_ASKPASS_REQUIRE=force",
		"SSH_AUTH_SOCK=",
	}
}

// asked are the prompts that were answered so far.
func asked(dir string) (prompts []string, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "prompts"))
	if all := strings.TrimSpace(string(text)); all != "" {
		prompts = strings.Split(all, "\n")
	}
	return prompts, err
}

// Wrapped is OpenSSH's ssh as a program, for those that run one: rsync, git, sshfs, mosh.
type Wrapped struct {
	Path string // of the program
	dir  string
}

// Wrap writes a program that is ssh with the run's options and answers, into a folder of its own.
func (s *Server) Wrap(c OpenSSH, dir string) (*Wrapped, error) {
	if err := c.answer(dir); err != nil {
		return nil, err
	}
	var words []string
	for _, word := range append(append([]string{"env"}, asking(dir)...), s.Command(c)...) {
		words = append(words, "'"+strings.ReplaceAll(word, "'", `'\''`)+"'")
	}
	w := &Wrapped{Path: filepath.Join(dir, "ssh"), dir: dir}
	script := "#!/bin/sh\nexec " + strings.Join(words, " ") + " \"$@\"\n"
	return w, os.WriteFile(w.Path, []byte(script), 0o700)
}

// CodePrompts counts the prompts so far that were not for a password.
func (w *Wrapped) CodePrompts() (int, error) {
	prompts, err := asked(w.dir)
	return (&Run{Prompts: prompts}).CodePrompts(), err
}

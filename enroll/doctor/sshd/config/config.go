// Package config reads sshd_config.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

const (
	sizeLimit  = 4 << 20 // of one file
	depthLimit = 16      // of includes, as in sshd
)

// Config is sshd_config with its includes, in the order in which sshd reads it.
type Config struct {
	Settings []*Setting
	Blocks   []*Block // every Match line
}

// Setting is one line that sets something.
type Setting struct {
	File    string
	Number  int
	Keyword string // in lower case, aliases resolved
	Values  []string
	Under   *Block // nil: for every connection
}

// Place is where the line stands: file:line.
func (s *Setting) Place() string { return fmt.Sprintf("%s:%d", s.File, s.Number) }

// Block is a Match line.
type Block struct {
	File     string
	Number   int
	Text     string // the conditions as they are written
	Criteria []Criterion
	Unread   string // why its conditions cannot be represented; "" as a rule
	Outer    *Block // that of the line that includes this one's file
	Settings []*Setting
}

// Place is where the line stands: file:line.
func (b *Block) Place() string { return fmt.Sprintf("%s:%d", b.File, b.Number) }

// aliases are older names of keywords.
var aliases = map[string]string{
	"challengeresponseauthentication": "kbdinteractiveauthentication",
	"skeyauthentication":              "kbdinteractiveauthentication",
	"pubkeyacceptedkeytypes":          "pubkeyacceptedalgorithms",
}

// Read reads the configuration in file below root. One that is missing is empty: sshd itself
// says so.
func Read(root, file string) (*Config, error) {
	r := &reader{root: root, config: &Config{}}
	err := r.file(file, nil, 0)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return r.config, err
}

type reader struct {
	root   string
	config *Config
}

// file reads one file; what it sets is under a Match line if the line that includes it is.
func (r *reader) file(name string, under *Block, depth int) error {
	if depth > depthLimit {
		return fmt.Errorf("%s: includes are nested more than %d deep", name, depthLimit)
	}
	text, err := readFile(r.root + name)
	if err != nil {
		return err
	}
	outer, number := under, 0
	for line := range strings.Lines(text) {
		number++
		keyword, rest := CutKeyword(line)
		switch {
		case keyword == "":
		case keyword == "match":
			under = r.match(name, number, rest, outer)
		case keyword == "include":
			err = r.include(rest, under, depth)
		default:
			r.set(name, number, keyword, rest, under)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readFile(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !st.Mode().IsRegular() || st.Size() > sizeLimit {
		return "", fmt.Errorf("%s: not a regular file of at most %d bytes", path, sizeLimit)
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

func (r *reader) match(file string, number int, text string, outer *Block) *Block {
	b := &Block{File: file, Number: number, Text: text, Outer: outer}
	var err error
	if b.Criteria, err = parseCriteria(text); err != nil {
		b.Unread = err.Error()
	}
	r.config.Blocks = append(r.config.Blocks, b)
	return b
}

func (r *reader) set(file string, number int, keyword, rest string, under *Block) {
	values, _ := words(rest) // what has open quotes sshd refuses
	if alias, ok := aliases[keyword]; ok {
		keyword = alias
	}
	s := &Setting{file, number, keyword, values, under}
	r.config.Settings = append(r.config.Settings, s)
	if under != nil {
		under.Settings = append(under.Settings, s)
	}
}

func (r *reader) include(rest string, under *Block, depth int) error {
	for _, pattern := range Patterns(rest) {
		files, err := Matching(r.root, pattern)
		if err != nil {
			return fmt.Errorf("include %q: %w", pattern, err)
		}
		for _, file := range files {
			err := r.file(file, under, depth+1)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"latchkey/sshd/bench/figures"
	"latchkey/sshd/bench/plot"
)

// Where README shows what was measured, from the repository's top folder.
const (
	page    = "README.md"
	spread  = "packaging/doc/benchmark.md"
	picture = "packaging/doc/bench.svg"
)

// publish writes a run into a folder, and with readme also into the pages.
func publish(r *figures.Run, dir string, readme bool, out io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	table, svg := r.Markdown(), plot.SVG(r)
	fmt.Fprintf(out, "%s\n", table)
	if err := r.Save(filepath.Join(dir, "bench.json")); err != nil {
		return err
	}
	for name, text := range map[string]string{"bench.md": table, "bench.svg": svg} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if !readme {
		return nil
	}
	if err := os.WriteFile(picture, []byte(svg), 0o644); err != nil {
		return err
	}
	return errors.Join(figures.Put(page, table), figures.Put(spread, r.Spread()))
}

package server

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// unitDirs are where systemd looks for units, the first folder first (systemunit(root, 5)).
var unitDirs = []string{"/etc/systemd/system/", "/run/systemd/system/", "/usr/lib/systemd/system/",
	"/lib/systemd/system/"}

// enabled are the command lines of systemd's units that are started with the machine and run
// sshd.
func enabled(root string) (all [][]string) {
	for _, pattern := range []string{"*.wants", "*.requires"} {
		links, _ := filepath.Glob(root + "/etc/systemd/system/" + pattern + "/*.service")
		for _, link := range links {
			all = append(all, unit(root, filepath.Base(link))...)
		}
	}
	return all
}

// unit are the commands of a unit that run sshd, as its file and its drop-ins together say, with
// the variables of its files.
func unit(root, name string) (all [][]string) {
	variables := map[string]string{}
	for line := range strings.Lines(unitText(root, name)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case key == "Environment":
			assign(strings.Join(assignment.FindAllString(value, -1), "\n"), variables)
		case key == "EnvironmentFile":
			text, _ := os.ReadFile(root + strings.TrimPrefix(value, "-")) // it may be missing
			assign(string(text), variables)
		case key == "ExecStart" && value == "": // what stood before is void
			all = nil
		case key == "ExecStart":
			all = append(all, strings.Fields(value))
		}
	}
	for i, words := range all {
		text := os.Expand(strings.Join(words, " "), func(v string) string { return variables[v] })
		all[i] = strings.Fields(strings.TrimLeft(text, "-+!@:"))
	}
	return slices.DeleteFunc(all, func(words []string) bool {
		return len(words) == 0 || !strings.HasPrefix(filepath.Base(words[0]), "sshd")
	})
}

// unitText is a unit's file and its drop-ins, one after the other, for an instance with its name
// filled in.
func unitText(root, name string) string {
	names := []string{name}
	before, instance, _ := strings.Cut(strings.TrimSuffix(name, ".service"), "@")
	if instance != "" {
		names = append(names, before+"@.service")
	}
	text := firstUnit(root, names)
	for _, file := range dropIns(root, names) {
		more, _ := os.ReadFile(file) // systemd passes over what it cannot read
		text += "\n" + string(more)
	}
	text = strings.ReplaceAll(text, "\\\n", " ")
	return strings.NewReplacer("%i", instance, "%I", instance).Replace(text)
}

// firstUnit is the file that counts.
func firstUnit(root string, names []string) string {
	for _, name := range names {
		for _, dir := range unitDirs {
			if text, err := os.ReadFile(root + dir + name); err == nil {
				return string(text)
			}
		}
	}
	return ""
}

// dropIns are the files that add to a unit, in the order in which systemd reads them: by their
// names, of which the first folder's counts.
func dropIns(root string, names []string) (files []string) {
	known := map[string]bool{}
	for _, dir := range unitDirs {
		for _, name := range names {
			found, _ := filepath.Glob(root + dir + name + ".d/*.conf")
			for _, file := range found {
				if base := filepath.Base(file); !known[base] {
					known[base] = true
					files = append(files, file)
				}
			}
		}
	}
	slices.SortFunc(files, func(a, b string) int {
		return strings.Compare(filepath.Base(a), filepath.Base(b))
	})
	return files
}

// assignment is one of those behind Environment=, which may be quoted as a whole.
var assignment = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)

// assign takes down NAME=value lines.
func assign(text string, into map[string]string) {
	for line := range strings.Lines(text) {
		key, value, assigned := strings.Cut(strings.Trim(strings.TrimSpace(line), `"'`), "=")
		if assigned && !strings.HasPrefix(key, "#") {
			into[key] = strings.Trim(value, `"'`)
		}
	}
}

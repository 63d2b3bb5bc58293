package doctor

import (
	"bufio"
	"os"
	"path"
	"slices"
	"strings"
)

// mostConnections bounds how often sshd is asked.
const mostConnections = 64

// usual is the connection that nothing in a Match line speaks of; the addresses are those of RFC 5737.
var usual = []struct{ key, value string }{
	{"user", "somebody"}, {"host", "host.example"}, {"addr", "192.0.2.1"},
	{"laddr", "192.0.2.2"}, {"lport", "22"}, {"rdomain", ""},
}

// connections are specs for sshd -C: all combinations of the usual connection and of what each Match line is for. Without
// Match lines there are none. all tells whether these are all combinations.
func (d Doctor) connections(matches []string) (specs []string, all bool) {
	if len(matches) == 0 {
		return nil, true
	}
	values := map[string][]string{}
	for _, u := range usual {
		values[u.key] = []string{u.value}
	}
	values["user"] = append(values["user"], "root")
	for _, m := range matches {
		for key, value := range d.example(m) {
			if value != "" && !slices.Contains(values[key], value) {
				values[key] = append(values[key], value)
			}
		}
	}
	specs = []string{""}
	for _, u := range usual {
		specs = combine(specs, u.key, values[u.key])
	}
	if len(specs) > mostConnections {
		return d.singly(matches), false
	}
	return specs, true
}

// combine adds each value to each spec. An empty value is left out, and so is one that would be taken for two.
func combine(specs []string, key string, values []string) []string {
	var all []string
	for _, spec := range specs {
		for _, value := range values {
			switch {
			case strings.ContainsAny(value, ", \t"):
			case value == "":
				all = append(all, spec)
			default:
				all = append(all, strings.TrimPrefix(spec+","+key+"="+value, ","))
			}
		}
	}
	return all
}

// singly gives one connection for each Match line, as many as may be.
func (d Doctor) singly(matches []string) []string {
	var specs []string
	for _, m := range matches[:min(len(matches), mostConnections)] {
		example, spec := d.example(m), []string{""}
		for _, u := range usual {
			value, ok := example[u.key]
			if !ok {
				value = u.value
			}
			spec = combine(spec, u.key, []string{value})
		}
		specs = append(specs, spec...)
	}
	return specs
}

// keys are the criteria of sshd_config(5) and their names in -C.
var keys = map[string]string{
	"user": "user", "group": "user", "host": "host", "address": "addr",
	"localaddress": "laddr", "localport": "lport", "rdomain": "rdomain",
}

// example makes up a connection that the conditions of a Match line are for. Whether it is, sshd says.
func (d Doctor) example(conditions string) map[string]string {
	values := map[string]string{}
	words := strings.Fields(strings.ReplaceAll(conditions, `"`, ""))
	for len(words) >= 2 {
		key, known := keys[strings.ToLower(words[0])]
		patterns := strings.Split(words[1], ",")
		switch {
		case !known: // all, invalid-user, or what newer versions have
			words = words[1:]
			continue
		case strings.EqualFold(words[0], "group"):
			values[key] = d.member(patterns)
		default:
			values[key] = instance(key, patterns)
		}
		words = words[2:]
	}
	return values
}

// instance is a value that the first pattern that is no exception is for.
func instance(key string, patterns []string) string {
	filler := "x"
	if strings.HasSuffix(key, "addr") {
		filler = "1"
	}
	for _, pattern := range patterns {
		if strings.HasPrefix(pattern, "!") || pattern == "*" {
			continue
		}
		if key == "addr" || key == "laddr" {
			pattern, _, _ = strings.Cut(pattern, "/")
		}
		return strings.NewReplacer("*", filler, "?", filler).Replace(pattern)
	}
	i := slices.IndexFunc(usual, func(u struct{ key, value string }) bool { return u.key == key })
	return usual[i].value
}

// member is somebody in one of the groups, as the files say; empty if nobody is.
func (d Doctor) member(patterns []string) string {
	ids := map[string]bool{}
	for _, group := range d.table("/etc/group") {
		fits := func(pattern string) bool { ok, _ := path.Match(pattern, group[0]); return ok }
		if len(group) < 4 || !slices.ContainsFunc(patterns, fits) {
			continue
		}
		if first, _, _ := strings.Cut(group[3], ","); first != "" {
			return first
		}
		ids[group[2]] = true
	}
	for _, user := range d.table("/etc/passwd") {
		if len(user) >= 4 && ids[user[3]] {
			return user[0]
		}
	}
	return ""
}

// table reads a file of lines with colons; what cannot be read is empty.
func (d Doctor) table(file string) (rows [][]string) {
	f, err := os.Open(d.Root + file)
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		rows = append(rows, strings.Split(lines.Text(), ":"))
	}
	return rows
}

package journal

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Lines are what an activation wrote into a file, and what stood in their place.
type Lines struct {
	Put string `json:"put,omitempty"`
	For string `json:"for,omitempty"`
}

// between are the lines by which two texts differ.
func between(before, after string) Lines {
	old, new := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	for len(old) > 0 && len(new) > 0 && old[0] == new[0] {
		old, new = old[1:], new[1:]
	}
	for len(old) > 0 && len(new) > 0 && old[len(old)-1] == new[len(new)-1] {
		old, new = old[:len(old)-1], new[:len(new)-1]
	}
	return Lines{Put: strings.Join(new, ""), For: strings.Join(old, "")}
}

// outOf returns a text with what stood there before in the place of the lines. ok is false unless
// they are there together, as they were written, once.
func (l Lines) outOf(text string) (rest string, ok bool) {
	const edge = "\n"
	put, in := edge+l.Put, edge+text
	if l.Put == "" || !strings.HasSuffix(put, edge) || strings.Count(in, put) != 1 {
		return text, false
	}
	return strings.Replace(in, put, edge+l.For, 1)[len(edge):], true
}

// takeOut is Restore for a file that others have changed: it takes the lines of the activation out
// and leaves theirs. It returns Other, and changes nothing, if others have changed the lines
// themselves, or put something that is not a file in its place.
func (s Store) takeOut(f File) (Holds, error) {
	var st unix.Stat_t
	if unix.Lstat(s.Root+f.Path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return Other, nil
	}
	data, err := os.ReadFile(s.Root + f.Path)
	if err != nil {
		return Other, err
	}
	rest, ok := f.Lines.outOf(string(data))
	if !ok {
		return Other, nil
	}
	f.Mode, f.UID, f.GID = st.Mode&0o7777, int(st.Uid), int(st.Gid)
	return Theirs, s.replace(f, []byte(rest))
}

package apparmor

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The kinds of elements of what apparmor_parser writes for the kernel.
const (
	kindU8 = iota
	kindU16
	kindU32
	kindU64
	kindName
	kindText
	kindBlob
	kindBegin
	kindEnd
	kindList
	kindListEnd
	kindArray
	kindArrayEnd
)

var errStream = errors.New("the compiled profile ends early")

// element is a value, with the name before it, if any.
type element struct {
	kind byte
	name string
	data []byte
}

// Compiled reads what `apparmor_parser --stdout` has written.
func Compiled(stream []byte) (all Profiles, err error) {
	var within []string // structs
	for len(stream) > 0 {
		var e element
		if e, stream, err = first(stream); err != nil {
			return nil, err
		}
		switch e.kind {
		case kindBegin:
			within = append(within, e.name)
			switch e.name {
			case "profile":
				all = append(all, &Profile{})
			case "flags":
				all[len(all)-1].opened = true
			}
		case kindEnd:
			within = within[:len(within)-1]
		case kindU32, kindText, kindBlob:
			if len(within) > 0 {
				err = all[len(all)-1].take(e, within[len(within)-1])
			}
		}
		if err != nil {
			return nil, err
		}
	}
	for _, p := range all {
		if p.files == nil || p.capabilities == nil {
			return nil, fmt.Errorf("profile %s has no rules for files or capabilities", p.Name)
		}
	}
	return all, nil
}

// take keeps what matters here: the name, the machine for programs, the capabilities, and the
// machine for files.
func (p *Profile) take(e element, within string) (err error) {
	switch {
	case within != "profile":
	case e.kind == kindText && e.name == "" && p.Name == "":
		p.Name = string(e.data[:len(e.data)-1])
	case e.kind == kindU32 && e.name == "" && p.opened && p.capabilities == nil:
		allowed := binary.LittleEndian.Uint32(e.data)
		p.capabilities = &allowed
	case e.kind == kindBlob && p.opened:
		p.files, err = newMachine(e.data)
	case e.kind == kindBlob:
		p.attach, err = newMachine(e.data)
	}
	return err
}

// first takes one element off.
func first(stream []byte) (e element, rest []byte, err error) {
	if e.kind, rest, err = one(stream); err != nil {
		return e, nil, err
	}
	if e.kind == kindName {
		var tag []byte
		if tag, rest, err = sized(rest, 2); err != nil || len(tag) == 0 {
			return e, nil, errStream
		}
		e.name = string(tag[:len(tag)-1])
		if e.kind, rest, err = one(rest); err != nil {
			return e, nil, err
		}
	}
	switch e.kind {
	case kindU8, kindU16, kindU32, kindU64:
		e.data, rest, err = cut(rest, 1<<e.kind)
	case kindText:
		e.data, rest, err = sized(rest, 2)
	case kindBlob:
		e.data, rest, err = sized(rest, 4)
	case kindArray:
		e.data, rest, err = cut(rest, 2)
	case kindBegin, kindEnd, kindList, kindListEnd, kindArrayEnd:
	default:
		err = fmt.Errorf("a compiled profile has an element of kind %d", e.kind)
	}
	return e, rest, err
}

func one(data []byte) (byte, []byte, error) {
	head, rest, err := cut(data, 1)
	if err != nil {
		return 0, nil, err
	}
	return head[0], rest, nil
}

func cut(data []byte, n int) (head, rest []byte, err error) {
	if len(data) < n {
		return nil, nil, errStream
	}
	return data[:n], data[n:], nil
}

// sized takes off bytes whose number comes before them.
func sized(data []byte, width int) (head, rest []byte, err error) {
	size, rest, err := cut(data, width)
	if err != nil {
		return nil, nil, err
	}
	n := int(binary.LittleEndian.Uint16(size))
	if width == 4 {
		n = int(binary.LittleEndian.Uint32(size))
	}
	return cut(rest, n)
}

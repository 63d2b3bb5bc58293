// Package names asks the name service as the gate does at a login, with the gate's own code:
// names.c, sources.c and users.c are compiled into pam_latchkey.so as well.
package names

// #cgo CFLAGS: -std=gnu11 -Wall -fvisibility=hidden
// #include <stdlib.h>
// #include "names.h"
import "C"

import (
	"errors"
	"unsafe"
)

// Account is a user as the name service describes them, or one it does not know.
type Account struct{ c C.struct_gate_account }

// LookUp asks for a user by name.
func LookUp(user string) *Account {
	name := C.CString(user)
	// SAFETY: a NUL-terminated copy of ours, which is only read.
	defer C.free(unsafe.Pointer(name))
	a := &Account{}
	C.gate_look_up(&a.c, name)
	return a
}

// InGroup reports whether the user is in a group or, after "@", in a netgroup. An error says that
// this is unknown, and why: the name service fails, or there is no such group.
func (a *Account) InGroup(group string) (bool, error) {
	name := C.CString(group)
	// SAFETY: a NUL-terminated copy of ours, which is only read; why has the size that the C
	// expects.
	defer C.free(unsafe.Pointer(name))
	var why [C.NAMES_WHY]C.char
	switch in := C.gate_in_group(&a.c, name, &why[0]); in {
	case 0, 1:
		return in == 1, nil
	}
	return false, errors.New(C.GoString(&why[0]))
}

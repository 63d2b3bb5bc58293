package main

// #include <netdb.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"unsafe"
)

// inGroup tells whether a user is in a group, or behind "@" a netgroup, as the gate does at a login: a group that does not exist
// has no members, and a name service that cannot tell is an error.
func inGroup(name, group string) (bool, error) {
	if netgroup, ok := strings.CutPrefix(group, "@"); ok {
		return inNetgroup(name, netgroup), nil
	}
	g, err := user.LookupGroup(group)
	if unknown := user.UnknownGroupError(""); errors.As(err, &unknown) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the group %q: %w", group, err)
	}
	u, err := user.Lookup(name)
	if err != nil {
		return false, fmt.Errorf("look up the user %q: %w", name, err)
	}
	ids, err := u.GroupIds()
	return slices.Contains(ids, g.Gid), err
}

func inNetgroup(name, netgroup string) bool {
	cNetgroup, cName := C.CString(netgroup), C.CString(name)
	// SAFETY: both are NUL-terminated copies of ours, which innetgr(3) only reads, freed when it has returned.
	defer C.free(unsafe.Pointer(cNetgroup))
	defer C.free(unsafe.Pointer(cName))
	return C.innetgr(cNetgroup, nil, cName, nil) == 1
}

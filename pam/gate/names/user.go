package names

/*
#cgo LDFLAGS: -ldl
#define _GNU_SOURCE
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include "names.h"

// SAFETY: the caller owns all that the arguments point to. errno is set first, since a source
// that fails without one would look like "not found".
static int by_name(const char *name, struct passwd *entry, char *room, size_t size,
		   struct passwd **found)
{
	errno = EIO;
	return getpwnam_r(name, entry, room, size, found);
}

// The next user that is listed; 0 at the end, or where that is not known.
static int next_user(struct passwd *entry, char *room, size_t size)
{
	struct passwd *found = NULL;

	return getpwent_r(entry, room, size, &found) == 0 && found;
}

static int by_uid(uid_t uid, struct passwd *entry, char *room, size_t size, struct passwd **found)
{
	errno = EIO;
	return getpwuid_r(uid, entry, room, size, found);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"unsafe"
)

// User is a user as the name service spells them.
type User struct {
	Name string
	UID  uint32
	Home string
}

// ErrUnknown says that every source of users was asked and has no such user. No other error means
// that.
var ErrUnknown = errors.New("no such user")

// ErrUntold says that the name service failed to answer: the user may exist.
var ErrUntold = errors.New("the name service cannot tell")

// Lookup finds a user by name. The error matches ErrUnknown or ErrUntold.
func Lookup(name string) (User, error) {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c)) // SAFETY: made by CString and used only until here
	return find(func(entry *C.struct_passwd, room *C.char, size C.size_t,
		found **C.struct_passwd) C.int {
		return C.by_name(c, entry, room, size, found)
	}, func(why *C.char) C.int { return C.names_no_such_user(c, why) }, strconv.Quote(name))
}

// LookupID finds a user by uid. Errors are those of Lookup.
func LookupID(uid uint32) (User, error) {
	return find(func(entry *C.struct_passwd, room *C.char, size C.size_t,
		found **C.struct_passwd) C.int {
		return C.by_uid(C.uid_t(uid), entry, room, size, found)
	}, func(why *C.char) C.int { return C.names_no_such_uid(C.uid_t(uid), why) },
		fmt.Sprint("with uid ", uid))
}

// Listed returns the uids of all users that the name service lists. It may know others; a user who is
// listed is the one that Lookup finds.
func Listed() map[string]uint32 {
	// SAFETY: room and entry are C's memory, since entry is made to point into room; both are
	// freed on return, after the fields were copied.
	room, entry := C.malloc(mostRoom), (*C.struct_passwd)(C.malloc(C.sizeof_struct_passwd))
	defer C.free(room)
	defer C.free(unsafe.Pointer(entry))
	all := map[string]uint32{}
	C.setpwent()
	defer C.endpwent()
	for C.next_user(entry, (*C.char)(room), mostRoom) == 1 {
		name := C.GoString(entry.pw_name)
		if _, first := all[name]; !first {
			all[name] = uint32(entry.pw_uid)
		}
	}
	return all
}

// mostRoom bounds the size of an entry, in bytes.
const mostRoom = 1 << 20

// find calls get with a larger buffer until the entry fits. who is the user's name in messages.
func find(get func(*C.struct_passwd, *C.char, C.size_t, **C.struct_passwd) C.int,
	nowhere func(why *C.char) C.int, who string) (User, error) {
	failed := syscall.ERANGE
	for size := 4096; failed == syscall.ERANGE && size <= mostRoom; size *= 2 {
		// SAFETY: room and entry are C's memory, since entry is made to point into room; both are
		// freed on return, after the fields were copied.
		room, entry := C.malloc(C.size_t(size)),
			(*C.struct_passwd)(C.malloc(C.sizeof_struct_passwd))
		defer C.free(room)
		defer C.free(unsafe.Pointer(entry))
		var found *C.struct_passwd
		failed = syscall.Errno(get(entry, (*C.char)(room), C.size_t(size), &found))
		if failed == 0 && found != nil {
			return User{C.GoString(entry.pw_name), uint32(entry.pw_uid), C.GoString(entry.pw_dir)},
				nil
		}
	}
	if failed != 0 {
		return User{}, fmt.Errorf("%w whether there is a user %s: %w", ErrUntold, who, failed)
	}
	var why [C.NAMES_WHY]C.char
	if nowhere(&why[0]) == 1 {
		return User{}, fmt.Errorf("%w: %s", ErrUnknown, who)
	}
	return User{},
		fmt.Errorf("%w whether there is a user %s: %s", ErrUntold, who, C.GoString(&why[0]))
}

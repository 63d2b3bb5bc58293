package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"latchkey/enroll/doctor/getent"
	nameservice "latchkey/pam/gate/names"
)

// mostProblems is how many records are named; more would hide the other checks.
const mostProblems = 10

// checkOwners finds accounts that were renamed, second names with one uid, and files that a full
// disk would make unusable.
func (d Doctor) checkOwners(all []enrolled) []Finding {
	var found []Finding
	owner := map[uint32]string{}
	for _, u := range all {
		if u.unreadable != nil {
			continue // checkRecord says why
		}
		record := "/etc/latchkey/users/" + u.name
		if other, twice := owner[u.uid]; twice {
			text := fmt.Sprintf("%s and %s have uid %d; a third name of it is denied", other,
				u.name, u.uid)
			found = append(found, warning(record, text, ""))
		}
		owner[u.uid] = u.name
		if now := u.renamed; now != "" {
			err := fmt.Errorf("uid %d is now called %s: %s is denied and cannot enroll", u.uid,
				now, now)
			found = append(found, fault(record, err,
				"enroll reset "+u.name+"; then "+now+" enrolls"))
		}
	}
	found = append(append(found, d.checkSecondNames(owner)...), d.checkCopied(all)...)
	return append(found, d.checkZFS()...)
}

// zfs is the type of ZFS in statfs(2): it writes to new blocks always.
const zfs = 0x2fc12fc1

func (d Doctor) checkZFS() []Finding {
	const dir = "/var/lib/latchkey"
	var st unix.Statfs_t
	if unix.Statfs(d.Root+dir, &st) != nil || st.Type != zfs {
		return nil
	}
	return []Finding{warning(dir, "ZFS always writes to new blocks: a full pool denies "+
		"every login",
		"make it a dataset of its own, and: zfs set refreservation=64M DATASET")}
}

// gone reports whether there is certainly no such user.
func (d Doctor) gone(name string) bool {
	_, err := d.LookUp(name)
	return err != nil && !errors.Is(err, nameservice.ErrUntold)
}

// nameOf is the name of a uid; "" if it has none that is known.
func (d Doctor) nameOf(uid uint32) string {
	if d.system() == "" {
		u, _ := nameservice.LookupID(uid)
		return u.Name
	}
	for row := range getent.Below(d.system()).Each("passwd") {
		if len(row) > 2 && row[2] == strconv.FormatUint(uint64(uid), 10) {
			return row[0]
		}
	}
	return ""
}

// checkSecondNames finds names in /etc/passwd that have the uid of another user who is enrolled,
// and no record.
func (d Doctor) checkSecondNames(owner map[uint32]string) []Finding {
	var found []Finding
	for row := range getent.Below(d.system()).Each("passwd") {
		if len(row) < 3 {
			continue
		}
		name, other := row[0], ""
		if uid, err := strconv.ParseUint(row[2], 10, 32); err == nil {
			other = owner[uint32(uid)]
		}
		if other == "" || other == name || d.gone(other) {
			continue
		}
		if _, err := d.Keyring.Records.UID(name); err != nil {
			text := fmt.Sprintf("%s has the uid of %s, who is enrolled: %s is denied", name,
				other, name)
			found = append(found, warning("/etc/passwd", text, ""))
		}
	}
	sort := func(a, b Finding) int { return strings.Compare(a.Detail, b.Detail) }
	slices.SortFunc(found, sort)
	return slices.Compact(found)
}

// checkCopied finds files that are copied when they are written, which needs room.
func (d Doctor) checkCopied(all []enrolled) []Finding {
	var users []string
	for _, u := range all {
		if u.copied {
			users = append(users, u.name)
		}
	}
	var found []Finding
	if len(users) > 0 {
		shown := strings.Join(users[:min(len(users), mostProblems)], ", ")
		found = append(found, warning("/var/lib/latchkey/users",
			fmt.Sprintf("a full disk would deny %s (%d in all): writing copies their files",
				shown, len(users)),
			"any change by enroll makes a new file, for example: enroll codes --user "+users[0]))
	}
	if copied, err := d.Keyring.Host.CopiedOnWrite("host"); err == nil && copied {
		found = append(found, warning("/var/lib/latchkey/host",
			"a full disk would stop codes by phone: writing copies this file",
			"remove it: enroll add phone makes a new one"))
	}
	return found
}

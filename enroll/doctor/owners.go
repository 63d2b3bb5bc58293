package doctor

import (
	"errors"
	"fmt"
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
func (d Doctor) checkOwners(enrolled []string) []Finding {
	var found []Finding
	owner := map[uint32]string{}
	for _, name := range enrolled {
		uid, err := d.Keyring.Records.UID(name)
		if err != nil {
			continue // checkRecord says why
		}
		record := "/etc/latchkey/users/" + name
		if other, twice := owner[uid]; twice {
			text := fmt.Sprintf("%s and %s have uid %d; a third name of it is denied", other,
				name, uid)
			found = append(found, warning(record, text, ""))
		}
		owner[uid] = name
		if !d.gone(name) {
			continue
		}
		if now := d.nameOf(uid); now != "" && now != name {
			err := fmt.Errorf("uid %d is now called %s: %s is denied and cannot enroll", uid,
				now, now)
			found = append(found, fault(record, err,
				"enroll reset "+name+"; then "+now+" enrolls"))
		}
	}
	found = append(append(found, d.checkSecondNames(owner)...), d.checkCopied(enrolled)...)
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

// renamed reports whether a record cannot be used because its user has another name now, which
// checkOwners says.
func (d Doctor) renamed(name string, err error) bool {
	uid, readable := d.Keyring.Records.UID(name)
	if err == nil || readable != nil || !d.gone(name) {
		return false
	}
	now := d.nameOf(uid)
	return now != "" && now != name
}

// gone reports whether there is certainly no such user.
func (d Doctor) gone(name string) bool {
	_, err := d.LookUp(name)
	return err != nil && !errors.Is(err, nameservice.ErrUntold)
}

// nameOf is the name of a uid; "" if it has none that is known.
func (d Doctor) nameOf(uid uint32) string {
	for _, row := range getent.Below(d.system()).Lines("passwd", strconv.FormatUint(uint64(uid), 10)) {
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
	for _, u := range getent.Read(d.system(), nil).All() {
		other := owner[u.UID]
		if other == "" || other == u.Name || d.gone(other) {
			continue
		}
		if _, err := d.Keyring.Records.UID(u.Name); err != nil {
			text := fmt.Sprintf("%s has the uid of %s, who is enrolled: %s is denied", u.Name,
				other, u.Name)
			found = append(found, warning("/etc/passwd", text, ""))
		}
	}
	return found
}

// checkCopied finds files that are copied when they are written, which needs room.
func (d Doctor) checkCopied(enrolled []string) []Finding {
	var users []string
	for _, name := range enrolled {
		if copied, err := d.Keyring.States.CopiedOnWrite(name); err == nil && copied {
			users = append(users, name)
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

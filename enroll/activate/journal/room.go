package journal

import (
	"crypto/rand"
	"errors"
	"io/fs"

	"latchkey/pam/safefile"
)

// room is a file that takes up what the undoing of an activation needs of the disk, so that a disk
// which is full by then locks no one out. That does not help where /etc is on another disk.
const room = "room"

// roomSize is more than all files of an activation have together.
const roomSize = 256 << 10

// Reserve takes up room on the disk. The caller holds the lock.
func Reserve(dir *safefile.Dir) error {
	data := make([]byte, roomSize)
	rand.Read(data) // zeros might take up nothing
	return safefile.Part(dir.Replace(room, data))
}

// Release gives the room back. The caller holds the lock.
func Release(dir *safefile.Dir) error {
	if err := dir.Remove(room); !errors.Is(err, fs.ErrNotExist) {
		return safefile.Part(err)
	}
	return nil
}

package audit

// Change is a change that enroll made. Its format is an interface, like a Line's.
type Change struct {
	// What is one word: add, remove, codes, distrust, reset, unlock, invite, bypass, import, backup,
	// restore, rekey; of a host in a fleet: join, leave, break-glass, export
	What   string
	User   string // whose second factor it is; empty: the whole host's
	By     string // who ran enroll
	Device string // the device's label
	Detail string // never a code or a secret
}

// String returns the line without its line feed.
func (c Change) String() string { return plain(c) }

func (c Change) fields() []field {
	return detailed([]field{
		{"change", c.What, word}, {"user", c.User, text}, {"by", c.By, text},
		{"device", c.Device, text},
	}, c.Detail)
}

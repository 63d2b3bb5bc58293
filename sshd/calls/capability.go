package calls

// capability is what root needs for a call, and therefore its profile must allow: "" for none, and
// for those that a call does not show, such as for a file whose mode says no.
func (c Call) capability() string {
	switch c.Name {
	case "chown", "lchown", "fchown":
		return ifForeign("chown", c.Args[1:3])
	case "fchownat":
		return ifForeign("chown", c.Args[2:4])
	case "setuid", "setreuid", "setresuid", "setfsuid":
		return ifForeign("setuid", c.Args)
	case "setgid", "setregid", "setresgid", "setfsgid":
		return ifForeign("setgid", c.Args)
	case "setgroups":
		return "setgid"
	}
	return ""
}

// ifForeign is the capability if a number is another user's or group's. -1 changes nothing.
func ifForeign(capability string, ids []string) string {
	for _, id := range ids {
		if id != "-1" && id != "0" {
			return capability
		}
	}
	return ""
}

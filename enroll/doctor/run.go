package doctor

import (
	"slices"
	"sync"

	"latchkey/pam/policy"
)

// Run looks at everything.
func (d Doctor) Run() []Finding {
	d.users, d.server = sync.OnceValues(d.surveyed), sync.OnceValue(d.checkSSHD)
	found := d.checkPolicy(policy.DefaultPath)
	found = append(found, d.checkInstallation()...)
	if d.Fleet != nil {
		found = append(found, d.Fleet()...) // the host's own records let no one in
	} else {
		found = append(found, d.checkRecords()...)
		found = append(found, d.checkLocks()...)
	}
	found = append(found, d.checkLogins(d.Service)...)
	found = append(found, d.checkConfinement()...)
	found = append(found, checkClock(clockState))
	if d.phonesWanted() {
		found = append(found, d.checkTwilio()...)
	}
	return distinct(found)
}

// distinct drops what was found twice: services share files.
func distinct(all []Finding) []Finding {
	var kept []Finding
	for _, f := range all {
		if !slices.Contains(kept, f) {
			kept = append(kept, f)
		}
	}
	return kept
}

package doctor

import (
	"errors"
	"fmt"

	"latchkey/enroll/hint"
	"latchkey/enroll/plural"
	"latchkey/pam/record"
)

// checkRecords reads every record and its state, as a login does, and the host key.
func (d Doctor) checkRecords() []Finding {
	const records = "/etc/latchkey/users"
	all, err := d.survey()
	if err != nil {
		return []Finding{fault(records, err, d.Remedy(err))}
	}
	if len(all) == 0 {
		return []Finding{{records, OK, "no one is enrolled yet", ""}, d.checkUnusedKey()}
	}
	found, bad := d.checkOwners(all), 0
	for _, u := range all {
		if u.err == nil || u.renamed != "" {
			continue
		}
		if bad++; bad <= mostProblems {
			found = append(found, fault(records+"/"+u.name, u.err, d.remedy(u.name, u.err)))
		}
	}
	if bad > mostProblems {
		err := fmt.Errorf("%s cannot be used", plural.Of(bad-mostProblems, "more record"))
		found = append(found, fault(records, err, "enroll list"))
	}
	if bad == 0 {
		text := fmt.Sprintf("%d records and their states can be used", len(all))
		if len(all) == 1 {
			text = "1 record and its state can be used"
		}
		found = append(found, Finding{records, OK, text, ""})
	}
	return found
}

func (d Doctor) remedy(name string, err error) string {
	if known := d.Remedy(err); known != "" {
		return known
	}
	return "their logins are denied; " + hint.StartOver(name, err)
}

// checkUnusedKey: without a record the key is not needed yet, but one that is damaged would seal
// none.
func (d Doctor) checkUnusedKey() Finding {
	const key = "/var/lib/latchkey/key"
	err := d.Keyring.Records.CheckKey()
	if errors.Is(err, record.ErrNoKey) {
		return Finding{key, OK, "made with the first record", ""}
	}
	return verdict(key, err, "restore it from a backup; while no one is enrolled it may also "+
		"be removed")
}

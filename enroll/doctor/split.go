package doctor

import (
	"errors"
	"fmt"
	"slices"

	"latchkey/enroll/doctor/stack"
)

// checkSplits looks at the lines that take a code off the end of one field. part: the service is
// taken in by others, which may have what belongs below.
func checkSplits(s *stack.Service, part bool) (found []Finding) {
	for _, f := range s.SplitFaults() {
		if f.Kind != stack.Dropped || !part {
			found = append(found, describeSplit(f))
		}
	}
	return found
}

func describeSplit(f stack.SplitFault) Finding {
	switch f.Kind {
	case stack.Dropped:
		return fault(f.Line.Place(), errors.New("split takes a code off, and no line below compares it: "+
			"anything typed after the password gets in"), below)
	case stack.Late:
		return fault(f.Line.Place(), fmt.Errorf("split stands below %s, which has the code in the password",
			f.Other.Place()), "put the line with split above the password's")
	case stack.Again:
		return fault(f.Line.Place(), fmt.Errorf("split stands here after %s, and finds the code gone: "+
			"no one gets in by one field", f.Other.Place()), "keep one of the two lines")
	}
	return warning(f.Other.Place(), f.Other.Name()+" may ask for the password again, and would be "+
		"sent the code with it", "add: use_first_pass")
}

// checkSplitInSSHD: sshd asks twice, and people type into it what it asks for.
func (d Doctor) checkSplitInSSHD(name string) (found []Finding) {
	s, err := stack.Read(d.Root, name)
	if err != nil {
		return nil // told elsewhere
	}
	for _, l := range s.Splits() {
		found = append(found, fault(l.Place(), errors.New("split is for programs that ask once; sshd asks "+
			"for password and code, and here takes a password that ends like a code for both"),
			"take the line out"))
	}
	return found
}

// exclusive: what only one of can stand in a line.
func exclusive(l *stack.Line) []Finding {
	if slices.Contains(l.Args, "split") && slices.Contains(l.Args, "if_publickey") {
		return []Finding{fault(l.Place(), errors.New("pam_latchkey does not take split and if_publickey "+
			"together: every login is denied"), "take one of them out")}
	}
	return nil
}

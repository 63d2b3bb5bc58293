package record

import (
	"errors"
	"fmt"

	"latchkey/pam/strict"
)

// readDocument reads a record below the line with the MAC. Its errors name the line of the file
// and never show what it contains.
func readDocument(body []byte) (*document, error) {
	doc := &document{}
	err := strict.Schema{
		Limit: sizeLimit, Tables: []string{"recovery"}, Lists: []string{"device"},
		Hidden: "unknown key",
		Open:   doc.enter, Set: doc.set,
	}.Read(body)
	if mistake := (*strict.Error)(nil); errors.As(err, &mistake) {
		return nil, fmt.Errorf("line %d: %s", mistake.Line+1, mistake.What)
	}
	return doc, err
}

func (d *document) enter(table string, _ int) {
	switch table {
	case "recovery":
		d.Recovery = &recovery{}
	case "device":
		d.Devices = append(d.Devices, device{})
	}
}

func (d *document) set(table string, v strict.Value) error {
	switch table {
	case "recovery":
		return d.Recovery.set(v)
	case "device":
		return d.Devices[len(d.Devices)-1].set(v)
	}
	switch v.Name {
	case "version":
		return v.Int(&d.Version, 0, 1<<16-1)
	case "name":
		return readText(v, &d.Name)
	case "uid":
		return v.Uint32(&d.UID)
	case "enrollment":
		return readText(v, &d.Enrollment)
	}
	return v.Unknown()
}

func (r *recovery) set(v strict.Value) error {
	switch v.Name {
	case "id":
		return readText(v, &r.ID)
	case "salt":
		return readText(v, &r.Salt)
	case "codes":
		return strict.List(v, &r.Codes, readText)
	case "sealed":
		return readText(v, &r.Sealed)
	}
	return v.Unknown()
}

func (d *device) set(v strict.Value) error {
	texts := map[string]*string{
		"id": &d.ID, "type": (*string)(&d.Type), "label": &d.Label, "algorithm": &d.Algorithm,
		"secret": &d.Secret,
	}
	if into, ok := texts[v.Name]; ok {
		return readText(v, into)
	}
	switch v.Name {
	case "created":
		return v.Time(&d.Created)
	case "attested":
		return v.Bool(&d.Attested)
	case "digits":
		return v.Int(&d.Digits, 0, 100)
	case "period":
		return v.Int(&d.Period, 0, int(MaxPeriod.Seconds()))
	}
	return v.Unknown()
}

func readText(v strict.Value, into *string) error {
	return v.Text(into, "be a string", func(string) bool { return true })
}

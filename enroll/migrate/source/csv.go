package source

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/enroll/secretfile"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// columns are those that a CSV file may have, in any order; user, type and one of secret and
// number it must have.
var columns = []string{"user", "type", "label", "secret", "algorithm", "digits", "period",
	"counter", "number"}

var byteOrderMark = []byte("\ufeff") // which Excel writes

// CSV reads a file of RFC 4180 whose first line names the columns. Each further line is a
// device; an empty value is the default of enroll add. Several lines of one user are several
// devices.
func CSV(r io.Reader, name string, now time.Time) ([]Entry, error) {
	b, err := readText(r, name, MaxFile)
	if err != nil {
		return nil, err
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, byteOrderMark)))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return nil, csvError(name, err)
	}
	if err := checkHeader(header); err != nil {
		return nil, at(name, 1, err)
	}
	var users entries
	for {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return users.list(), nil
		}
		if err != nil {
			return nil, csvError(name, err)
		}
		line, _ := rows.FieldPos(0)
		values := newRow(header, fields)
		e := users.of(values["user"])
		if len(fields) != len(header) {
			e.fail(name, line, fmt.Errorf("%d fields, and the first line names %d", len(fields),
				len(header)))
		} else if err := e.addRow(values, now); err != nil {
			e.fail(name, line, err)
		}
	}
}

// checkHeader does not quote what it refuses: a file without header begins with a user's secret.
func checkHeader(header []string) error {
	for i, column := range header {
		if !slices.Contains(columns, column) || slices.Contains(header[:i], column) {
			return errors.New("the first line does not name the columns, each of them once: " +
				strings.Join(columns, ","))
		}
	}
	has := func(column string) bool { return slices.Contains(header, column) }
	if !has("user") || !has("type") || !has("secret") && !has("number") {
		return errors.New("the columns user, type and one of secret and number are needed")
	}
	return nil
}

// csvError is an error of the whole file: after it no one can tell where a line begins.
func csvError(name string, err error) error {
	if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
		return at(name, bad.Line, bad.Err)
	}
	if errors.Is(err, io.EOF) {
		return at(name, 1, errors.New("nothing there"))
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// row is a line by the names of its columns. What is not there is empty.
type row map[string]string

func newRow(header, fields []string) row {
	r := row{}
	for i, column := range header[:min(len(header), len(fields))] {
		r[column] = strings.TrimSpace(fields[i])
	}
	return r
}

// addRow gives the entry the device of a line.
func (e *Entry) addRow(r row, now time.Time) error {
	if r["user"] == "" {
		return errors.New("no user")
	}
	d, err := r.device(now)
	if err != nil {
		return err
	}
	if d.Label = r["label"]; d.Label == "" {
		d.Label = e.freeLabel(standardLabel[d.Type])
	}
	if slices.ContainsFunc(e.Devices, func(other Device) bool { return other.Label == d.Label }) {
		return errors.New("another device of this user has this label")
	}
	return e.add(d, now)
}

// standardLabel is what enroll add calls a device.
var standardLabel = map[method.Method]string{method.TOTP: "app", method.HOTP: "token",
	method.Phone: "phone"}

// meant are the columns that a type has beside those that all have.
var meant = map[method.Method][]string{
	method.TOTP:  {"secret", "algorithm", "digits", "period"},
	method.HOTP:  {"secret", "algorithm", "digits", "counter"},
	method.Phone: {"number"},
}

// device is the row's device, yet without a label.
func (r row) device(now time.Time) (Device, error) {
	kind := method.Method(r["type"])
	if meant[kind] == nil {
		return Device{}, errors.New("unknown device type; use totp, hotp or phone")
	}
	for _, column := range columns[3:] {
		if r[column] != "" && !slices.Contains(meant[kind], column) {
			return Device{}, fmt.Errorf("%s does not apply to a %s", column, kind)
		}
	}
	if kind == method.Phone {
		return Device{Device: enrollment.NewPhone("", r["number"], now)}, nil
	}
	shared, err := secretfile.Decode(r["secret"])
	if err != nil {
		return Device{}, fmt.Errorf("the secret is %w", err)
	}
	algorithm := strings.ToUpper(r["algorithm"])
	if algorithm == "" {
		algorithm = "SHA1"
	}
	if !slices.Contains([]string{"SHA1", "SHA256", "SHA512"}, algorithm) {
		return Device{}, errors.New("unknown algorithm; use SHA1, SHA256 or SHA512")
	}
	digits, err1 := r.number("digits", 6, 8)
	period, err2 := r.number("period", 30, uint64(record.MaxPeriod/time.Second))
	counter, err3 := r.number("counter", 0, oath.MaxCounter)
	if err := cmp.Or(err1, err2, err3); err != nil {
		return Device{}, err
	}
	if kind == method.HOTP {
		return Device{enrollment.NewHOTP("", shared, algorithm, int(digits), now), counter}, nil
	}
	return Device{enrollment.NewTOTP("", shared, algorithm, int(digits),
		time.Duration(period)*time.Second, now), 0}, nil
}

func (r row) number(column string, standard, most uint64) (uint64, error) {
	if r[column] == "" {
		return standard, nil
	}
	n, err := strconv.ParseUint(r[column], 10, 64)
	if err != nil || n > most {
		return 0, fmt.Errorf("%s is not a number from 0 to %d", column, most)
	}
	return n, nil
}

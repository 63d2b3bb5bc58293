package policy

import "latchkey/pam/strict"

// Log is the table [log].
type Log struct{ Format LogFormat }

// LogFormat is how latchkey's lines in the system's log are written.
type LogFormat string

// The formats.
const (
	LogText LogFormat = "text" // names and values
	LogJSON LogFormat = "json" // one JSON object
)

func (l *Log) set(v strict.Value) error {
	if v.Name == "format" {
		return strict.Word(LogText, LogJSON)(v, &l.Format)
	}
	return v.Unknown()
}

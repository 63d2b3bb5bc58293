package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// reply is an answer before it is written.
type reply struct {
	status int
	body   map[string]any
}

// refuse is Verify's answer when it refuses.
func refuse(status, code int, message string) reply {
	more := "https://www.twilio.com/docs/errors/" + strconv.Itoa(code)
	return reply{status, map[string]any{"code": code, "message": message, "more_info": more,
		"status": status}}
}

// text is the body as it is written.
func (r reply) text() []byte {
	data, err := json.Marshal(r.body)
	if err != nil {
		panic(err) // strings, numbers and maps of them
	}
	return data
}

// write writes the reply as Verify does.
func (r reply) write(w http.ResponseWriter) { write(w, r.status, "application/json", r.text()) }

func write(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// verification is the resource of that name.
func (b *book) verification(v *verification, now time.Time) map[string]any {
	m := b.checked(v, now)
	m["lookup"] = map[string]any{}
	m["sna"] = nil
	m["url"] = fmt.Sprintf("https://verify.twilio.com/v2/Services/%s/Verifications/%s",
		b.settings.ServiceSID, v.sid)
	attempts := []any{}
	for _, s := range v.sends {
		attempts = append(attempts, map[string]any{"time": s.at.UTC().Format(time.RFC3339),
			"channel": s.channel, "attempt_sid": s.sid})
	}
	m["send_code_attempts"] = attempts
	return m
}

// checked is the resource VerificationCheck.
func (b *book) checked(v *verification, now time.Time) map[string]any {
	return map[string]any{
		"sid": v.sid, "service_sid": b.settings.ServiceSID, "account_sid": b.settings.AccountSID,
		"to": v.to, "channel": v.channel, "status": v.status, "valid": v.status == "approved",
		"amount": nil, "payee": nil,
		"date_created": v.created.UTC().Format(time.RFC3339),
		"date_updated": now.UTC().Format(time.RFC3339),
	}
}

// service is the resource Service.
func (b *book) service() map[string]any {
	return map[string]any{
		"sid": b.settings.ServiceSID, "account_sid": b.settings.AccountSID,
		"friendly_name": "stand-in",
		"code_length":   b.length, "lookup_enabled": true,
		"url": "https://verify.twilio.com/v2/Services/" + b.settings.ServiceSID,
	}
}

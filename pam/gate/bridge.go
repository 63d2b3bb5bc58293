// Package gate is the C that becomes pam_latchkey.so (gate.c, child.c, base.c and names/*.c;
// WIRE.md specifies what it says). Nothing in latchkey imports this package. It exists because cgo
// compiles the same C into a Go test binary, so that Go tests drive its every branch, with the
// race detector, AddressSanitizer and the fuzzer; this file is their way in.
package gate

/*
#cgo CFLAGS: -std=gnu11 -Wall -fvisibility=hidden
#cgo LDFLAGS: -lpam -ldl
#define _GNU_SOURCE
#include "gate.h"
#include "names/names.c"
#include "names/sources.c"
#include "names/users.c"
#include <errno.h>
#include <security/pam_appl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPLY, NO_REPLY, NO_TEXT, FAILS, FAILS_WITH_REPLY, MISSING };

// SAFETY: the Go caller owns answer and frees seen and logged, which open_memstream allocates.
struct script {
	int mode, code, pause_ms;
	const char *answer;
	char *seen, *logged;
	size_t seen_size, logged_size;
	FILE *see;
};

struct items {
	const char *confdir, *user, *service, *rhost, *auth_info;
};

// The conversation function of the tests: notes style and text of each message, then does what
// the script says.
static int converse(int count, const struct pam_message **messages, struct pam_response **replies,
		    void *data)
{
	struct script *s = data;

	fprintf(s->see, "%d %d %s", count, messages[0]->msg_style, messages[0]->msg);
	fputc(0, s->see);
	if (s->pause_ms)
		usleep(s->pause_ms * 1000);
	if (s->mode == FAILS)
		return s->code;
	if (s->mode == NO_REPLY)
		return PAM_SUCCESS;
	// SAFETY: the module frees the reply, as pam_conv(3) demands.
	*replies = calloc(1, sizeof **replies);
	if (s->mode != NO_TEXT)
		(*replies)->resp = strdup(s->answer);
	return s->mode == FAILS_WITH_REPLY ? s->code : PAM_SUCCESS;
}

static __thread FILE *lines;

static void note_line(int priority, const char *format, ...)
{
	va_list args;

	fprintf(lines, "%d ", priority);
	va_start(args, format);
	vfprintf(lines, format, args);
	va_end(args);
	fputc('\n', lines);
}

static void set(pam_handle_t *pamh, int type, const char *value)
{
	if (value)
		pam_set_item(pamh, type, value);
}

static int start(struct script *s, const struct items *items, pam_handle_t **pamh)
{
	struct pam_conv conv = { s->mode == MISSING ? NULL : converse, s };
	char env[20000];
	int code = pam_start_confdir(items->service, items->user, &conv, items->confdir, pamh);

	if (code != PAM_SUCCESS)
		return code;
	set(*pamh, PAM_RHOST, items->rhost);
	if (items->auth_info) {
		snprintf(env, sizeof env, "SSH_AUTH_INFO_0=%s", items->auth_info);
		pam_putenv(*pamh, env);
	}
	s->see = open_memstream(&s->seen, &s->seen_size);
	lines = open_memstream(&s->logged, &s->logged_size);
	return PAM_SUCCESS;
}

static void end(struct script *s, pam_handle_t *pamh)
{
	pam_end(pamh, PAM_SUCCESS);
	fclose(s->see);
	fclose(lines);
}

// Returns what the module returns; -1 if PAM did not start, -2 if the module changed errno.
static int authenticate(struct script *s, const struct items *items, int flags, int argc,
			const char **argv, const char *program, int deadline_ms)
{
	const struct gate_setup setup = { program, deadline_ms, note_line };
	pam_handle_t *pamh;
	int code;

	if (start(s, items, &pamh) != PAM_SUCCESS)
		return -1;
	errno = EXDEV;
	code = gate_authenticate(pamh, flags, argc, argv, &setup);
	if (errno != EXDEV)
		code = -2;
	end(s, pamh);
	return code;
}

// The relay alone: the other end of sock is the test's. detail has 256 bytes. The relay does not
// close sock.
static int relay(struct script *s, const struct items *items, int sock, int deadline_ms,
		 char *detail)
{
	static const struct gate_setup setup = { "/nonexistent", 0, note_line };
	struct gate g = { .setup = &setup, .sock = sock, .pidfd = -1 };
	int code;

	if (start(s, items, &g.pamh) != PAM_SUCCESS)
		return -1;
	g.deadline = gate_now() + deadline_ms;
	// SAFETY: frame is this function's, as it is gate_authenticate's in the module.
	g.frame = malloc(GATE_FRAME + 1);
	code = gate_relay(&g);
	memcpy(detail, g.detail, sizeof g.detail);
	free(g.frame);
	end(s, g.pamh);
	return code;
}

static void *strings(int count) { return calloc(count + 1, sizeof(char *)); }
static void put_string(const char **list, int at, char *s) { list[at] = s; }
*/
import "C"

import (
	"embed"
	"strings"
	"time"
	"unsafe"
)

// The go command builds this package again when what it includes from another folder has changed,
// because it is embedded too.
//
//go:embed names/*.c names/*.h
var _ embed.FS

// mode is how a scripted conversation function behaves when it is called.
type mode int

const (
	replies        mode = C.REPLY
	noReply        mode = C.NO_REPLY // success, but no array of responses
	noText         mode = C.NO_TEXT  // success, but a null response
	fails          mode = C.FAILS
	failsWithReply mode = C.FAILS_WITH_REPLY // which no application should do
	missing        mode = C.MISSING          // there is no conversation function
)

// conversation is the side of a scripted application: every prompt gets the same treatment.
type conversation struct {
	mode   mode
	answer string
	code   int
	pause  time.Duration
}

// attempt is one login through the gate.
type attempt struct {
	conversation
	confdir, service string
	// nil leaves an item unset
	user, rhost, authInfo *string
	silent                bool
	args                  []string
	program               string
	deadline              time.Duration
}

// outcome is what an attempt led to. seen has one "count style text" for each message that the
// application received.
type outcome struct {
	code   int
	seen   []string
	log    []string
	detail string
}

func optional(s *string) *C.char {
	if s == nil {
		return nil
	}
	return C.CString(*s)
}

func (a attempt) cItems() (*C.struct_items, func()) {
	items := (*C.struct_items)(C.calloc(1, C.sizeof_struct_items))
	items.confdir, items.service = C.CString(a.confdir), C.CString(a.service)
	items.user, items.rhost, items.auth_info = optional(a.user), optional(a.rhost),
		optional(a.authInfo)
	return items, func() {
		for _, s := range []*C.char{
			items.confdir, items.service, items.user, items.rhost, items.auth_info,
		} {
			C.free(unsafe.Pointer(s))
		}
		C.free(unsafe.Pointer(items))
	}
}

func (a attempt) cScript() (*C.struct_script, func()) {
	s := (*C.struct_script)(C.calloc(1, C.sizeof_struct_script))
	s.mode, s.code, s.pause_ms = C.int(a.mode), C.int(a.code), C.int(a.pause.Milliseconds())
	s.answer = C.CString(a.answer)
	return s, func() {
		C.free(unsafe.Pointer(s.answer))
		C.free(unsafe.Pointer(s.seen))
		C.free(unsafe.Pointer(s.logged))
		C.free(unsafe.Pointer(s))
	}
}

func (a attempt) cArgs() (**C.char, func()) {
	list := (**C.char)(C.strings(C.int(len(a.args))))
	var all []*C.char
	for i, arg := range a.args {
		all = append(all, C.CString(arg))
		C.put_string(list, C.int(i), all[i])
	}
	return list, func() {
		for _, arg := range all {
			C.free(unsafe.Pointer(arg))
		}
		C.free(unsafe.Pointer(list))
	}
}

func newOutcome(code C.int, s *C.struct_script) outcome {
	return outcome{
		code: int(code),
		seen: split(C.GoStringN(s.seen, C.int(s.seen_size)), "\x00"),
		log:  split(C.GoStringN(s.logged, C.int(s.logged_size)), "\n"),
	}
}

func split(s, end string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, end), end)
}

// authenticate is pam_sm_authenticate with a program and a deadline that the test chooses.
func (a attempt) authenticate() outcome {
	items, freeItems := a.cItems()
	defer freeItems()
	script, freeScript := a.cScript()
	defer freeScript()
	args, freeArgs := a.cArgs()
	defer freeArgs()
	program := C.CString(a.program)
	defer C.free(unsafe.Pointer(program))
	flags := C.int(0)
	if a.silent {
		flags = C.PAM_SILENT
	}
	code := C.authenticate(script, items, flags, C.int(len(a.args)), args, program,
		C.int(a.deadline.Milliseconds()))
	return newOutcome(code, script)
}

// relay runs the gate's side of a conversation whose other end the test holds.
func (a attempt) relay(sock int) outcome {
	items, freeItems := a.cItems()
	defer freeItems()
	script, freeScript := a.cScript()
	defer freeScript()
	detail := (*C.char)(C.calloc(1, 256))
	defer C.free(unsafe.Pointer(detail))
	code := C.relay(script, items, C.int(sock), C.int(a.deadline.Milliseconds()), detail)
	o := newOutcome(code, script)
	o.detail = C.GoString(detail)
	return o
}

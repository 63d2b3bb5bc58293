/*
 * The gate: the part of latchkey that runs inside sshd, sudo, su or login. It holds the
 * conversation with the user, asks latchkey-login (a process of its own) for a verdict, and
 * decides nothing itself. WIRE.md specifies what the two say to each other.
 */
#ifndef LATCHKEY_GATE_H
#define LATCHKEY_GATE_H

#include "names/names.h"

#include <security/pam_modules.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef LATCHKEY_LOGIN
#define LATCHKEY_LOGIN "/usr/libexec/latchkey/latchkey-login"
#endif
#ifndef LATCHKEY_ENROLL
#define LATCHKEY_ENROLL "/usr/bin/enroll"
#endif
#ifndef LATCHKEY_DEADLINE_MS
#define LATCHKEY_DEADLINE_MS 20000
#endif

/* WIRE.md, "Versions". */
#define GATE_WIRE "2"

enum {
	GATE_FRAME = 32768,   /* the longest frame, type byte included */
	GATE_ANSWER = 513,    /* PAM_MAX_RESP_SIZE and one: a cut answer is never a valid one */
	GATE_ITEM = 1024,     /* where a PAM item is cut */
	GATE_AUTH_INFO = 16384,
	GATE_LATER = 1024,    /* a text that is shown later, with a final NUL; cut */
	GATE_SHAPE = 64,      /* the end of one field whose shape the login program gets to see */
	GATE_CODE = 64,       /* the longest code that is taken off there */
	GATE_GRACE_MS = 1000, /* after the verdict: login levels its second state slot */
	GATE_REAP_MS = 5000,  /* after SIGKILL: only a process stuck in the kernel needs more */
};

/* What differs between the module and its tests. */
struct gate_setup {
	/* The absolute path of latchkey-login. */
	const char *program;
	/* For everything but the application's conversation. */
	int deadline_ms;
	/* syslog(3). */
	void (*log)(int priority, const char *format, ...);
};

/* One login. It lives on the stack of gate_authenticate; frame is its only memory from the
 * heap. */
struct gate {
	pam_handle_t *pamh;
	const struct gate_setup *setup;
	bool silent;
	struct gate_account account;
	int64_t began, deadline; /* CLOCK_MONOTONIC, in ms */
	pid_t pid;               /* latchkey-login; 0: none */
	int sock, pidfd;         /* -1: none */
	sigset_t mask;           /* of the application's thread, once there is a child */
	char detail[256];        /* why the gate itself denies; empty after a verdict */
	size_t length;           /* of frame */
	char *frame;             /* GATE_FRAME bytes and one for a final NUL */

	/* split.c. A line with split: */
	bool split;
	char *typed;                /* what was typed; NULL: no answer */
	size_t typed_length;        /* before a code was taken off */
	size_t code_length, comma;  /* the end that is the code, and the comma before it, in bytes */
	/* Any other line: */
	char kept[GATE_CODE + 1];   /* the code of the line above; empty: none */
	bool unsaid;                /* it was not an answer yet */
};

/* base.c */
int64_t gate_now(void); /* CLOCK_MONOTONIC, in ms */
bool gate_deny(struct gate *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* application.c */
const char *gate_item(pam_handle_t *pamh, int type);
const char *gate_user(pam_handle_t *pamh);
int gate_converse(struct gate *g, int style, const char *text, struct pam_response **reply);
void gate_drop(struct pam_response *reply);
bool gate_keep_text(struct gate *g, const char *text);
void gate_show_kept(pam_handle_t *pamh, int flags);

/* split.c */
void gate_get_typed(struct gate *g);
void gate_shape(const struct gate *g, char *shape);
bool gate_reads_cut(struct gate *g, const char *payload);
int gate_cut(struct gate *g);
void gate_take(struct gate *g);
bool gate_is_field(const struct gate *g, const char *password, const char *text);
void gate_wipe_typed(struct gate *g);

/* child.c */
bool gate_spawn(struct gate *g);
void gate_shield(const struct gate *g, bool up);
void gate_end_child(struct gate *g, int64_t grace_ms);
void gate_shut(int *fd);
void gate_name_limits(struct gate *g);

/* gate.c */
int gate_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv,
		      const struct gate_setup *setup);

/* Relays between the user and a login program that was started and greeted. Returns the verdict
 * as a PAM code, with detail set if the gate itself denies. */
int gate_relay(struct gate *g);

#endif

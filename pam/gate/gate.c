/*
 * pam_latchkey.so. Read from the bottom: pam_sm_authenticate, then gate_authenticate, then what it
 * calls.
 *
 * It runs as root inside another program's process, so it keeps to three rules. The only way to
 * PAM_SUCCESS is one exact frame from latchkey-login. Every wait and every buffer has a bound. The
 * host's signals, mask, descriptors, environment, limits and directory stay as they are. child.c
 * starts and ends latchkey-login, names/ asks the name service, and base.c has what both this file
 * and child.c call.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define WIRE GATE_WIRE

/* ---- what the gate says ---- */

/* Does not wait for a login program that does not read or has ended: the next receive shows
 * what became of it. */
static bool say(struct gate *g, const char *frame, size_t length)
{
	if (send(g->sock, frame, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EPIPE ||
	    errno == ECONNRESET)
		return true;
	return gate_deny(g, "sending to the login program: %s", strerrordesc_np(errno));
}

/* SAFETY: copies at most GATE_ANSWER bytes of text; the copy holds the user's code and is
 * wiped. */
static bool answer(struct gate *g, const char *text)
{
	char frame[1 + GATE_ANSWER] = "A";
	size_t length = strnlen(text, GATE_ANSWER);
	bool sent;

	memcpy(frame + 1, text, length);
	sent = say(g, frame, 1 + length);
	explicit_bzero(frame, sizeof frame);
	return sent;
}

static bool no_answer(struct gate *g, int code)
{
	char frame[16];

	return say(g, frame, snprintf(frame, sizeof frame, "C%d", code));
}

/* SAFETY: appends to frame, which has room for GATE_FRAME bytes; length keeps counting past
 * that, and the caller then refuses the frame. */
static void put(struct gate *g, const char *bytes, size_t length)
{
	if (g->length <= GATE_FRAME && length <= GATE_FRAME - g->length)
		memcpy(g->frame + g->length, bytes, length);
	g->length += length;
}

static void put_field(struct gate *g, const char *key, const char *value, size_t most)
{
	put(g, key, strlen(key));
	put(g, "=", 1);
	put(g, value, strnlen(value, most));
	put(g, "", 1);
}

/* Is this process the enroll program itself? Any application can call its service "enroll". A
 * program that was replaced while it runs is another one, and so is a copy: then the answer is
 * no, and a code is asked for. */
static bool is_enroll(void)
{
	struct stat self, enroll;

	return stat("/proc/self/exe", &self) == 0 && stat(LATCHKEY_ENROLL, &enroll) == 0 &&
	       self.st_dev == enroll.st_dev && self.st_ino == enroll.st_ino;
}

/* Is this process sshd, which alone may say which keys were accepted? A program that a user has
 * started with root's rights is not, under any name, because its caller may influence what it
 * says. The kernel keeps the ids with which it was started. OpenSSH 9.8 moved PAM from sshd
 * into sshd-session. SAFETY: path is ended within its size. */
static bool is_sshd(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	const char *name;

	if (length <= 0 || getauxval(AT_UID) != getauxval(AT_EUID))
		return false;
	path[length] = '\0';
	name = strrchr(path, '/');
	return name && (strcmp(name, "/sshd") == 0 || strcmp(name, "/sshd-session") == 0);
}

static bool hello(struct gate *g, int argc, const char **argv)
{
	const char *auth_info = pam_getenv(g->pamh, "SSH_AUTH_INFO_0");
	char uid[16] = "error", shape[GATE_SHAPE + 1];

	if (g->account.state == GATE_KNOWN)
		snprintf(uid, sizeof uid, "%u", g->account.uid);
	if (g->account.state == GATE_UNKNOWN)
		strcpy(uid, "none");
	g->length = 0;
	put(g, "H" WIRE, sizeof "H" WIRE);
	put_field(g, "user", gate_item(g->pamh, PAM_USER), GATE_ITEM);
	put_field(g, "name", g->account.name, GATE_ITEM);
	put_field(g, "uid", uid, sizeof uid);
	put_field(g, "service", gate_item(g->pamh, PAM_SERVICE), GATE_ITEM);
	put_field(g, "rhost", gate_item(g->pamh, PAM_RHOST), GATE_ITEM);
	put_field(g, "auth_info", auth_info ? auth_info : "", GATE_AUTH_INFO);
	if (is_enroll())
		put_field(g, "own", "1", 1);
	if (is_sshd())
		put_field(g, "sshd", "1", 1);
	if (g->typed) {
		gate_shape(g, shape);
		put_field(g, "typed", shape, GATE_SHAPE);
	}
	if (g->unsaid)
		put_field(g, "kept", "1", 1);
	for (int i = 0; i < argc; i++)
		put_field(g, "arg", argv[i], SIZE_MAX);
	if (g->length > GATE_FRAME)
		return gate_deny(g, "the module arguments do not fit into one frame");
	return say(g, g->frame, g->length);
}

/* ---- what the login program says ---- */

/* Fills frame with one whole frame. Time-out, end of file and frames of a wrong length are
 * denials. */
static bool receive(struct gate *g)
{
	struct pollfd ready[2] = {
		{ .fd = g->sock, .events = POLLIN },
		{ .fd = g->pidfd, .events = POLLIN },
	};
	int64_t left;
	ssize_t length;
	int count;

	for (;;) {
		if ((left = g->deadline - gate_now()) <= 0)
			return gate_deny(g, "login program gave no verdict within %d ms",
					 g->setup->deadline_ms);
		if ((count = poll(ready, 2, left)) < 0 && errno != EINTR)
			return gate_deny(g, "poll: %s", strerrordesc_np(errno));
		if (count <= 0)
			continue;
		/* SAFETY: MSG_TRUNC makes length the frame's own, however much of it fits. */
		length = recv(g->sock, g->frame, GATE_FRAME, MSG_DONTWAIT | MSG_TRUNC);
		if (length > GATE_FRAME)
			return gate_deny(g, "login program sent a frame longer than %d bytes", GATE_FRAME);
		if (length > 0)
			break;
		if (length == 0 && !(ready[0].revents & POLLHUP))
			return gate_deny(g, "login program sent an empty frame");
		/* Reset: it ended with something of ours unread; its last frame may still be there.
		 * Nothing to read although it ended: another process of the host holds a copy of its
		 * end. */
		if (length == 0 || (errno != EINTR && errno != ECONNRESET &&
				    (errno != EAGAIN || ready[1].revents)))
			return gate_deny(g, "login program ended without a verdict");
	}
	g->frame[length] = 0;
	g->length = length;
	return true;
}

/* Clients send a saved password in answer to any prompt. The login program is told that they
 * did, and never gets it. */
static bool is_password(const struct gate *g, const char *text)
{
	const char *password = gate_item(g->pamh, PAM_AUTHTOK);

	return *password && (strcmp(text, password) == 0 || gate_is_field(g, password, text));
}

/* The first question was answered before it was asked, if the line above kept a code. */
static bool ask(struct gate *g)
{
	struct pam_response *reply = NULL;
	int code;
	bool sent;

	if (g->unsaid) {
		g->unsaid = false;
		return answer(g, g->kept);
	}
	code = gate_converse(g, PAM_PROMPT_ECHO_ON, g->frame + 1, &reply);
	if (code == PAM_SUCCESS && reply && reply->resp)
		sent = is_password(g, reply->resp) ? say(g, "P", 1) : answer(g, reply->resp);
	else
		sent = no_answer(g, code == PAM_SUCCESS ? PAM_CONV_ERR : code);
	gate_drop(reply);
	return sent;
}

/* PAM_SILENT: the login program goes on as if the user had seen it. */
static bool show(struct gate *g)
{
	struct pam_response *reply = NULL;

	if (!g->silent)
		gate_converse(g, PAM_ERROR_MSG, g->frame + 1, &reply);
	gate_drop(reply);
	return answer(g, "");
}

static bool keep(struct gate *g)
{
	return gate_keep_text(g, g->frame + 1) ? answer(g, "") : show(g);
}

static bool tell_group(struct gate *g)
{
	char why[NAMES_WHY], frame[16 + NAMES_WHY];
	int member = gate_in_group(&g->account, g->frame + 1, why);

	if (member < 0)
		return say(g, frame, snprintf(frame, sizeof frame, "C%d %s", PAM_SERVICE_ERR, why));
	return answer(g, member ? "yes" : "no");
}

/* The child reports why it could not become the login program. After execve such a frame is
 * only one more way to be denied. */
static bool not_started(struct gate *g)
{
	const char *why;

	if (g->length != 3)
		return gate_deny(g, "login program sent a frame of an unknown type");
	why = strerrordesc_np((unsigned char)g->frame[2]);
	return gate_deny(g, "%s: %s",
			 g->frame[1] == 'e' ? g->setup->program : "becoming root in /",
			 why ? why : "unknown error");
}

#define DIGITS_OF(code) #code
#define DIGITS(code) DIGITS_OF(code)
#define DENY(code) { WIRE " deny " DIGITS(code), code }

/* The only table from a verdict's bytes to a return value. */
static const struct {
	const char *payload;
	int code;
} verdicts[] = {
	{ WIRE " allow", PAM_SUCCESS },
	DENY(PAM_AUTH_ERR), DENY(PAM_USER_UNKNOWN), DENY(PAM_MAXTRIES), DENY(PAM_AUTHINFO_UNAVAIL),
	DENY(PAM_PERM_DENIED), DENY(PAM_CONV_ERR), DENY(PAM_SYSTEM_ERR),
};

static bool says(const struct gate *g, const char *payload)
{
	return g->length == 1 + strlen(payload) && strcmp(g->frame + 1, payload) == 0;
}

/* A line with split never succeeds, and only such a line has no opinion. */
static int verdict(struct gate *g)
{
	const char *payload = g->frame + 1;

	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
		if (says(g, verdicts[i].payload) &&
		    !(g->split && verdicts[i].code == PAM_SUCCESS))
			return verdicts[i].code;
	if (g->split && g->length == 1 + strlen(payload) && gate_reads_cut(g, payload))
		return PAM_IGNORE;
	if (strncmp(payload, WIRE " ", sizeof WIRE) != 0)
		gate_deny(g, "login program is of another version");
	else
		gate_deny(g, "login program sent a malformed verdict");
	return PAM_SYSTEM_ERR;
}

/* Handles one frame that is not a verdict. False ends the login. */
static bool serve(struct gate *g)
{
	if (memchr(g->frame, 0, g->length) && g->frame[0] != 'X')
		return gate_deny(g, "login program sent a text with a NUL byte");
	switch (g->frame[0]) {
	case 'Q':
		return ask(g);
	case 'E':
		return show(g);
	case 'L':
		return keep(g);
	case 'G':
		return tell_group(g);
	case 'X':
		return not_started(g);
	default:
		return gate_deny(g, "login program sent a frame of an unknown type");
	}
}

/* Nothing may follow a verdict: a login program that goes on talking is not the one that was
 * specified. Called once it has ended. */
static bool expect_silence(struct gate *g)
{
	ssize_t length;

	/* A reset, reported once: it ended with something of ours unread. */
	do
		length = recv(g->sock, g->frame, 1, MSG_DONTWAIT);
	while (length < 0 && errno == ECONNRESET);
	if (length > 0)
		return gate_deny(g, "login program sent a frame after its verdict");
	return true;
}

int gate_relay(struct gate *g)
{
	int code = PAM_SYSTEM_ERR;

	while (receive(g)) {
		if (g->frame[0] == 'V') {
			code = verdict(g);
			break;
		}
		if (!serve(g))
			break;
	}
	if (g->detail[0])
		gate_name_limits(g);
	gate_end_child(g, g->detail[0] ? 0 : GATE_GRACE_MS);
	if (g->detail[0] || !expect_silence(g))
		return PAM_SYSTEM_ERR;
	return code;
}

/* ---- the log ---- */

enum { LOG_CUT = 255, LOG_QUOTED = 4 * LOG_CUT + 1 };

/* SAFETY: reads at most LOG_CUT bytes and writes at most four for each, and a NUL. A name with
 * a newline or an escape sequence in it can then neither forge a line nor drive a terminal. */
static const char *quoted(char out[LOG_QUOTED], const char *text)
{
	size_t length = strnlen(text, LOG_CUT), at = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = text[i];

		if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\')
			at += sprintf(out + at, "\\x%02x", byte);
		else
			out[at++] = byte;
	}
	out[at] = 0;
	return out;
}

/* Writes the line for a denial that no login program can log. */
static void audit(struct gate *g)
{
	char user[LOG_QUOTED], service[LOG_QUOTED], from[LOG_QUOTED], detail[LOG_QUOTED];
	char line[4 * LOG_QUOTED + 256];

	snprintf(line, sizeof line,
		 "latchkey: verdict=deny user=\"%s\" service=\"%s\" from=\"%s\" "
		 "method=none device=\"\" reason=internal tries=0 ms=%lld detail=\"%s\"",
		 quoted(user, gate_item(g->pamh, PAM_USER)),
		 quoted(service, gate_item(g->pamh, PAM_SERVICE)),
		 quoted(from, gate_item(g->pamh, PAM_RHOST)), (long long)(gate_now() - g->began),
		 quoted(detail, g->detail));
	g->setup->log(LOG_AUTHPRIV | LOG_WARNING, "%s", line);
}

/* ---- the module ---- */

static bool has(int argc, const char **argv, const char *argument)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], argument) == 0)
			return true;
	return false;
}

static int login(struct gate *g, int argc, const char **argv)
{
	const char *user = gate_user(g->pamh);
	int code = PAM_SYSTEM_ERR;

	if (!user) {
		gate_deny(g, "the application gave no user name");
		return code;
	}
	g->split = has(argc, argv, "split");
	if (g->split)
		gate_get_typed(g);
	else if (!has(argc, argv, "if_publickey")) /* which asks nothing */
		gate_take(g);
	g->deadline = gate_now() + g->setup->deadline_ms;
	gate_look_up(&g->account, user);
	if (gate_spawn(g) && hello(g, argc, argv))
		code = gate_relay(g);
	gate_end_child(g, 0);
	if (code == PAM_IGNORE && !g->detail[0])
		code = gate_cut(g);
	return code;
}

/* SAFETY: frees the frame. Its last content, and the rest of longer frames behind it, may be a
 * secret on its way to the user. */
static void wipe(char *frame)
{
	if (!frame)
		return;
	explicit_bzero(frame, GATE_FRAME + 1);
	free(frame);
}

int gate_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv,
		      const struct gate_setup *setup)
{
	struct gate g = {
		.pamh = pamh,
		.setup = setup,
		.silent = flags & PAM_SILENT,
		.began = gate_now(),
		.sock = -1,
		.pidfd = -1,
	};
	int host_errno = errno, code = PAM_SYSTEM_ERR;

	/* SAFETY: frame and the descriptors are ours from here to the end of this function. */
	g.frame = malloc(GATE_FRAME + 1);
	if (g.frame)
		code = login(&g, argc, argv);
	else
		gate_deny(&g, "no memory");
	gate_shut(&g.pidfd);
	gate_shut(&g.sock);
	wipe(g.frame);
	gate_wipe_typed(&g);
	if (g.detail[0]) {
		code = PAM_SYSTEM_ERR;
		audit(&g);
	}
	errno = host_errno;
	return code;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	static const struct gate_setup setup = { LATCHKEY_LOGIN, LATCHKEY_DEADLINE_MS, syslog };

	return gate_authenticate(pamh, flags, argc, argv, &setup);
}

/* sshd calls these two in another process than pam_sm_authenticate, so what they return depends on
 * nothing that it left behind. */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	int host_errno = errno;

	(void)argc, (void)argv;
	gate_show_kept(pamh, flags);
	errno = host_errno;
	return PAM_SUCCESS;
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

/*
 * pam_latchkey.so. Read from the bottom: pam_sm_authenticate, then gate_authenticate, then what it calls.
 *
 * It runs as root inside somebody else's process, so it keeps to four rules. The only way to PAM_SUCCESS is one exact
 * frame from latchkey-login. Every wait and every buffer has a bound. The host's signals, mask, descriptors, environment,
 * limits and directory stay as they are. Between fork and execve only async-signal-safe calls are made, since another
 * thread of the host may hold any lock.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* On 32-bit machines the plain numbers are the calls with 16-bit ids. */
#ifdef SYS_setresuid32
#define RAW_SETGROUPS SYS_setgroups32
#define RAW_SETRESGID SYS_setresgid32
#define RAW_SETRESUID SYS_setresuid32
#else
#define RAW_SETGROUPS SYS_setgroups
#define RAW_SETRESGID SYS_setresgid
#define RAW_SETRESUID SYS_setresuid
#endif

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* deny notes why the gate itself ends this login. It returns false, so that callers can return what it returns. */
__attribute__((format(printf, 2, 3)))
static bool deny(struct gate *g, const char *format, ...)
{
	va_list args;

	/* SAFETY: bounded by the size of detail. */
	va_start(args, format);
	vsnprintf(g->detail, sizeof g->detail, format, args);
	va_end(args);
	return false;
}

/* ---- the name service ---- */

/* SAFETY: takes buffer (NULL at first) and returns a new one of twice the size, owned by the caller; past GATE_LOOKUP, or
 * without memory, it returns NULL. The old buffer is freed in either case. */
static char *grow(char *buffer, size_t *size)
{
	free(buffer);
	*size = *size ? *size * 2 : 4096;
	return *size <= GATE_LOOKUP ? malloc(*size) : NULL;
}

/* look_up tells "no such user" from "cannot be told": a name service that is down must not turn an enrolled user into an
 * unknown one. */
static void look_up(struct gate_account *account, const char *user)
{
	struct passwd entry, *found = NULL;
	char *buffer = NULL;
	size_t size = 0;
	int error = ERANGE;

	/* SAFETY: entry points into buffer; what is kept is copied out before buffer is freed. */
	account->state = GATE_UNTOLD;
	while (error == ERANGE && (buffer = grow(buffer, &size)))
		error = getpwnam_r(user, &entry, buffer, size, &found);
	if (error == 0 && !found)
		account->state = GATE_UNKNOWN;
	if (error == 0 && found && strlen(entry.pw_name) <= GATE_ITEM) {
		strcpy(account->name, entry.pw_name);
		account->uid = entry.pw_uid;
		account->gid = entry.pw_gid;
		account->state = GATE_KNOWN;
	}
	free(buffer);
}

/* in_groups asks for all groups of the user, as a login would get them: directories need not list members by group. */
static int in_groups(const struct gate_account *account, gid_t wanted)
{
	gid_t *groups = NULL;
	int count = 64, room, found = -1;

	/* SAFETY: groups is ours and holds room entries; getgrouplist writes no more than it is told and sets count to what
	 * it needs. */
	do {
		room = count;
		free(groups);
		groups = room <= GATE_GROUPS ? calloc(room, sizeof *groups) : NULL;
		if (!groups)
			return -1;
		found = getgrouplist(account->name, account->gid, groups, &count);
	} while (found < 0 && count > room);
	for (int i = 0; i < found; i++)
		if (groups[i] == wanted) {
			free(groups);
			return 1;
		}
	free(groups);
	return found < 0 ? -1 : 0;
}

/* in_group: 1 if the user is in the group (@name: netgroup), 0 if not, -1 if it cannot be told. getgrouplist hides a name
 * service that fails, so the group itself is asked for first, which does not. */
static int in_group(const struct gate_account *account, const char *name)
{
	struct group entry, *found = NULL;
	char *buffer = NULL;
	size_t size = 0;
	int error = ERANGE, is_member = 0;
	gid_t gid = 0;

	if (account->state != GATE_KNOWN)
		return -1;
	if (name[0] == '@')
		return innetgr(name + 1, NULL, account->name, NULL) ? 1 : 0;
	/* SAFETY: entry points into buffer, which is freed after the last look at it. */
	while (error == ERANGE && (buffer = grow(buffer, &size)))
		error = getgrnam_r(name, &entry, buffer, size, &found);
	if (error == 0 && found) {
		gid = entry.gr_gid;
		is_member = gid == account->gid;
		for (char **member = entry.gr_mem; *member; member++)
			is_member |= strcmp(*member, account->name) == 0;
	}
	free(buffer);
	if (error)
		return -1;
	return is_member || !found ? is_member : in_groups(account, gid);
}

/* ---- the child, from fork to execve: async-signal-safe calls only, memory of the host never written but our own stack ---- */

/* A caller of su chooses the limits that su inherits; none of them reaches the login program. */
static const struct {
	int what;
	rlim_t soft, hard;
} limits[] = {
	{ RLIMIT_CORE, 0, 0 }, /* no secret in a core file */
	{ RLIMIT_CPU, 60, 60 },
	{ RLIMIT_FSIZE, 16 << 20, 16 << 20 },
	{ RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY }, /* Go reserves far more than it uses */
	{ RLIMIT_DATA, 512 << 20, 512 << 20 },
	{ RLIMIT_STACK, 8 << 20, RLIM_INFINITY },
	{ RLIMIT_NOFILE, 64, 64 },
	{ RLIMIT_NPROC, RLIM_INFINITY, RLIM_INFINITY }, /* counted per user: else other logins' processes would count */
	{ RLIMIT_MEMLOCK, 8 << 20, 8 << 20 },
	{ RLIMIT_SIGPENDING, 1024, 1024 },
};

static void child_limits(void)
{
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct rlimit old, new = { limits[i].soft, limits[i].hard };

		if (setrlimit(limits[i].what, &new) == 0 || getrlimit(limits[i].what, &old) != 0)
			continue;
		/* Raising is not permitted: come as near as possible. */
		new.rlim_max = new.rlim_max < old.rlim_max ? new.rlim_max : old.rlim_max;
		new.rlim_cur = new.rlim_cur < new.rlim_max ? new.rlim_cur : new.rlim_max;
		setrlimit(limits[i].what, &new);
	}
}

/* SAFETY: all zero is SIG_DFL in every layout of the kernel's structure, and 64 bytes are larger than each. The raw call
 * is used because glibc's refuses its own two signals, which an invoker of su may have set to be ignored. */
static void child_signals(void)
{
	static const char zero[64];

	for (int signal = 1; signal < _NSIG; signal++)
		syscall(SYS_rt_sigaction, signal, zero, NULL, _NSIG / 8);
}

/* All ids become root's, so that the invoker of su can neither kill nor trace the child. The raw calls change this thread,
 * which is the only one; glibc's would signal the host's threads, which are not here. */
static bool child_ids(void)
{
	if (geteuid() != 0)
		return true;
	return syscall(RAW_SETGROUPS, 0, NULL) == 0 && syscall(RAW_SETRESGID, 0, 0, 0) == 0 && syscall(RAW_SETRESUID, 0, 0, 0) == 0;
}

/* A change of ids clears the death signal, so it is set after that. The parent may have died before: then nobody would send
 * it. */
static bool child_dies_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

/* The socket becomes descriptor 0, and there is no other: not a host key, not the client's connection. */
static bool child_descriptors(int sock)
{
	if (dup2(sock, 0) < 0)
		return false;
	closefrom(1);
	return true;
}

/* The gate sends hello once it holds a pidfd. Until then the child must not end: a host that ignores SIGCHLD gives its pid
 * away at once, and an invoker of su who stops su right there could have the gate kill a stranger. */
static void child_waits(void)
{
	struct pollfd hello = { .fd = 0, .events = POLLIN };

	while (poll(&hello, 1, -1) < 0 && errno == EINTR)
		;
}

/* Tells the gate which step failed and why (WIRE.md, `X`). */
static _Noreturn void child_fails(char step, int error)
{
	char frame[3] = { 'X', step, (char)error };

	send(0, frame, sizeof frame, MSG_NOSIGNAL);
	_exit(127);
}

static _Noreturn void child(const char *program, int sock, pid_t parent)
{
	static char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "GOGC=off", "GOMAXPROCS=1", "GOTRACEBACK=none", NULL,
	};
	char *const arguments[] = { (char *)program, NULL };
	int error;
	sigset_t none;

	child_signals();
	setsid();
	umask(077);
	error = child_ids() && chdir("/") == 0 ? 0 : errno;
	child_limits();
	if (!child_dies_with(parent) || !child_descriptors(sock))
		_exit(127);
	child_waits();
	if (error)
		child_fails('r', error);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(program, arguments, environment);
	child_fails('e', errno);
}

/* ---- spawning it and being rid of it ---- */

/* SAFETY: takes ownership of fd and returns one at 3 or above, or -1. A host that closed its 0-2 may read and write there
 * during the conversation; that must not reach the login program. */
static int above_stdio(int fd)
{
	int up, error;

	if (fd < 0 || fd > 2)
		return fd;
	up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	error = errno;
	close(fd);
	errno = error;
	return up;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* SAFETY: on success g owns sock, pidfd (where the kernel has them) and the child; end_child and gate_authenticate give all three back. The child's
 * end is closed here. Signals are blocked around the fork, so no handler of the host runs in the child. */
static bool spawn(struct gate *g)
{
	int pair[2] = { -1, -1 };
	pid_t parent = getpid();
	sigset_t all, old;
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return deny(g, "socketpair: %s", strerrordesc_np(errno));
	g->sock = above_stdio(pair[0]);
	pair[1] = above_stdio(pair[1]);
	if (g->sock < 0 || pair[1] < 0) {
		shut(&pair[1]);
		return deny(g, "socketpair: %s", strerrordesc_np(errno));
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	g->pid = _Fork();
	if (g->pid == 0)
		child(g->setup->program, pair[1], parent);
	error = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	shut(&pair[1]);
	if (g->pid < 0) {
		g->pid = 0;
		return deny(g, "fork: %s", strerrordesc_np(error));
	}
	g->pidfd = above_stdio(syscall(SYS_pidfd_open, g->pid, 0));
	return true;
}

/* Waits until the child has ended, but not longer than ms. Without a pidfd its end of the socket tells. */
static void await_end(const struct gate *g, int64_t ms)
{
	int64_t until = now_ms() + ms;
	struct pollfd end = { .fd = g->pidfd, .events = POLLIN };

	if (g->pidfd < 0)
		end = (struct pollfd){ .fd = g->sock }; /* POLLHUP is always reported */
	while (ms > 0 && poll(&end, 1, ms) <= 0)
		ms = until - now_ms();
}

/* SAFETY: a signal through the pidfd can only hit our child. Without one, the pid is still ours if waitpid says that the
 * child runs; signals are blocked between the two calls so that no handler of the host reaps it there. */
static void kill_child(const struct gate *g)
{
	sigset_t all, old;

	if (g->pidfd >= 0) {
		syscall(SYS_pidfd_send_signal, g->pidfd, SIGKILL, NULL, 0);
		return;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (waitpid(g->pid, NULL, WNOHANG) == 0)
		kill(g->pid, SIGKILL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* The host may ignore SIGCHLD or reap everything: ECHILD is as good, and no exit status is ever looked at. */
static void reap(const struct gate *g)
{
	siginfo_t info;

	if (g->pidfd >= 0 && (waitid(P_PIDFD, g->pidfd, &info, WEXITED | WNOHANG) == 0 || errno == ECHILD))
		return;
	while (waitpid(g->pid, NULL, g->pidfd >= 0 ? WNOHANG : 0) < 0 && errno == EINTR)
		;
}

/* Gives the child time to end by itself, then none. */
static void end_child(struct gate *g, int64_t grace_ms)
{
	int64_t left = g->deadline - now_ms();

	if (g->pid <= 0)
		return;
	await_end(g, grace_ms < left ? grace_ms : left);
	kill_child(g);
	await_end(g, GATE_REAP_MS);
	reap(g);
	g->pid = 0;
}

/* ---- what the gate says ---- */

/* A login program that does not read, or has ended, is not waited for: the next receive tells what became of it. */
static bool say(struct gate *g, const char *frame, size_t length)
{
	if (send(g->sock, frame, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EPIPE || errno == ECONNRESET)
		return true;
	return deny(g, "sending to the login program: %s", strerrordesc_np(errno));
}

/* SAFETY: copies at most GATE_ANSWER bytes of text; the copy holds the user's code and is wiped. */
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

/* SAFETY: appends to frame, which has room for GATE_FRAME bytes; length keeps counting past that, and the caller then
 * refuses the frame. */
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

/* SAFETY: the value is the handle's; it is valid until the application sets the item anew and is never freed here. */
static const char *item(pam_handle_t *pamh, int type)
{
	const void *value = NULL;

	if (pam_get_item(pamh, type, &value) != PAM_SUCCESS || !value)
		return "";
	return value;
}

static bool hello(struct gate *g, int argc, const char **argv)
{
	const char *auth_info = pam_getenv(g->pamh, "SSH_AUTH_INFO_0");
	char uid[16] = "error";

	if (g->account.state == GATE_KNOWN)
		snprintf(uid, sizeof uid, "%u", g->account.uid);
	if (g->account.state == GATE_UNKNOWN)
		strcpy(uid, "none");
	g->length = 0;
	put(g, "H1", sizeof "H1");
	put_field(g, "user", item(g->pamh, PAM_USER), GATE_ITEM);
	put_field(g, "name", g->account.name, GATE_ITEM);
	put_field(g, "uid", uid, sizeof uid);
	put_field(g, "service", item(g->pamh, PAM_SERVICE), GATE_ITEM);
	put_field(g, "rhost", item(g->pamh, PAM_RHOST), GATE_ITEM);
	put_field(g, "tty", item(g->pamh, PAM_TTY), GATE_ITEM);
	put_field(g, "ruser", item(g->pamh, PAM_RUSER), GATE_ITEM);
	put_field(g, "auth_info", auth_info ? auth_info : "", GATE_AUTH_INFO);
	put_field(g, "silent", g->silent ? "1" : "0", 1);
	for (int i = 0; i < argc; i++)
		put_field(g, "arg", argv[i], SIZE_MAX);
	if (g->length > GATE_FRAME)
		return deny(g, "the module arguments do not fit into one frame");
	return say(g, g->frame, g->length);
}

/* ---- what the login program says ---- */

/* Fills frame with one whole frame. Time-out, end of file and frames of a wrong length are denials. */
static bool receive(struct gate *g)
{
	struct pollfd ready[2] = { { .fd = g->sock, .events = POLLIN }, { .fd = g->pidfd, .events = POLLIN } };
	int64_t left;
	ssize_t length;
	int count;

	for (;;) {
		if ((left = g->deadline - now_ms()) <= 0)
			return deny(g, "login program gave no verdict within %d ms", g->setup->deadline_ms);
		if ((count = poll(ready, 2, left)) < 0 && errno != EINTR)
			return deny(g, "poll: %s", strerrordesc_np(errno));
		if (count <= 0)
			continue;
		/* SAFETY: MSG_TRUNC makes length the frame's own, however much of it fits. */
		length = recv(g->sock, g->frame, GATE_FRAME, MSG_DONTWAIT | MSG_TRUNC);
		if (length > GATE_FRAME)
			return deny(g, "login program sent a frame longer than %d bytes", GATE_FRAME);
		if (length > 0)
			break;
		if (length == 0 && !(ready[0].revents & POLLHUP))
			return deny(g, "login program sent an empty frame");
		/* Reset: it ended with something of ours unread; its last frame may still be there. Nothing to read although
		 * it ended: another process of the host holds a copy of its end. */
		if (length == 0 || (errno != EINTR && errno != ECONNRESET && (errno != EAGAIN || ready[1].revents)))
			return deny(g, "login program ended without a verdict");
	}
	g->frame[length] = 0;
	g->length = length;
	return true;
}

/* SAFETY: the application allocated both (malloc, by contract of pam_conv(3)) and handed them to us: wiped and freed. */
static void drop(struct pam_response *reply)
{
	if (!reply)
		return;
	if (reply->resp) {
		explicit_bzero(reply->resp, strlen(reply->resp));
		free(reply->resp);
	}
	free(reply);
}

/* SAFETY: the structure is the handle's, so it is asked for anew before each use. */
static const struct pam_conv *conversation(pam_handle_t *pamh)
{
	const void *value = NULL;
	const struct pam_conv *conv;

	if (pam_get_item(pamh, PAM_CONV, &value) != PAM_SUCCESS || !value)
		return NULL;
	conv = value;
	return conv->conv ? conv : NULL;
}

/* Calls the application's conversation function with one message. The user's typing does not count against the deadline. */
static int converse(struct gate *g, int style, const char *text, struct pam_response **reply)
{
	const struct pam_message message = { .msg_style = style, .msg = text };
	const struct pam_message *messages = &message;
	const struct pam_conv *conv = conversation(g->pamh);
	int64_t asked = now_ms();
	int code;

	if (!conv)
		return PAM_CONV_ERR;
	code = conv->conv(1, &messages, reply, conv->appdata_ptr);
	g->deadline += now_ms() - asked;
	return code;
}

static bool ask(struct gate *g, int style)
{
	struct pam_response *reply = NULL;
	int code = converse(g, style, g->frame + 1, &reply);
	bool sent;

	if (code == PAM_SUCCESS && reply && reply->resp)
		sent = answer(g, reply->resp);
	else
		sent = no_answer(g, code == PAM_SUCCESS ? PAM_CONV_ERR : code);
	drop(reply);
	return sent;
}

static bool show(struct gate *g, int style)
{
	struct pam_response *reply = NULL;

	if (!g->silent)
		converse(g, style, g->frame + 1, &reply);
	drop(reply);
	return answer(g, "");
}

static bool tell_group(struct gate *g)
{
	int member = in_group(&g->account, g->frame + 1);

	if (member < 0)
		return no_answer(g, PAM_SERVICE_ERR);
	return answer(g, member ? "yes" : "no");
}

/* The child tells why it could not become the login program. After execve such a frame is only one more way to be denied. */
static bool not_started(struct gate *g)
{
	const char *why;

	if (g->length != 3)
		return deny(g, "login program sent a frame of an unknown type");
	why = strerrordesc_np((unsigned char)g->frame[2]);
	return deny(g, "%s: %s", g->frame[1] == 'e' ? g->setup->program : "becoming root in /", why ? why : "unknown error");
}

#define DIGITS_OF(code) #code
#define DIGITS(code) DIGITS_OF(code)
#define DENY(code) { "1 deny " DIGITS(code), code }

/* The only table from a verdict's bytes to a return value. */
static const struct {
	const char *payload;
	int code;
} verdicts[] = {
	{ "1 allow", PAM_SUCCESS },
	DENY(PAM_AUTH_ERR), DENY(PAM_USER_UNKNOWN), DENY(PAM_MAXTRIES), DENY(PAM_AUTHINFO_UNAVAIL),
	DENY(PAM_PERM_DENIED), DENY(PAM_CONV_ERR), DENY(PAM_SYSTEM_ERR),
};

static int verdict(struct gate *g)
{
	const char *payload = g->frame + 1;

	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
		if (g->length == 1 + strlen(verdicts[i].payload) && strcmp(payload, verdicts[i].payload) == 0)
			return verdicts[i].code;
	if (strncmp(payload, "1 ", 2) != 0)
		deny(g, "login program is of another version");
	else
		deny(g, "login program sent a malformed verdict");
	return PAM_SYSTEM_ERR;
}

/* One frame that is not a verdict. False ends the login. */
static bool serve(struct gate *g)
{
	if (memchr(g->frame, 0, g->length) && g->frame[0] != 'X')
		return deny(g, "login program sent a text with a NUL byte");
	switch (g->frame[0]) {
	case 'Q':
		return ask(g, PAM_PROMPT_ECHO_ON);
	case 'S':
		return ask(g, PAM_PROMPT_ECHO_OFF);
	case 'I':
		return show(g, PAM_TEXT_INFO);
	case 'E':
		return show(g, PAM_ERROR_MSG);
	case 'G':
		return tell_group(g);
	case 'X':
		return not_started(g);
	default:
		return deny(g, "login program sent a frame of an unknown type");
	}
}

/* Nothing may follow a verdict: a login program that goes on talking is not the one that was specified. Asked once it has
 * ended. */
static bool expect_silence(struct gate *g)
{
	ssize_t length;

	do
		length = recv(g->sock, g->frame, 1, MSG_DONTWAIT);
	while (length < 0 && errno == ECONNRESET); /* it ended with something of ours unread; told once */
	if (length > 0)
		return deny(g, "login program sent a frame after its verdict");
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
	end_child(g, g->detail[0] ? 0 : GATE_GRACE_MS);
	if (g->detail[0] || !expect_silence(g))
		return PAM_SYSTEM_ERR;
	return code;
}

/* ---- the log ---- */

enum { LOG_CUT = 255, LOG_QUOTED = 4 * LOG_CUT + 1 };

/* SAFETY: reads at most LOG_CUT bytes and writes at most four for each, and a NUL. A name with a newline or an escape
 * sequence in it can then neither forge a line nor drive a terminal. */
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

/* One line for a denial that the login program cannot log, because there is none. */
static void audit(struct gate *g)
{
	char user[LOG_QUOTED], service[LOG_QUOTED], from[LOG_QUOTED], detail[LOG_QUOTED], line[4 * LOG_QUOTED + 256];

	snprintf(line, sizeof line,
		 "latchkey: verdict=deny user=\"%s\" service=\"%s\" from=\"%s\" method=none device=\"\" reason=internal tries=0 ms=%lld detail=\"%s\"",
		 quoted(user, item(g->pamh, PAM_USER)), quoted(service, item(g->pamh, PAM_SERVICE)),
		 quoted(from, item(g->pamh, PAM_RHOST)), (long long)(now_ms() - g->began), quoted(detail, g->detail));
	g->setup->log(LOG_AUTHPRIV | LOG_WARNING, "%s", line);
}

/* ---- the module ---- */

/* SAFETY: the name is the handle's. Linux-PAM 1.5.2 asks for a missing name through a conversation function without looking
 * whether there is one. */
static const char *user_name(pam_handle_t *pamh)
{
	const void *set = NULL;
	const char *user = NULL;

	if ((pam_get_item(pamh, PAM_USER, &set) != PAM_SUCCESS || !set) && !conversation(pamh))
		return NULL;
	return pam_get_user(pamh, &user, NULL) == PAM_SUCCESS ? user : NULL;
}

static int login(struct gate *g, int argc, const char **argv)
{
	const char *user = user_name(g->pamh);
	int code = PAM_SYSTEM_ERR;

	if (!user) {
		deny(g, "the application gave no user name");
		return code;
	}
	g->deadline = now_ms() + g->setup->deadline_ms;
	look_up(&g->account, user);
	if (spawn(g) && hello(g, argc, argv))
		code = gate_relay(g);
	end_child(g, 0);
	return code;
}

int gate_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv, const struct gate_setup *setup)
{
	struct gate g = { .pamh = pamh, .setup = setup, .silent = flags & PAM_SILENT, .began = now_ms(), .sock = -1, .pidfd = -1 };
	int host_errno = errno, code = PAM_SYSTEM_ERR;

	/* SAFETY: frame and the descriptors are ours from here to the end of this function. */
	g.frame = malloc(GATE_FRAME + 1);
	if (g.frame)
		code = login(&g, argc, argv);
	else
		deny(&g, "no memory");
	shut(&g.pidfd);
	shut(&g.sock);
	free(g.frame);
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

/* sshd calls these two in another process than pam_sm_authenticate, so they depend on nothing that one left behind. */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

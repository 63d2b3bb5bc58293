/*
 * latchkey-login as a child of the host: started so that nothing of the host or its caller reaches
 * it, and gone afterwards in every case. Up to execve the child runs in the host's own memory, as
 * after vfork(2), because a copy of it would cost more than the rest of the start. So it writes
 * nothing there but a stack of its own and errno, and makes only calls that are safe in a signal
 * handler: another thread of the host may hold any lock. The thread that started it waits.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
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

/* ---- from clone to execve, in the child ---- */

/* AddressSanitizer marks what a function has on its stack, and would not hear of the child's
 * execve, after which the host uses that memory again. */
#define IN_CHILD __attribute__((no_sanitize("address")))

/* A caller of su chooses the limits that su inherits; none of them reaches the login program.
 * Below the value in `least`, where it may not raise the limit, it may never reach a verdict. */
static const struct {
	int what;
	rlim_t soft, hard, least;
	const char *name;
} limits[] = {
	{ RLIMIT_CORE, 0, 0, 0, "RLIMIT_CORE" }, /* no secret in a core file */
	{ RLIMIT_CPU, 60, 60, 10, "RLIMIT_CPU" },
	{ RLIMIT_FSIZE, 16 << 20, 16 << 20, 64 << 10, "RLIMIT_FSIZE" },
	/* Go reserves far more than it uses. */
	{ RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY, 2ULL << 30, "RLIMIT_AS" },
	{ RLIMIT_DATA, 512 << 20, 512 << 20, 512 << 20, "RLIMIT_DATA" },
	{ RLIMIT_STACK, 8 << 20, RLIM_INFINITY, 256 << 10, "RLIMIT_STACK" },
	/* Descriptors 0 to 2, until Go's package syscall makes the hard limit the soft one: its runtime,
	 * which starts before, then cannot read about control groups and all that is mounted. */
	{ RLIMIT_NOFILE, 3, 64, 16, "RLIMIT_NOFILE" },
	/* Counted per user: with a limit, the processes of other logins would count. */
	{ RLIMIT_NPROC, RLIM_INFINITY, RLIM_INFINITY, 64, "RLIMIT_NPROC" },
	{ RLIMIT_MEMLOCK, 8 << 20, 8 << 20, 0, "RLIMIT_MEMLOCK" },
	{ RLIMIT_SIGPENDING, 1024, 1024, 0, "RLIMIT_SIGPENDING" },
};

IN_CHILD static void child_limits(void)
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

/* The priorities that a caller of su chose do not reach it either: a login program that hardly
 * ever runs would hold its locks for long. Where root may not reset them (a container without
 * CAP_SYS_NICE), a process that waits for such a lock ends its holder. */
IN_CHILD static void child_scheduling(void)
{
	const struct sched_param none = { 0 };

	sched_setscheduler(0, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, 0, 0);
	syscall(SYS_ioprio_set, 1, 0, 0); /* of this process: none, so that nice decides */
	/* Go has a thread that looks around every 20 microseconds, more or less. */
	prctl(PR_SET_TIMERSLACK, 1000000, 0, 0, 0);
}

/* SAFETY: all zero is SIG_DFL in every layout of the kernel's structure, and 64 bytes are
 * larger than each. The raw call is used because glibc's refuses its own two signals, which an
 * invoker of su may have set to be ignored. */
IN_CHILD static void child_signals(void)
{
	static const char zero[64];

	for (int signal = 1; signal < _NSIG; signal++)
		syscall(SYS_rt_sigaction, signal, zero, NULL, _NSIG / 8);
}

/* All ids become root's, so that the invoker of su can neither kill nor trace the child. The
 * raw calls change this thread, which is the only one; glibc's would signal the host's threads,
 * which are not here. */
IN_CHILD static bool child_ids(void)
{
	if (geteuid() != 0)
		return true;
	return syscall(RAW_SETGROUPS, 0, NULL) == 0 && syscall(RAW_SETRESGID, 0, 0, 0) == 0 &&
	       syscall(RAW_SETRESUID, 0, 0, 0) == 0;
}

/* A change of ids clears the death signal, so it is set after that. The parent may have died
 * before: then there would be no one to send it. */
IN_CHILD static bool child_dies_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

/* The socket becomes descriptor 0, and there is no other: not a host key, not the client's
 * connection. */
IN_CHILD static bool child_descriptors(int sock)
{
	if (dup2(sock, 0) < 0)
		return false;
	closefrom(1);
	return true;
}

/* The host's thread waits for execve, which may hang on a file system that does not answer, and
 * nothing else would end that wait. The timer goes with execve. Where there is none to be had,
 * login goes on. SAFETY: four longs are the kernel's first itimerspec on every machine. */
IN_CHILD static void child_ends_in(long ms)
{
	struct sigevent end = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	const long once[4] = { 0, 0, ms / 1000, ms % 1000 * 1000000 };
	int timer;

	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &end, &timer) == 0)
		syscall(SYS_timer_settime, timer, 0, once, NULL);
}

/* Reports to the gate which step failed and why (WIRE.md, `X`). The raw call is no cancellation
 * point: the host may cancel its thread, whose state this is. */
IN_CHILD static _Noreturn void child_fails(char step, int error)
{
	char frame[3] = { 'X', step, (char)error };

	syscall(SYS_write, 0, frame, sizeof frame);
	_exit(127);
}

/* What the child is told. */
struct start {
	const struct gate_setup *setup;
	int sock;
	pid_t parent;
};

IN_CHILD static int child(void *told)
{
	static char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "GOGC=off", "GOMAXPROCS=1",
		"GOTRACEBACK=none", NULL,
	};
	const struct start *start = told;
	char *const arguments[] = { (char *)start->setup->program, NULL };
	int error;
	sigset_t none;

	child_signals();
	setsid();
	umask(077);
	error = child_ids() && chdir("/") == 0 ? 0 : errno;
	child_limits();
	child_scheduling();
	if (!child_dies_with(start->parent) || !child_descriptors(start->sock))
		_exit(127);
	if (error)
		child_fails('r', error);
	child_ends_in(start->setup->deadline_ms);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(start->setup->program, arguments, environment);
	child_fails('e', errno);
}

/* ---- starting it and being rid of it, in the host ---- */

static bool may_raise_limits(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) == 0 && data[0].effective & 1u << CAP_SYS_RESOURCE;
}

/* A login program that ended without a verdict cannot report that a limit of the host was too
 * low for it (vsftpd and dovecot limit their address space). SAFETY: bounded by the size of
 * detail. */
void gate_name_limits(struct gate *g)
{
	struct rlimit own;
	bool megabytes;
	size_t at;

	if (may_raise_limits())
		return;
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		if (getrlimit(limits[i].what, &own) != 0 || own.rlim_max >= limits[i].least)
			continue;
		at = strlen(g->detail);
		megabytes = own.rlim_max >= 1 << 20;
		snprintf(g->detail + at, sizeof g->detail - at, "; %s is %llu%s and may not be raised",
			 limits[i].name,
			 (unsigned long long)(megabytes ? own.rlim_max >> 20 : own.rlim_max),
			 megabytes ? " MB" : "");
	}
}

/* SAFETY: takes ownership of fd and returns one at 3 or above, or -1. A host that closed its
 * 0-2 may read and write there during the conversation; that must not reach the login program. */
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

void gate_shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

enum { CHILD_STACK = 16384 };

/* Starts the child and waits until it has become latchkey-login or has ended. The pidfd comes with
 * it: a host that ignores SIGCHLD gives the pid of a child that ended away at once. Kernels before
 * 5.2 take no notice of CLONE_PIDFD, and some emulators refuse it: pidfd then stays as it is.
 * SAFETY: stack and told are this thread's, which waits. Its signals are blocked, so no handler of
 * the host runs in the child. What the child changes of itself (signal actions, descriptors,
 * directory, limits, ids) is not shared, but for one thing: a process whose group changes is never
 * dumped, nor traced by other users, and that goes with the memory. So a host that is root's but
 * not of root's group stays that way, which only keeps its secrets better. */
static pid_t start_child(struct start *told, int *pidfd)
{
	const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	_Alignas(16) char stack[CHILD_STACK];
	pid_t pid = clone(child, stack + sizeof stack, flags | CLONE_PIDFD, told, pidfd);

	if (pid < 0 && errno == EINVAL)
		pid = clone(child, stack + sizeof stack, flags, told);
	return pid;
}

/* SAFETY: on success g owns sock, pidfd (where the kernel has them) and the child;
 * gate_end_child and gate_authenticate give all three back. The child's end is closed here. */
bool gate_spawn(struct gate *g)
{
	int pair[2] = { -1, -1 };
	struct start told = { .setup = g->setup, .parent = getpid() };
	sigset_t all, old;
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return gate_deny(g, "socketpair: %s", strerrordesc_np(errno));
	g->sock = above_stdio(pair[0]);
	pair[1] = above_stdio(pair[1]);
	if (g->sock < 0 || pair[1] < 0) {
		gate_shut(&pair[1]);
		return gate_deny(g, "socketpair: %s", strerrordesc_np(errno));
	}
	told.sock = pair[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	g->pid = start_child(&told, &g->pidfd);
	error = errno;
	g->mask = old;
	gate_shield(g, true);
	gate_shut(&pair[1]);
	if (g->pid < 0) {
		g->pid = 0;
		gate_shield(g, false);
		return gate_deny(g, "fork: %s", strerrordesc_np(error));
	}
	g->pidfd = above_stdio(g->pidfd);
	return true;
}

/* Waits until the child has ended, but no longer than ms. Without a pidfd, the end of the
 * socket shows it. */
static void await_end(const struct gate *g, int64_t ms)
{
	int64_t until = gate_now() + ms;
	struct pollfd end = { .fd = g->pidfd, .events = POLLIN };

	if (g->pidfd < 0)
		end = (struct pollfd){ .fd = g->sock }; /* POLLHUP is always reported */
	while (ms > 0 && poll(&end, 1, ms) <= 0)
		ms = until - gate_now();
}

/* SAFETY: a signal through the pidfd can only hit our child. Without one, the pid is still ours
 * if waitpid says that the child runs; signals are blocked between the two calls so that no
 * handler of the host reaps it there. */
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

/* The host may ignore SIGCHLD or reap everything: ECHILD is as good, and the exit status is
 * never used. */
static void reap(const struct gate *g)
{
	siginfo_t info;

	if (g->pidfd >= 0 &&
	    (waitid(P_PIDFD, g->pidfd, &info, WEXITED | WNOHANG) == 0 || errno == ECHILD))
		return;
	while (waitpid(g->pid, NULL, g->pidfd >= 0 ? WNOHANG : 0) < 0 && errno == EINTR)
		;
}

/* With shield the application hears of no child's end, without it of all, as before. It is down
 * while the application itself works, in its conversation function. */
void gate_shield(const struct gate *g, bool up)
{
	sigset_t mask = g->mask;

	if (up)
		sigaddset(&mask, SIGCHLD);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* The application did not start this child and does not hear of its end. vsftpd would take it for
 * the end of its own, and wait for that for ever. SAFETY: of another child's end, which may be
 * hidden behind this one's because the kernel keeps one SIGCHLD, it hears all the same, if need
 * be twice. */
static void hide_end(const struct gate *g)
{
	const struct timespec none = { 0 };
	siginfo_t info;
	sigset_t end;

	sigemptyset(&end);
	sigaddset(&end, SIGCHLD);
	if (sigtimedwait(&end, &info, &none) != SIGCHLD)
		return;
	if (info.si_pid == g->pid) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			return;
	}
	/* Only the main thread may say what the kernel said. */
	if (syscall(SYS_rt_sigqueueinfo, getpid(), SIGCHLD, &info) != 0)
		kill(getpid(), SIGCHLD);
}

/* Gives the child time to end by itself, then kills it. */
void gate_end_child(struct gate *g, int64_t grace_ms)
{
	int64_t left = g->deadline - gate_now();

	if (g->pid <= 0)
		return;
	await_end(g, grace_ms < left ? grace_ms : left);
	kill_child(g);
	await_end(g, GATE_REAP_MS);
	reap(g);
	hide_end(g);
	gate_shield(g, false);
	g->pid = 0;
}

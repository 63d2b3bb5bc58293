/*
 * A PAM application in an odd state: host CONFDIR SERVICE USER ANSWER [OPTION...]. It
 * authenticates through the real libpam and the real pam_latchkey.so, answers every prompt with
 * ANSWER, and prints one "key value" a line: the code returned, what was logged, and whether
 * anything of its own state changed. Used by the tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *out;
static const char *confdir, *service, *names = "", *meeting;
static bool null_user, full, noisy;

/* The executable's own definitions come before libc's: the module logs, and asks the name
 * service, here. */
void syslog(int priority, const char *format, ...)
{
	char line[8192];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	fprintf(out, "log %d %s\n", priority, line);
}

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
	       struct passwd **found)
{
	*found = NULL;
	if (!strcmp(names, "down"))
		return EIO;
	if (!strcmp(names, "endless"))
		return ERANGE;
	if (!strcmp(names, "absent") || size < 8192)
		return size < 8192 ? ERANGE : 0;
	snprintf(buffer, size, "%s", strcmp(names, "respell") ? name : "Alice");
	*entry = (struct passwd){ .pw_name = buffer, .pw_uid = 4294967294, .pw_gid = 4242 };
	*found = entry;
	return 0;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size,
	       struct group **found)
{
	char **members = (char **)(buffer + 64);

	*found = NULL;
	if (!strcmp(name, "down"))
		return EIO;
	if (!strcmp(name, "endless") || size < 8192)
		return ERANGE;
	if (!strcmp(name, "absent"))
		return 0;
	members[0] = !strcmp(name, "listed") ? strcpy(buffer, "alice") : NULL;
	members[1] = NULL;
	*entry = (struct group){
		.gr_gid = !strcmp(name, "primary") ? 4242 : !strcmp(name, "nested") ? 777 : 9999,
		.gr_mem = members,
	};
	*found = entry;
	return 0;
}

/* 300 groups, so that the first buffer is too small. */
int getgrouplist(const char *name, gid_t gid, gid_t *groups, int *count)
{
	int room = *count, all = !strcmp(names, "toomany") ? 100000 : 300;

	(void)name;
	if (!strcmp(names, "broken"))
		return -1;
	for (int i = 0; i < room && i < all; i++)
		groups[i] = i == all - 1 ? 777 : gid;
	*count = all;
	return room < all ? -1 : all;
}

int innetgr(const char *netgroup, const char *host, const char *user, const char *domain)
{
	return !host && !domain && !strcmp(netgroup, "team") && !strcmp(user, "alice");
}

static int converse(int count, const struct pam_message **messages, struct pam_response **replies,
		    void *answer)
{
	(void)messages;
	/* A prompt written where stderr would be must not reach the login program. */
	for (int fd = 0; noisy && fd < 3; fd++)
		if (write(fd, "noise", 5) >= 0)
			fprintf(out, "noise %d\n", fd);
	if (meeting)
		close(open(meeting, O_RDONLY));
	*replies = calloc(count, sizeof **replies);
	for (int i = 0; i < count; i++)
		(*replies)[i].resp = strdup(answer);
	return PAM_SUCCESS;
}

static pam_handle_t *start(const char *user, const char *answer)
{
	struct pam_conv conv = { converse, (void *)answer };
	pam_handle_t *pamh = NULL;
	int code = pam_start_confdir(service, null_user ? NULL : user, &conv, confdir, &pamh);

	if (code != PAM_SUCCESS) {
		fprintf(out, "start %d\n", code);
		exit(1);
	}
	return pamh;
}

static void append_file(FILE *to, const char *path, const char *const *only)
{
	FILE *file = fopen(path, "re");
	char line[4096];

	while (file && fgets(line, sizeof line, file))
		for (const char *const *key = only; *key; key++)
			if (!strncmp(line, *key, strlen(*key)))
				fputs(line, to);
	if (file)
		fclose(file);
}

/* SAFETY: the caller frees what it gets. */
static char *state(void)
{
	static const char *const status[] = {
		"SigBlk", "SigIgn", "SigCgt", "Uid", "Gid", "Groups", "Umask", "Cpus_allowed", NULL,
	};
	static const char *const all[] = { "", NULL };
	char *text = NULL, link[4096], path[64];
	size_t size;
	FILE *to = open_memstream(&text, &size);

	append_file(to, "/proc/self/status", status);
	append_file(to, "/proc/self/limits", all);
	for (char **variable = environ; variable && *variable; variable++)
		fprintf(to, "%s\n", *variable);
	fprintf(to, "cwd %s\n", getcwd(link, sizeof link));
	for (int fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t length = readlink(path, link, sizeof link - 1);
		if (length > 0)
			fprintf(to, "%d %.*s %d\n", fd, (int)length, link, fcntl(fd, F_GETFD));
	}
	fclose(to);
	return text;
}

static volatile sig_atomic_t heard;
static pid_t own;

static void hear(int signal)
{
	(void)signal;
	heard++;
}

/* A child of the application's own, which ends once the login program says through a FIFO that it runs, or once that has
 * ended. Until then it is not there. */
static void own_child(const char *fifo, bool after)
{
	char text[32] = "";
	int fd;

	own = fork();
	if (own != 0)
		return;
	fd = open(fifo, O_RDONLY);
	if (read(fd, text, sizeof text - 1) < 0)
		_exit(1);
	while (after && kill(atoi(text), 0) == 0)
		sched_yield();
	_exit(0);
}

static void reap_all(int signal)
{
	int error = errno;

	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = error;
}

static bool may_raise_limits(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 && data[0].effective & 1u << CAP_SYS_RESOURCE;
}

/* The hard limit as well, if a module with the same privileges could raise it again. */
static void limit(int what, rlim_t value)
{
	struct rlimit both;

	getrlimit(what, &both);
	both.rlim_cur = value;
	if (may_raise_limits())
		both.rlim_max = value;
	setrlimit(what, &both);
}

static void hostile_limits(void)
{
	limit(RLIMIT_CORE, RLIM_INFINITY);
	limit(RLIMIT_CPU, 3);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, 24);
	if (geteuid() == 0) /* whom it does not stop */
		limit(RLIMIT_NPROC, 1);
	limit(RLIMIT_MEMLOCK, 0);
	limit(RLIMIT_SIGPENDING, 0);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow memory counts */
	limit(RLIMIT_DATA, 64 << 20);
#endif
	limit(RLIMIT_STACK, 256 << 10);
}

/* As nice -n 19 ionice -c 3 chrt -i 0 starts it. */
static void idle(void)
{
	const struct sched_param none = { 0 };

	if (setpriority(PRIO_PROCESS, 0, 19) != 0 || syscall(SYS_ioprio_set, 1, 0, 3 << 13) != 0 ||
	    sched_setscheduler(0, SCHED_IDLE, &none) != 0)
		fprintf(out, "idle %d\n", errno);
	prctl(PR_SET_TIMERSLACK, 1000000000, 0, 0, 0);
}

/* Also the two signals that glibc keeps to itself. */
static void ignore_all(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} ignored = { SIG_IGN, 0, NULL, 0 };

	for (int signal = 1; signal < _NSIG; signal++)
		syscall(SYS_rt_sigaction, signal, &ignored, NULL, _NSIG / 8);
}

/* A kernel of before 2019: neither pidfds nor close_range. A real one takes no notice of
 * CLONE_PIDFD; emulators refuse what they do not know. */
static void old_kernel(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1000 /* CLONE_PIDFD */, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
	};
	struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		fprintf(out, "seccomp %d\n", errno);
}

static void no_descriptors(void)
{
	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		;
}

static void become(uid_t real, uid_t effective)
{
	gid_t groups[] = { 1, 2, 3 };

	if (setgroups(3, groups) != 0 || setresgid(real, effective, effective) != 0 ||
	    setresuid(real, effective, effective) != 0)
		fprintf(out, "become %d\n", errno);
}

static void nothing(int signal)
{
	(void)signal;
}

/* Interrupts everything that can be interrupted. */
static void alarm_often(void)
{
	struct sigaction action = { .sa_handler = nothing };
	struct itimerval timer = { { 0, 500 }, { 0, 500 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void assume(const char *option)
{
	sigset_t all;

	if (!strcmp(option, "sigchld=ignore"))
		signal(SIGCHLD, SIG_IGN);
	else if (!strcmp(option, "sigchld=reap"))
		signal(SIGCHLD, reap_all);
	else if (!strcmp(option, "sigchld=heard"))
		signal(SIGCHLD, hear);
	else if (!strncmp(option, "child=", 6))
		own_child(option + 6, false);
	else if (!strncmp(option, "child-after=", 12))
		own_child(option + 12, true);
	else if (!strcmp(option, "sigpipe=ignore"))
		signal(SIGPIPE, SIG_IGN);
	else if (!strcmp(option, "signals=ignored"))
		ignore_all();
	else if (!strcmp(option, "signals=blocked"))
		sigfillset(&all), sigprocmask(SIG_SETMASK, &all, NULL);
	else if (!strcmp(option, "stdio=closed"))
		noisy = true, close(0), close(1), close(2);
	else if (!strcmp(option, "descriptors=inheritable"))
		dup2(open("/etc/passwd", O_RDONLY), 200), dup2(200, 700);
	else if (!strcmp(option, "descriptors=none"))
		full = true;
	else if (!strcmp(option, "umask=0"))
		umask(0);
	else if (!strncmp(option, "cwd=", 4) && chdir(option + 4) != 0)
		fprintf(out, "chdir %d\n", errno);
	else if (!strcmp(option, "limits=hostile"))
		hostile_limits();
	else if (!strcmp(option, "scheduling=idle"))
		idle();
	else if (!strcmp(option, "processes=0"))
		limit(RLIMIT_NPROC, 0);
	else if (!strcmp(option, "kernel=old"))
		old_kernel();
	else if (!strcmp(option, "uid=su"))
		become(65534, 0);
	else if (!strcmp(option, "uid=nobody"))
		become(65534, 65534);
	else if (!strcmp(option, "alarm=often"))
		alarm_often();
	else if (!strcmp(option, "user=null"))
		null_user = true;
	else if (!strncmp(option, "meet=", 5))
		meeting = option + 5;
	else if (!strncmp(option, "names=", 6))
		names = option + 6;
}

/* One of many: each answers with the name of its own user. */
static void *one_thread(void *number)
{
	char user[32];

	snprintf(user, sizeof user, "user-%ld", (long)number);
	for (int i = 0; i < 5; i++) {
		pam_handle_t *pamh = start(user, user);
		int code = pam_authenticate(pamh, 0);

		fprintf(out, "code %d\n", code);
		pam_end(pamh, code);
	}
	return NULL;
}

static void many_threads(int count)
{
	pthread_t threads[64];

	for (long i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, one_thread, (void *)i);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* As sshd does: the rest of the stack runs in a fork. */
static void rest_elsewhere(pam_handle_t *pamh)
{
	if (fork() == 0) {
		fprintf(out, "setcred %d\n", pam_setcred(pamh, PAM_ESTABLISH_CRED));
		fprintf(out, "acct_mgmt %d\n", pam_acct_mgmt(pamh, 0));
		fclose(out);
		_exit(0);
	}
	wait(NULL);
}

static void one_login(const char *user, const char *answer, bool elsewhere)
{
	pam_handle_t *pamh = start(user, answer);
	char *before, *after;
	int code;

	if (full)
		no_descriptors();
	before = state();
	code = pam_authenticate(pamh, 0);
	after = state();
	fprintf(out, "code %d\n", code);
	fprintf(out, "state %s\n", strcmp(before, after) ? "changed" : "unchanged");
	if (strcmp(before, after))
		fprintf(out, "%s-----\n%s", before, after);
	if (elsewhere)
		rest_elsewhere(pamh);
	free(before);
	free(after);
	pam_end(pamh, code);
}

int main(int argc, char **argv)
{
	int threads = 0;
	bool elsewhere = false;
	sigset_t ends;
	siginfo_t info;

	if (argc < 5)
		return 2;
	out = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 10), "w");
	setvbuf(out, NULL, _IOLBF, 0);
	confdir = argv[1];
	service = argv[2];
	for (int i = 5; i < argc; i++) {
		assume(argv[i]);
		if (!strncmp(argv[i], "threads=", 8))
			threads = atoi(argv[i] + 8);
		elsewhere |= !strcmp(argv[i], "rest=elsewhere");
	}
	if (threads)
		many_threads(threads);
	else
		one_login(argv[3], argv[4], elsewhere);
	while (own > 0 && waitpid(own, NULL, 0) < 0 && errno == EINTR)
		;
	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	fprintf(out, "heard %d\n", heard);
	fprintf(out, "children %s\n",
		waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD
			? "none"
			: "left");
	fclose(out);
	return 0;
}

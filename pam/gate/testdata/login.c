/*
 * A login program that does as it is told: the module arguments, which reach it in hello, are its
 * script. Used by the tests in place of latchkey-login. What it sees goes to the file named by
 * notes=PATH, one "key value" a line.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char frame[40000], user[2048], answer[2048];
static FILE *notes;

static void note_bytes(const char *key, const char *bytes, ssize_t length)
{
	if (!notes)
		return;
	fprintf(notes, "%s ", key);
	for (ssize_t i = 0; i < length; i++)
		fprintf(notes, "%02x", (unsigned char)bytes[i]);
	fputc('\n', notes);
	fflush(notes);
}

static void receive(void)
{
	ssize_t length = recv(0, frame, sizeof frame - 1, 0);

	if (length <= 0)
		_exit(3);
	frame[length] = 0;
	snprintf(answer, sizeof answer, "%.2000s", frame + 1);
	note_bytes("frame", frame, length);
}

/* libc fills descriptors 1 and 2 of a program with another user's rights, and the limit allows no
 * more of them. Go raises it. */
static void open_notes(const char *path)
{
	struct rlimit given, more;

	getrlimit(RLIMIT_NOFILE, &given);
	more = given;
	more.rlim_cur = more.rlim_max;
	setrlimit(RLIMIT_NOFILE, &more);
	notes = fopen(path, "ae");
	setrlimit(RLIMIT_NOFILE, &given);
}

/* SAFETY: hex is one argument of a hello, so it is shorter than frame. */
static void send_hex(const char *hex)
{
	size_t length = strlen(hex) / 2;
	unsigned byte;

	for (size_t i = 0; i < length && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		frame[i] = (char)byte;
	send(0, frame, length, MSG_NOSIGNAL);
}

static void send_long(size_t length)
{
	memset(frame, 'x', sizeof frame);
	frame[0] = 'Q';
	send(0, frame, length, MSG_NOSIGNAL);
}

static void note_file(const char *key, const char *path)
{
	static char bytes[16384];
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, bytes, sizeof bytes);

	close(fd);
	note_bytes(key, bytes, length > 0 ? length : 0);
}

static void note_descriptors(void)
{
	for (int fd = 0; fd < 65536; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && (!notes || fd != fileno(notes)))
			fprintf(notes, "descriptor %d\n", fd);
}

static void report(void)
{
	int death = 0;
	mode_t mask = umask(0);
	char *cwd = get_current_dir_name();

	umask(mask);
	prctl(PR_GET_PDEATHSIG, &death);
	fprintf(notes, "pid %d\nsession %d\ndeath %d\numask %03o\ncwd %s\n", getpid(),
		getsid(0), death, mask, cwd);
	free(cwd);
	fprintf(notes, "scheduling %d %d %ld %d\n", sched_getscheduler(0),
		getpriority(PRIO_PROCESS, 0), syscall(SYS_ioprio_get, 1, 0),
		prctl(PR_GET_TIMERSLACK));
	note_descriptors();
	note_file("environment", "/proc/self/environ");
	note_file("status", "/proc/self/status");
	note_file("limits", "/proc/self/limits");
	note_file("arguments", "/proc/self/cmdline");
}

/* Tells the test, through a FIFO, that this point is reached. */
static void meet(const char *path)
{
	int fd = open(path, O_WRONLY);

	dprintf(fd, "%d\n", getpid());
	close(fd);
}

static void flood(void)
{
	for (int i = 0; i < 100000; i++)
		if (send(0, "Qagain", 6, MSG_NOSIGNAL) < 0)
			_exit(4);
}

/* The user must have answered with her own name: an answer that reached another login's program
 * would not match. */
static void judge(void)
{
	const char *frame = strcmp(user, answer) == 0 ? "V2 allow" : "V2 deny 7";

	send(0, frame, strlen(frame), MSG_NOSIGNAL);
}

static void obey(const char *command)
{
	const char *value = strchr(command, '=');

	value = value ? value + 1 : "";
	if (!strncmp(command, "notes=", 6)) {
		open_notes(value);
	} else if (!strncmp(command, "send=", 5)) {
		send_hex(value);
	} else if (!strncmp(command, "long=", 5)) {
		send_long(strtoul(value, NULL, 10));
	} else if (!strcmp(command, "receive")) {
		receive();
	} else if (!strcmp(command, "report")) {
		report();
	} else if (!strncmp(command, "meet=", 5)) {
		meet(value);
	} else if (!strcmp(command, "flood")) {
		flood();
	} else if (!strcmp(command, "judge")) {
		judge();
	} else if (!strncmp(command, "signal=", 7)) {
		raise(atoi(value));
	} else if (!strcmp(command, "close")) {
		close(0);
	} else if (!strncmp(command, "exit=", 5)) {
		_exit(atoi(value));
	} else if (!strcmp(command, "hang")) {
		for (;;)
			pause();
	}
	if (notes)
		fflush(notes);
}

int main(void)
{
	static char hello[40000];
	ssize_t length = recv(0, hello, sizeof hello - 1, 0);

	if (length <= 0)
		return 2;
	for (char *field = hello; field < hello + length; field += strlen(field) + 1) {
		if (!strncmp(field, "user=", 5))
			snprintf(user, sizeof user, "%s", field + 5);
		if (!strncmp(field, "arg=", 4)) {
			obey(field + 4);
			if (!strncmp(field, "arg=notes=", 10))
				note_bytes("hello", hello, length);
		}
	}
	return 0;
}

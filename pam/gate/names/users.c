/*
 * "There is no such user" is believed only if each source says so. libc does not ask for that:
 * it skips a source whose library is missing, forgets the failure of any source but the last,
 * and takes a failure without an errno for "no" (measured with glibc 2.36: `passwd: sss files`
 * without sssd, `files winbind` without winbindd, `files nosuchsource`).
 */
#define _GNU_SOURCE
#include "names.h"

#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Room for an entry. One that needs more is an entry, so the answer is not "no". */
enum { ROOM = 65536 };

typedef enum nss_status (*getpwnam_r_of)(const char *, struct passwd *, char *, size_t, int *);
typedef enum nss_status (*getpwuid_r_of)(uid_t, struct passwd *, char *, size_t, int *);

/* Red Hat's libnss_sss says "no such user" where no sssd runs, so sssd itself is called. */
static bool sssd_runs(void)
{
	struct sockaddr_un sssd = { AF_UNIX, "/var/lib/sss/pipes/nss" };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool runs = sock >= 0 && connect(sock, (struct sockaddr *)&sssd, sizeof sssd) == 0;

	if (sock >= 0)
		close(sock);
	return runs;
}

/* SAFETY: the entry points into room, which has ROOM bytes; neither is looked at, and room is
 * freed. */
static enum nss_status ask(void *function, const struct question *q, int *error)
{
	struct passwd entry;
	char *room = malloc(ROOM);
	enum nss_status status = NSS_STATUS_TRYAGAIN;

	*error = room ? 0 : ENOMEM;
	if (room && q->name)
		status = ((getpwnam_r_of)function)(q->name, &entry, room, ROOM, error);
	else if (room)
		status = ((getpwuid_r_of)function)(q->uid, &entry, room, ROOM, error);
	free(room);
	return status;
}

/* 0 if the source says no. A library without the function has no users at all. */
static int user_source(const char *source, struct question *q)
{
	void *handle = names_library(source, q), *function;
	enum nss_status status;
	int error;

	if (!handle)
		return SILENT;
	if (!(function = names_function(handle, source, q->name ? "getpwnam_r" : "getpwuid_r")))
		return 0;
	status = ask(function, q, &error);
	if (status == NSS_STATUS_SUCCESS)
		return names_silent(q, source, "contradicts itself");
	if (status != NSS_STATUS_NOTFOUND)
		return names_silent(q, source, error ? strerrordesc_np(error) : "does not answer");
	if (strcmp(source, "sss") != 0 || sssd_runs())
		return 0;
	return names_silent(q, source, "sssd does not run");
}

static int nowhere(struct question *q)
{
	int answer;

	q->why[0] = 0;
	answer = names_ask_sources("passwd", "files", user_source, q);
	return answer == 0;
}

int names_no_such_user(const char *name, char why[NAMES_WHY])
{
	return nowhere(&(struct question){ .name = name, .why = why });
}

int names_no_such_uid(uid_t uid, char why[NAMES_WHY])
{
	return nowhere(&(struct question){ .uid = uid, .why = why });
}

/* A name service with as many users as /etc/latchkey/crowd says, u0000000 and so on, which answers
 * without reading a file of all, as a directory's cache does. It stands in for libnss_compat. */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 1000000

static long at;

static long most(void)
{
	static long n = -1;

	if (n < 0) {
		FILE *file = fopen("/etc/latchkey/crowd", "re");

		if (!file || fscanf(file, "%ld", &n) != 1)
			n = 0;
		if (file)
			fclose(file);
	}
	return n;
}

/* SAFETY: what entry points to is in room, which is the caller's; it is checked to hold the name,
 * the home folder and the constants, which have at most 60 bytes together. */
static enum nss_status fill(long i, struct passwd *entry, char *room, size_t size, int *error)
{
	if (size < 200) {
		*error = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	}
	entry->pw_name = room;
	room += sprintf(room, "u%07ld", i) + 1;
	entry->pw_dir = room;
	room += sprintf(room, "/home/u%07ld", i) + 1;
	entry->pw_passwd = strcpy(room, "x");
	entry->pw_gecos = room + 1;
	entry->pw_shell = strcpy(room + 2, "/bin/bash");
	entry->pw_uid = entry->pw_gid = FIRST + i;
	return NSS_STATUS_SUCCESS;
}

static enum nss_status one(long i, struct passwd *entry, char *room, size_t size, int *error)
{
	if (i >= 0 && i < most())
		return fill(i, entry, room, size, error);
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_compat_getpwnam_r(const char *name, struct passwd *entry, char *room,
				       size_t size, int *error)
{
	long i = -1;

	if (strlen(name) == 8 && name[0] == 'u' && strspn(name + 1, "0123456789") == 7)
		i = atol(name + 1);
	return one(i, entry, room, size, error);
}

enum nss_status _nss_compat_getpwuid_r(uid_t uid, struct passwd *entry, char *room, size_t size,
				       int *error)
{
	return one((long)uid - FIRST, entry, room, size, error);
}

enum nss_status _nss_compat_setpwent(int stay)
{
	(void)stay;
	at = 0;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_compat_endpwent(void)
{
	return _nss_compat_setpwent(0);
}

enum nss_status _nss_compat_getpwent_r(struct passwd *entry, char *room, size_t size, int *error)
{
	enum nss_status status = one(at, entry, room, size, error);

	if (status == NSS_STATUS_SUCCESS)
		at++;
	return status;
}

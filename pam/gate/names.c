/*
 * What the gate asks the name service, in the application's process: latchkey-login is static and has none. Every question
 * has three answers, yes, no and "cannot be told", and the third is never taken for the second.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* SAFETY: takes buffer (NULL at first) and returns a new one of twice the size, owned by the caller; past GATE_LOOKUP, or
 * without memory, it returns NULL. The old buffer is freed in either case. */
static char *grow(char *buffer, size_t *size)
{
	free(buffer);
	*size = *size ? *size * 2 : 4096;
	return *size <= GATE_LOOKUP ? malloc(*size) : NULL;
}

/* gate_look_up tells "no such user" from "cannot be told": a name service that is down must not turn an enrolled user into an
 * unknown one. */
void gate_look_up(struct gate_account *account, const char *user)
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

/* gate_in_group: 1 if the user is in the group (@name: netgroup), 0 if not, -1 if it cannot be told. getgrouplist hides a name
 * service that fails, so the group itself is asked for first, which does not. */
int gate_in_group(const struct gate_account *account, const char *name)
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

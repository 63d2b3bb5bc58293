/* The questions: what user is this, and is the user in this group? sources.c decides when
 * libc's "no" can be believed. */
#define _GNU_SOURCE
#include "names.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SAFETY: takes buffer (NULL at first) and returns a new one of twice the size, owned by the
 * caller; past NAMES_LOOKUP, or without memory, it returns NULL. The old buffer is freed in
 * either case. */
static char *grow(char *buffer, size_t *size)
{
	free(buffer);
	*size = *size ? *size * 2 : 4096;
	return *size <= NAMES_LOOKUP ? malloc(*size) : NULL;
}

/* gate_look_up distinguishes "no such user" from "unknown": a name service that is down must
 * not turn an enrolled user into one that does not exist. libc's "not found" may be such a
 * failure, so users.c asks further. */
void gate_look_up(struct gate_account *account, const char *user)
{
	struct passwd entry, *found = NULL;
	char *buffer = NULL, why[NAMES_WHY];
	size_t size = 0;
	int error = ERANGE;

	/* SAFETY: entry points into buffer; what is kept is copied out before buffer is freed. */
	account->state = GATE_UNTOLD;
	while (error == ERANGE && (buffer = grow(buffer, &size))) {
		errno = EIO; /* a source that fails without one would look like "not found" */
		error = getpwnam_r(user, &entry, buffer, size, &found);
	}
	if (error == 0 && !found && names_no_such_user(user, why))
		account->state = GATE_UNKNOWN;
	if (error == 0 && found && strlen(entry.pw_name) <= NAMES_NAME) {
		strcpy(account->name, entry.pw_name);
		account->uid = entry.pw_uid;
		account->gid = entry.pw_gid;
		account->state = GATE_KNOWN;
	}
	free(buffer);
}

static int cannot_tell(char *why, const char *reason)
{
	snprintf(why, NAMES_WHY, "%s", reason ? reason : "the name service fails");
	return -1;
}

/* The group's gid, and whether it lists the user or is the user's own. 0, or -1 and a reason. */
static int find_group(struct question *q, gid_t *gid, bool *is_member)
{
	struct group entry, *found = NULL;
	char *buffer = NULL;
	size_t size = 0;
	int error = ERANGE;

	/* SAFETY: entry points into buffer, which is freed after the last look at it. */
	while (error == ERANGE && (buffer = grow(buffer, &size)))
		error = getgrnam_r(q->name, &entry, buffer, size, &found);
	if (error == 0 && found) {
		*gid = entry.gr_gid;
		*is_member = entry.gr_gid == q->account->gid;
		for (char **member = entry.gr_mem; *member; member++)
			*is_member |= strcmp(*member, q->account->name) == 0;
	}
	free(buffer);
	if (error)
		return cannot_tell(q->why, strerrordesc_np(error));
	if (!found && names_groups_answer(q) == 0)
		cannot_tell(q->why, "there is no such group");
	return found ? 0 : -1;
}

/* All groups of the user, as a login would get them: directories need not list members by
 * group. 1, 0, or -1 and a reason. */
static int in_groups(struct question *q, gid_t wanted)
{
	gid_t *groups = NULL;
	int count = 64, room, found = -1;

	/* SAFETY: groups is ours and holds room entries; getgrouplist writes no more than it
	 * is told and sets count to what it needs. */
	do {
		room = count;
		free(groups);
		groups = room <= NAMES_GROUPS ? calloc(room, sizeof *groups) : NULL;
		if (!groups)
			return cannot_tell(q->why, "too many groups, or no memory");
		found = getgrouplist(q->account->name, q->account->gid, groups, &count);
	} while (found < 0 && count > room);
	for (int i = 0; i < found; i++)
		if (groups[i] == wanted) {
			free(groups);
			return 1;
		}
	free(groups);
	return found < 0 ? cannot_tell(q->why, NULL) : names_groups_answer(q);
}

int gate_in_group(const struct gate_account *account, const char *name, char why[NAMES_WHY])
{
	struct question q = { .account = account, .name = name, .why = why };
	bool is_member = false;
	gid_t gid = 0;

	if (account->state != GATE_KNOWN)
		return cannot_tell(why, "the name service does not know the user");
	if (name[0] == '@') {
		q.name = name + 1;
		return innetgr(q.name, NULL, account->name, NULL) ? 1 : names_netgroup_answers(&q);
	}
	if (find_group(&q, &gid, &is_member) < 0)
		return -1;
	return is_member ? 1 : in_groups(&q, gid);
}

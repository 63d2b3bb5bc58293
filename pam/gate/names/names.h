/*
 * What the name service is asked: by the gate in the application's process, since latchkey-login
 * is static and has no name service, and by enroll, so that what it explains is what a login gets.
 * Every question has three answers, yes, no and "unknown", and the third is never taken for the
 * second.
 */
#ifndef LATCHKEY_NAMES_H
#define LATCHKEY_NAMES_H

#include <sys/types.h>

enum {
	NAMES_NAME = 1024,      /* the longest name of a user */
	NAMES_LOOKUP = 1 << 25, /* the largest buffer offered: a group of a million */
	NAMES_GROUPS = 65536,   /* NGROUPS_MAX */
	NAMES_NESTED = 64,      /* netgroups that are looked at for one question */
	NAMES_WHY = 200,
};

struct gate_account {
	/* There is no such user; the user was found; the name service failed. */
	enum { GATE_UNKNOWN, GATE_KNOWN, GATE_UNTOLD } state;
	char name[NAMES_NAME + 1];
	uid_t uid;
	gid_t gid;
};

void gate_look_up(struct gate_account *account, const char *user);

/* 1 if the user is in the group (@name: netgroup), 0 if not, -1 and a reason if that is
 * unknown. */
int gate_in_group(const struct gate_account *account, const char *name, char why[NAMES_WHY]);

/* sources.c: whether a "no" of libc's can be believed. libc silently leaves out a source that
 * cannot be asked. */
struct question {
	const struct gate_account *account;
	const char *name;           /* of the group, netgroup or user */
	uid_t uid;                  /* of the user, if name is NULL */
	char *why;                  /* NAMES_WHY bytes */
	char *seen[NAMES_NESTED];   /* netgroups that were looked at */
	int count;                  /* of seen */
};

/* Both return 0 if every source that matters answered, else -1 and a reason. */
int names_groups_answer(struct question *q);
int names_netgroup_answers(struct question *q);

/* users.c: 1 if every source says that there is no user of this name or uid, else 0 and a
 * reason. */
int names_no_such_user(const char *name, char why[NAMES_WHY]);
int names_no_such_uid(uid_t uid, char why[NAMES_WHY]);

/* Asks one source. ENOUGH: no other need be asked; SILENT: it did not answer; 0: go on. */
enum { ENOUGH = 1, SILENT = -1 };
typedef int (*source_asker)(const char *source, struct question *q);

int names_ask_sources(const char *database, const char *otherwise, source_asker ask,
		      struct question *q);
/* Notes the reason and returns SILENT. */
int names_silent(struct question *q, const char *source, const char *reason);
/* NULL and a reason if there is none. */
void *names_library(const char *source, struct question *q);
void *names_function(void *handle, const char *source, const char *what);

#endif

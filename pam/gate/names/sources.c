/*
 * Can a "no" of libc's be believed? getpwnam(3), getgrouplist(3) and innetgr(3) go through the
 * sources that /etc/nsswitch.conf lists and silently leave out those that cannot be asked: a
 * library that is missing, a daemon that is down, a file for which no descriptor is left (the
 * caller of su chooses how many there are). So before a "no" is believed, every source is asked
 * once more, by itself, and has to answer. This stops where libc does: at the first source that
 * knows a netgroup.
 */
#define _GNU_SOURCE
#include "names.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <nss.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAMES_ETC
#define NAMES_ETC "/etc"
#endif

int names_silent(struct question *q, const char *source, const char *reason)
{
	snprintf(q->why, NAMES_WHY, "source %.40s in nsswitch.conf: %s", source,
		 reason ? reason : "unknown error");
	return SILENT;
}

/* ---- nsswitch.conf ---- */

/* Asks the sources listed to the right of the colon. Actions in brackets are skipped. */
static int ask_words(char *text, source_asker ask, struct question *q)
{
	int answer = 0;

	/* SAFETY: text ends in a NUL, at which strcspn, strspn and strchr stop. */
	while (answer == 0 && *(text += strspn(text, " \t\n"))) {
		char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, " \t\n[");
		bool is_source = *text != '[';

		if (!end)
			return names_silent(q, text, "is malformed");
		char after = *end;
		*end = 0;
		if (is_source)
			answer = ask(text, q);
		*end = after;
		text = is_source ? end : end + 1;
	}
	return answer;
}

/* Returns the text to the right of the colon if the line is the database's; else NULL. */
static char *sources_of(char *line, const char *database)
{
	size_t length = strlen(database);

	line[strcspn(line, "#")] = 0;
	line += strspn(line, " \t");
	if (strncmp(line, database, length) != 0)
		return NULL;
	line += length + strspn(line + length, " \t");
	return *line == ':' ? line + 1 : NULL;
}

/* Asks the sources of a database one after the other. A database without a line of its own uses
 * that of otherwise (NULL: none). */
int names_ask_sources(const char *database, const char *otherwise, source_asker ask,
		      struct question *q)
{
	FILE *file = fopen(NAMES_ETC "/nsswitch.conf", "re");
	char *line = NULL, *sources;
	size_t size = 0;
	int answer = 0;
	bool is_listed = false;

	if (!file && errno != ENOENT)
		return names_silent(q, database, strerrordesc_np(errno));
	/* SAFETY: getline owns line until it is freed below. */
	while (file && answer == 0 && getline(&line, &size, file) >= 0)
		if ((sources = sources_of(line, database))) {
			is_listed = true;
			answer = ask_words(sources, ask, q);
		}
	if (file && answer == 0 && !feof(file))
		answer = names_silent(q, database, "cannot be read");
	free(line);
	if (file)
		fclose(file);
	return is_listed || answer != 0 || !otherwise ? answer : ask(otherwise, q);
}

/* ---- a library ---- */

/* SAFETY: the library stays loaded, as libc leaves it, so that what symbols point to stays
 * valid. */
void *names_library(const char *source, struct question *q)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char path[80];
	void *handle = NULL;

	if (source[strspn(source, letters)] == 0 &&
	    snprintf(path, sizeof path, "libnss_%s.so.2", source) < (int)sizeof path)
		handle = dlopen(path, RTLD_NOW | RTLD_NODELETE);
	if (!handle)
		names_silent(q, source, "its library cannot be loaded");
	return handle;
}

void *names_function(void *handle, const char *source, const char *what)
{
	char symbol[120];

	snprintf(symbol, sizeof symbol, "_nss_%s_%s", source, what);
	return dlsym(handle, symbol);
}

/* Red Hat's systems list sss whether there is a directory or not. Without any configuration
 * sssd never ran. */
static bool is_sss_without_configuration(const char *source)
{
	glob_t found = { 0 };
	bool none;

	if (strcmp(source, "sss") != 0)
		return false;
	if (access(NAMES_ETC "/sssd/sssd.conf", F_OK) == 0 || errno != ENOENT)
		return false;
	none = glob(NAMES_ETC "/sssd/conf.d/*.conf", GLOB_ERR, NULL, &found) == GLOB_NOMATCH;
	globfree(&found);
	return none;
}

static int judge(enum nss_status status, int error, const char *source, struct question *q)
{
	if (status == NSS_STATUS_SUCCESS || status == NSS_STATUS_NOTFOUND)
		return 0;
	if (is_sss_without_configuration(source))
		return 0;
	return names_silent(q, source, error ? strerrordesc_np(error) : "does not answer");
}

/* ---- groups ---- */

/* Reads the file to its end. */
static int group_file(struct question *q)
{
	FILE *file = fopen(NAMES_ETC "/group", "re");
	bool failed;

	if (!file)
		return names_silent(q, "files", strerrordesc_np(errno));
	while (getc_unlocked(file) != EOF)
		;
	failed = ferror(file);
	fclose(file);
	return failed ? names_silent(q, "files", "cannot be read") : 0;
}

typedef enum nss_status (*getgrnam_r_of)(const char *, struct group *, char *, size_t, int *);

/* Asks for a group that does not exist, so that no cache can answer for a daemon that is down.
 * What a source says about initgroups is of no use: libc does not look at it, and
 * libnss_systemd calls itself unavailable where it merely does not know the user. SAFETY: the
 * entry points into buffer, neither of which is looked at. */
static int group_source(const char *source, struct question *q)
{
	struct group entry;
	char buffer[4096];
	enum nss_status status;
	void *handle, *ask;
	int error = 0;

	if (strcmp(source, "files") == 0)
		return group_file(q);
	if (!(handle = names_library(source, q)))
		return SILENT;
	if (!(ask = names_function(handle, source, "getgrnam_r")))
		return 0; /* it has no groups */
	status = ((getgrnam_r_of)ask)("latchkey-no-such-group", &entry, buffer, sizeof buffer, &error);
	return judge(status, error, source, q);
}

int names_groups_answer(struct question *q)
{
	if (names_ask_sources("group", "files", group_source, q) < 0)
		return -1;
	return names_ask_sources("initgroups", NULL, group_source, q) < 0 ? -1 : 0;
}

/* ---- netgroups ---- */

static int know_netgroup(const char *name, struct question *q);

/* (host,user,domain), without the closing parenthesis: is it the user's, or everyone's? */
static bool is_theirs(const char *triple, const char *user)
{
	/* SAFETY: triple ends in a NUL, at which strchr, strspn and strcspn stop. */
	const char *field = strchr(triple, ',');
	size_t length;

	if (!field)
		return true;
	field += 1 + strspn(field + 1, " \t");
	length = strcspn(field, ", \t");
	return length == 0 || (length == strlen(user) && strncmp(field, user, length) == 0);
}

/* The netgroups that one in the file contains must be known as well. libc has said that none
 * of the triples is the user's; it may have had no memory for them all. */
static int know_nested(char *text, struct question *q)
{
	/* SAFETY: text ends in a NUL, at which strcspn, strspn and strchr stop. */
	text[strcspn(text, "#")] = 0;
	while (*(text += strspn(text, " \t\n\\"))) {
		bool is_triple = *text == '(';
		char *end = is_triple ? strchr(text, ')') : text + strcspn(text, " \t\n\\");

		if (!end)
			return names_silent(q, "files", "a netgroup is malformed");
		char after = *end;
		*end = 0;
		if (is_triple && is_theirs(text, q->account->name))
			return names_silent(q, "files",
					    "libc does not find the user in a netgroup that lists them");
		if (!is_triple && know_netgroup(text, q) < 0)
			return SILENT;
		*end = after;
		text = is_triple ? end + 1 : end;
	}
	return ENOUGH;
}

/* SAFETY: reads one entry, continuation lines included, into *entry, which getdelim-like grows
 * and the caller frees. */
static bool read_entry(FILE *file, char **entry, size_t *size)
{
	char *line = NULL, *whole;
	size_t room = 0, length = 0;
	ssize_t got;
	bool goes_on = true;

	while (goes_on && (got = getline(&line, &room, file)) >= 0) {
		goes_on = got >= 2 && line[got - 1] == '\n' && line[got - 2] == '\\';
		if (!(whole = realloc(*entry, length + got + 1)))
			break;
		*entry = whole;
		memcpy(whole + length, line, got + 1);
		length += got;
	}
	*size = length;
	free(line);
	return length > 0;
}

static int netgroup_file(struct question *q)
{
	FILE *file = fopen(NAMES_ETC "/netgroup", "re");
	size_t length = strlen(q->name), size;
	char *entry = NULL;
	int answer = 0;

	if (!file)
		return errno == ENOENT ? 0 : names_silent(q, "files", strerrordesc_np(errno));
	while (answer == 0 && read_entry(file, &entry, &size))
		if (size > length && strncmp(entry, q->name, length) == 0 &&
		    isspace((unsigned char)entry[length]))
			answer = know_nested(entry + length, q);
	if (answer == 0 && !feof(file))
		answer = names_silent(q, "files", "cannot be read");
	free(entry);
	fclose(file);
	return answer;
}

typedef enum nss_status (*setnetgrent_of)(const char *, void *);
typedef enum nss_status (*endnetgrent_of)(void *);

/* SAFETY: libc's structure for a netgroup is opaque here; place is several times as large and
 * all zero, as libc passes it. */
static int netgroup_source(const char *source, struct question *q)
{
	union { char bytes[1024]; max_align_t align; } place = { { 0 } };
	void *handle, *set, *end;
	enum nss_status status;

	if (strcmp(source, "files") == 0)
		return netgroup_file(q);
	if (!(handle = names_library(source, q)))
		return SILENT;
	if (!(set = names_function(handle, source, "setnetgrent")))
		return 0; /* it has no netgroups */
	errno = 0;
	status = ((setnetgrent_of)set)(q->name, &place);
	if (status != NSS_STATUS_SUCCESS)
		return judge(status, errno, source, q);
	if ((end = names_function(handle, source, "endnetgrent")))
		((endnetgrent_of)end)(&place);
	return ENOUGH;
}

/* 0 if some source knows the netgroup, and all that it contains; each is looked at once. */
static int know_netgroup(const char *name, struct question *q)
{
	const char *outer = q->name;
	int answer;

	for (int i = 0; i < q->count; i++)
		if (strcmp(q->seen[i], name) == 0)
			return 0;
	if (q->count == NAMES_NESTED || !(q->seen[q->count] = strdup(name)))
		return names_silent(q, "netgroup", "too many netgroups in one, or no memory");
	q->name = q->seen[q->count++];
	answer = names_ask_sources("netgroup", "files", netgroup_source, q);
	if (answer == 0)
		snprintf(q->why, NAMES_WHY, "there is no netgroup %.60s", name);
	q->name = outer;
	return answer == ENOUGH ? 0 : -1;
}

/* SAFETY: seen has copies of names, freed here. */
int names_netgroup_answers(struct question *q)
{
	int answer = know_netgroup(q->name, q);

	while (q->count > 0)
		free(q->seen[--q->count]);
	return answer;
}

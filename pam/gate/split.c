/*
 * One field for password and code (pam_latchkey(8), split). The line above the password's takes
 * the code off the end of what was typed; the line below it answers the first question with that
 * code. In between, pam_set_data(3) keeps the code, for one user and one attempt. The login
 * program decides which bytes are the code: it knows what the user has, and sees only the shape of
 * what was typed.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT "latchkey_code"

/* SAFETY: one block from the heap, of size bytes; the handle owns it until drop_kept. */
struct kept {
	size_t size;
	char code[GATE_CODE + 1];
	char user[];
};

/* SAFETY: libpam calls this once for each block that it was given: where another takes its
 * place, and in pam_end(3). */
static void drop_kept(pam_handle_t *pamh, void *data, int status)
{
	struct kept *kept = data;

	(void)pamh, (void)status;
	if (!kept)
		return;
	explicit_bzero(kept, kept->size);
	free(kept);
}

static void forget(pam_handle_t *pamh)
{
	const void *data = NULL;

	if (pam_get_data(pamh, KEPT, &data) == PAM_SUCCESS && data)
		pam_set_data(pamh, KEPT, NULL, NULL);
}

/* SAFETY: length is at most GATE_CODE. What libpam does not take is wiped here. */
static bool keep(struct gate *g, const char *code, size_t length)
{
	const char *user = gate_item(g->pamh, PAM_USER);
	size_t size = sizeof(struct kept) + strlen(user) + 1;
	struct kept *kept = calloc(1, size);

	if (!kept)
		return gate_deny(g, "no memory");
	kept->size = size;
	memcpy(kept->code, code, length);
	strcpy(kept->user, user);
	if (pam_set_data(g->pamh, KEPT, kept, drop_kept) == PAM_SUCCESS)
		return true;
	drop_kept(g->pamh, kept, 0);
	return gate_deny(g, "libpam does not keep the code");
}

/* Takes the code that the line above kept, if it was this user's. Used or not, it is gone
 * afterwards. */
void gate_take(struct gate *g)
{
	const void *data = NULL;
	const struct kept *kept;

	if (pam_get_data(g->pamh, KEPT, &data) != PAM_SUCCESS || !data)
		return;
	kept = data;
	if (strcmp(kept->user, gate_item(g->pamh, PAM_USER)) == 0)
		memcpy(g->kept, kept->code, sizeof g->kept);
	g->unsaid = g->kept[0];
	forget(g->pamh);
}

/* SAFETY: the copy is the gate's, and wiped by gate_wipe. */
static void own_typed(struct gate *g, char *text)
{
	g->typed = text;
	g->typed_length = text ? strlen(text) : 0;
}

/* Gets what was typed: PAM_AUTHTOK, or if no module has asked for the password yet, the answer
 * to that question. */
void gate_get_typed(struct gate *g)
{
	const void *set = NULL;
	struct pam_response *reply = NULL;

	forget(g->pamh);
	if (pam_get_item(g->pamh, PAM_AUTHTOK, &set) == PAM_SUCCESS && set) {
		own_typed(g, strdup(set));
		return;
	}
	if (gate_converse(g, PAM_PROMPT_ECHO_OFF, "Password: ", &reply) == PAM_SUCCESS && reply) {
		own_typed(g, reply->resp);
		reply->resp = NULL;
	}
	gate_drop(reply);
}

static char class_of(unsigned char byte)
{
	if (byte >= '0' && byte <= '9')
		return '9';
	if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z')
		return 'a';
	return byte == ',' || byte == '-' || byte == ' ' ? byte : '.';
}

/* Writes the shape that the login program gets to see. SAFETY: shape has room for GATE_SHAPE
 * bytes and a NUL. */
void gate_shape(const struct gate *g, char *shape)
{
	size_t length = g->typed_length < GATE_SHAPE ? g->typed_length : GATE_SHAPE;
	const char *end = g->typed + g->typed_length - length;

	for (size_t i = 0; i < length; i++)
		shape[i] = class_of(end[i]);
	shape[length] = 0;
}

/* Reads the verdict "2 cut N M". SAFETY: only a payload that is written back as the same bytes
 * is accepted, so each number is in plain decimal and nothing follows. */
bool gate_reads_cut(struct gate *g, const char *payload)
{
	char again[32];
	unsigned code, comma;

	if (sscanf(payload, GATE_WIRE " cut %2u %1u", &code, &comma) != 2)
		return false;
	snprintf(again, sizeof again, GATE_WIRE " cut %u %u", code, comma);
	if (strcmp(again, payload) != 0 || code > GATE_CODE || comma > 1)
		return false;
	if (!g->typed || code + comma > g->typed_length)
		return false;
	g->code_length = code;
	g->comma = comma;
	return true;
}

/* SAFETY: the string is the handle's, which others may only read: only the end that it is about
 * to lose is overwritten. Old versions of libpam free it without wiping it. */
static void wipe_item(const struct gate *g, size_t from)
{
	char *item = (char *)gate_item(g->pamh, PAM_AUTHTOK);

	if (strlen(item) == g->typed_length)
		explicit_bzero(item + from, g->typed_length - from);
}

/* Does what the verdict says: PAM_AUTHTOK becomes the password alone, and the code waits for
 * the line below. This line then has no opinion, so that it can never let anyone in. */
int gate_cut(struct gate *g)
{
	size_t password = g->typed_length - g->code_length - g->comma;

	if (g->code_length && !keep(g, g->typed + g->typed_length - g->code_length, g->code_length))
		return PAM_SYSTEM_ERR;
	wipe_item(g, password);
	explicit_bzero(g->typed + password, g->typed_length - password);
	if (pam_set_item(g->pamh, PAM_AUTHTOK, g->typed) != PAM_SUCCESS) {
		forget(g->pamh);
		gate_deny(g, "libpam does not take the password");
		return PAM_SYSTEM_ERR;
	}
	return PAM_IGNORE;
}

/* Reports whether a text is the password with the kept code behind it: a client that sends its
 * one field again. */
bool gate_is_field(const struct gate *g, const char *password, const char *text)
{
	size_t length = strlen(password);

	if (!g->kept[0] || strncmp(text, password, length) != 0)
		return false;
	text += length;
	return strcmp(text, g->kept) == 0 || (text[0] == ',' && strcmp(text + 1, g->kept) == 0);
}

void gate_wipe_typed(struct gate *g)
{
	if (g->typed) {
		explicit_bzero(g->typed, g->typed_length);
		free(g->typed);
	}
	g->typed = NULL;
	explicit_bzero(g->kept, sizeof g->kept);
}

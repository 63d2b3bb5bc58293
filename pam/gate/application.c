/*
 * The application's side: what it says about the login, and its user, who can only be reached
 * through its conversation function.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SAFETY: the value is the handle's; it is valid until the application sets the item again and
 * is never freed here. */
const char *gate_item(pam_handle_t *pamh, int type)
{
	const void *value = NULL;

	if (pam_get_item(pamh, type, &value) != PAM_SUCCESS || !value)
		return "";
	return value;
}

/* SAFETY: the application allocated both (malloc, by contract of pam_conv(3)) and handed them
 * to us: wiped and freed. */
void gate_drop(struct pam_response *reply)
{
	if (!reply)
		return;
	if (reply->resp) {
		explicit_bzero(reply->resp, strlen(reply->resp));
		free(reply->resp);
	}
	free(reply);
}

/* SAFETY: the structure is the handle's, so it is fetched before each use. */
static const struct pam_conv *conversation(pam_handle_t *pamh)
{
	const void *value = NULL;
	const struct pam_conv *conv;

	if (pam_get_item(pamh, PAM_CONV, &value) != PAM_SUCCESS || !value)
		return NULL;
	conv = value;
	return conv->conv ? conv : NULL;
}

/* Calls the application's conversation function with one message. The user's typing does not
 * count against the deadline. */
int gate_converse(struct gate *g, int style, const char *text, struct pam_response **reply)
{
	const struct pam_message message = { .msg_style = style, .msg = text };
	const struct pam_message *messages = &message;
	const struct pam_conv *conv = conversation(g->pamh);
	int64_t asked = gate_now();
	int code;

	if (!conv)
		return PAM_CONV_ERR;
	if (g->pid > 0)
		gate_shield(g, false);
	code = conv->conv(1, &messages, reply, conv->appdata_ptr);
	if (g->pid > 0)
		gate_shield(g, true);
	g->deadline += gate_now() - asked;
	return code;
}

/* What the user sees when the session begins: sshd shows what is said when credentials are set on
 * a terminal alone. There it is another process than the one that authenticates, and of what that
 * leaves behind only the PAM environment gets to it. */
#define LATER "LATCHKEY_LATER"

/* SAFETY: bounded by the size of entry; Linux-PAM keeps a copy. */
bool gate_keep_text(struct gate *g, const char *text)
{
	char entry[sizeof LATER "=" + GATE_LATER];

	snprintf(entry, sizeof entry, "%s=%.*s", LATER, GATE_LATER - 1, text);
	return pam_putenv(g->pamh, entry) == PAM_SUCCESS;
}

/* SAFETY: within the final NUL. */
static void tame(char *text)
{
	for (; *text; text++)
		if (*text != '\n' && (*text < ' ' || *text > '~'))
			*text = '?';
}

/* SAFETY: the value is the handle's and goes with the variable, so it is copied before. Another
 * module may have set it (pam_env reads a file of the user's, and su may be run by root), so it can
 * do nothing to a terminal: it is shown, and nothing else. */
void gate_show_kept(pam_handle_t *pamh, int flags)
{
	const char *kept = pam_getenv(pamh, LATER);
	struct gate g = { .pamh = pamh };
	struct pam_response *reply = NULL;
	char text[GATE_LATER];

	if (!kept)
		return;
	snprintf(text, sizeof text, "%s", kept);
	tame(text);
	pam_putenv(pamh, LATER); /* or the session would have it in its environment */
	if (!(flags & (PAM_SILENT | PAM_DELETE_CRED)))
		gate_converse(&g, PAM_TEXT_INFO, text, &reply);
	gate_drop(reply);
}

/* SAFETY: the name is the handle's. Linux-PAM 1.5.2 asks for a missing name through a
 * conversation function without checking that there is one. */
const char *gate_user(pam_handle_t *pamh)
{
	const void *set = NULL;
	const char *user = NULL;

	if ((pam_get_item(pamh, PAM_USER, &set) != PAM_SUCCESS || !set) && !conversation(pamh))
		return NULL;
	return pam_get_user(pamh, &user, NULL) == PAM_SUCCESS ? user : NULL;
}

/*
 * The module that stands for pam_unix with use_first_pass: it succeeds if PAM_AUTHTOK is the password that its argument says
 * (none: the empty one), and never asks. "ask" makes it a module that asks for PAM_AUTHTOK, and "set=TEXT" one that has it
 * from elsewhere; both have no opinion. "user=NAME" makes it one that gives the user another name. Used by the tests.
 */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <string.h>

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const void *token = NULL;
	const char *argument = argc > 0 ? argv[0] : "";

	(void)flags;
	if (!strcmp(argument, "ask"))
		return pam_get_authtok(pamh, PAM_AUTHTOK, (const char **)&token, NULL) == PAM_SUCCESS ? PAM_IGNORE : PAM_SYSTEM_ERR;
	if (!strncmp(argument, "set=", 4))
		return pam_set_item(pamh, PAM_AUTHTOK, argument + 4) == PAM_SUCCESS ? PAM_IGNORE : PAM_SYSTEM_ERR;
	if (!strncmp(argument, "user=", 5))
		return pam_set_item(pamh, PAM_USER, argument + 5) == PAM_SUCCESS ? PAM_IGNORE : PAM_SYSTEM_ERR;
	if (pam_get_item(pamh, PAM_AUTHTOK, &token) != PAM_SUCCESS || !token)
		return PAM_AUTHTOK_RECOVERY_ERR;
	return strcmp(token, argument) == 0 ? PAM_SUCCESS : PAM_AUTH_ERR;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}

/*
 * A PAM application that keeps nothing of a conversation: host CONFDIR SERVICE USER [OPTION...]. Each message goes to standard
 * output, ended by a NUL; each answer comes from standard input, straight into the reply. In the end it says "code N" and stays
 * as it is until its input ends, so that a test can look into its memory. Used by the tests.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <security/pam_appl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *text)
{
	if (write(1, text, strlen(text) + 1) < 0)
		_exit(3);
}

/* The executable's own definition comes before libc's: the module logs here. */
void syslog(int priority, const char *format, ...)
{
	char line[8192] = "log ";
	va_list args;

	(void)priority;
	va_start(args, format);
	vsnprintf(line + 4, sizeof line - 4, format, args);
	va_end(args);
	say(line);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **replies, void *nothing)
{
	(void)nothing;
	*replies = calloc(count, sizeof **replies);
	for (int i = 0; i < count; i++) {
		char *answer = calloc(1, 1024);
		bool asked = messages[i]->msg_style == PAM_PROMPT_ECHO_ON || messages[i]->msg_style == PAM_PROMPT_ECHO_OFF;

		say(messages[i]->msg);
		if (asked && read(0, answer, 1023) <= 0)
			_exit(4);
		(*replies)[i].resp = answer;
	}
	return PAM_SUCCESS;
}

/* What root has not in many containers: neither now nor after execve. */
static void without(int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	syscall(SYS_capget, &header, data);
	data[0].effective &= ~(1u << capability);
	data[0].permitted &= ~(1u << capability);
	syscall(SYS_capset, &header, data);
}

/* SAFETY: option is "limit=N:VALUE". */
static void limit(const char *option)
{
	unsigned long long value = strtoull(strchr(option, ':') + 1, NULL, 10);
	struct rlimit both = { value, value };

	if (setrlimit(atoi(strchr(option, '=') + 1), &both) != 0)
		_exit(5);
}

int main(int argc, char **argv)
{
	struct pam_conv conv = { converse, NULL };
	pam_handle_t *pamh = NULL;
	char end[16];
	int code;

	if (argc < 4)
		return 2;
	for (int i = 4; i < argc; i++)
		limit(argv[i]);
	if (argc > 4)
		without(CAP_SYS_RESOURCE);
	code = pam_start_confdir(argv[2], argv[3], &conv, argv[1], &pamh);
	if (code == PAM_SUCCESS)
		code = pam_authenticate(pamh, 0);
	pam_end(pamh, code);
	snprintf(end, sizeof end, "code %d", code);
	say(end);
	return read(0, end, 1) != 0;
}

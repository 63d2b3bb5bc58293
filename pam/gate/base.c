/* What every part of the gate calls: the time, and the reason for a denial. It calls nothing
 * else of the gate. */
#define _GNU_SOURCE
#include "gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

int64_t gate_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* gate_deny notes why the gate itself ends this login. It returns false, so that callers can
 * return its result. */
bool gate_deny(struct gate *g, const char *format, ...)
{
	va_list args;

	/* SAFETY: bounded by the size of detail. */
	va_start(args, format);
	vsnprintf(g->detail, sizeof g->detail, format, args);
	va_end(args);
	return false;
}

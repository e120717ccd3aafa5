/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities: effective and inheritable sets are empty after start; the few that are permitted
 * are raised around the one call that needs them, in the calling thread alone (libcap without psx
 * works on the calling thread).
 */
#pragma once

#include "util.h"

enum privilege {
	PRIVILEGE_OPEN,	   /* CAP_SYS_ADMIN: open of the device checks it */
	PRIVILEGE_BIND,	   /* CAP_SYS_ADMIN, CAP_DAC_OVERRIDE: the kernel keeps the binder's
			    * credentials and    opens its objects, files of mode 0, with them */
	PRIVILEGE_FOREIGN, /* CAP_DAC_OVERRIDE, CAP_FOWNER: removing trees that somebody else made
			    */
};

/*
 * Before any thread is made: reduces permitted to the union of the above (as far as it was there),
 * empties effective, inheritable and ambient, drops the rest from the bounding set, sets
 * no_new_privs. Returns 0 or an errno; -EPERM names what is missing in *ret_missing (static).
 */
int privilege_drop(const char **ret_missing);

/* Raises and lowers in the calling thread; raising what is not permitted is -EPERM. */
int privilege_raise(enum privilege what);
void privilege_lower(void);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege.h"

#include <sys/capability.h>
#include <sys/prctl.h>

/* Sets of capabilities as bits; all of ours are below 32. */
#define BIT(capability) (UINT32_C(1) << (capability))

#define OPEN_SET    BIT(CAP_SYS_ADMIN)
#define BIND_SET    (BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_OVERRIDE))
#define FOREIGN_SET (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER))
#define UNION_SET   (OPEN_SET | BIND_SET | FOREIGN_SET)

/* The kernel's own calls and not libcap's: they allocate nothing, so lowering cannot fail. */
struct sets {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

#define SETS_OF_THREAD ((struct sets){.header = {.version = _LINUX_CAPABILITY_VERSION_3}})

static int sets_get(struct sets *s)
{
	*s = SETS_OF_THREAD;
	return capget(&s->header, s->data) < 0 ? -errno : 0;
}

static int sets_put(struct sets *s)
{
	return capset(&s->header, s->data) < 0 ? -errno : 0;
}

/*
 * Needs CAP_SETPCAP in the effective set. Where that is missing somebody else has limited us, and
 * what is left does not matter much with no_new_privs.
 */
static int drop_bounding(void)
{
	for (int c = 0; c <= CAP_LAST_CAP || prctl(PR_CAPBSET_READ, c) >= 0; c++) {
		if (c < 32 && (UNION_SET & BIT(c)))
			continue;
		if (prctl(PR_CAPBSET_READ, c) == 1 && prctl(PR_CAPBSET_DROP, c) < 0 &&
		    errno != EPERM)
			return -errno;
	}
	return 0;
}

static int drop_ambient(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno; /* EINVAL: a kernel before 4.3 has no such set */
	return 0;
}

int privilege_drop(const char **ret_missing)
{
	struct sets s;
	uint32_t missing;
	int r = sets_get(&s);

	if (r < 0)
		return r;
	missing = BIND_SET & ~s.data[0].permitted;
	if (missing) {
		*ret_missing = missing & BIT(CAP_SYS_ADMIN) ? "CAP_SYS_ADMIN" : "CAP_DAC_OVERRIDE";
		return -EPERM;
	}

	/* For the bounding set CAP_SETPCAP must be effective, which it need not be at start. */
	s.data[0].effective |= s.data[0].permitted & BIT(CAP_SETPCAP);
	if ((r = sets_put(&s)) < 0 || (r = drop_bounding()) < 0 || (r = drop_ambient()) < 0)
		return r;

	memset(&s.data[1], 0, sizeof(s.data[1]));
	s.data[0] = (struct __user_cap_data_struct){
		.permitted = s.data[0].permitted & UNION_SET,
	};
	if ((r = sets_put(&s)) < 0)
		return r;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int privilege_raise(enum privilege what)
{
	static const uint32_t wanted[] = {
		[PRIVILEGE_OPEN] = OPEN_SET,
		[PRIVILEGE_BIND] = BIND_SET,
		[PRIVILEGE_FOREIGN] = FOREIGN_SET,
	};
	struct sets s;
	int r = sets_get(&s);

	if (r < 0)
		return r;
	s.data[0].effective |= wanted[what];
	return sets_put(&s); /* EPERM: not permitted */
}

void privilege_lower(void)
{
	struct sets s;

	if (sets_get(&s) < 0)
		abort(); /* a wrong version of ours */
	s.data[0].effective = s.data[1].effective = 0;
	if (sets_put(&s) < 0)
		abort(); /* giving up what one has is always allowed */
}

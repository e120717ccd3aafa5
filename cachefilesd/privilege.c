/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privilege.h"

#include <sys/capability.h>
#include <sys/prctl.h>

static const cap_value_t needed[] = {CAP_SYS_ADMIN, CAP_DAC_OVERRIDE};
static const cap_value_t kept[] = {CAP_SYS_ADMIN, CAP_DAC_OVERRIDE, CAP_FOWNER};

static const struct {
	int count;
	cap_value_t values[2];
} raised_by[] = {
	[PRIVILEGE_OPEN] = {1, {CAP_SYS_ADMIN}},
	[PRIVILEGE_BIND] = {2, {CAP_SYS_ADMIN, CAP_DAC_OVERRIDE}},
	[PRIVILEGE_FOREIGN] = {2, {CAP_DAC_OVERRIDE, CAP_FOWNER}},
};

/*
 * The sets to change to, made once by privilege_drop() and read-only then: raising and lowering
 * allocate nothing, so that lowering cannot fail.
 */
static cap_t lowered, raised[ARRAY_SIZE(raised_by)];

static void free_caps(cap_t *caps)
{
	if (*caps)
		cap_free(*caps);
}

static bool is_permitted(cap_t caps, cap_value_t capability)
{
	cap_flag_value_t value = CAP_CLEAR;

	return cap_get_flag(caps, capability, CAP_PERMITTED, &value) == 0 && value == CAP_SET;
}

/*
 * Needs CAP_SETPCAP in the effective set, which it need not be at start. Where it is not permitted
 * somebody else has limited us, and what is left does not matter much with no_new_privs.
 */
static int drop_bounding(cap_t now)
{
	const cap_value_t setpcap = CAP_SETPCAP;

	if (is_permitted(now, setpcap) &&
	    (cap_set_flag(now, CAP_EFFECTIVE, 1, &setpcap, CAP_SET) < 0 || cap_set_proc(now) < 0))
		return -errno;
	for (cap_value_t c = 0; cap_get_bound(c) >= 0; c++) {
		bool keep = false;

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			keep |= kept[i] == c;
		if (!keep && cap_get_bound(c) == CAP_SET && cap_drop_bound(c) < 0 && errno != EPERM)
			return -errno;
	}
	return 0;
}

/* The permitted ones among the kept, with those of the list effective. */
static int make_caps(cap_t *ret, cap_t now, const cap_value_t *effective, int count)
{
	_cleanup_(free_caps) cap_t caps = cap_init();

	if (!caps)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (is_permitted(now, kept[i]) &&
		    cap_set_flag(caps, CAP_PERMITTED, 1, &kept[i], CAP_SET) < 0)
			return -errno;
	if (count > 0 && cap_set_flag(caps, CAP_EFFECTIVE, count, effective, CAP_SET) < 0)
		return -errno;
	*ret = caps;
	caps = NULL;
	return 0;
}

int privilege_drop(const char **ret_missing)
{
	_cleanup_(free_caps) cap_t now = cap_get_proc();
	int r;

	if (!now)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!is_permitted(now, needed[i])) {
			*ret_missing =
				needed[i] == CAP_SYS_ADMIN ? "CAP_SYS_ADMIN" : "CAP_DAC_OVERRIDE";
			return -EPERM;
		}
	}
	if ((r = make_caps(&lowered, now, NULL, 0)) < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(raised); i++)
		if ((r = make_caps(&raised[i], now, raised_by[i].values, raised_by[i].count)) < 0)
			return r;
	if ((r = drop_bounding(now)) < 0)
		return r;
	if (cap_reset_ambient() < 0 && errno != EINVAL) /* a kernel before 4.3 has no such set */
		return -errno;
	if (cap_set_proc(lowered) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int privilege_raise(enum privilege what)
{
	return cap_set_proc(raised[what]) < 0 ? -errno : 0; /* EPERM: not permitted */
}

void privilege_lower(void)
{
	if (cap_set_proc(lowered) < 0)
		abort(); /* giving up what one has is always allowed */
}

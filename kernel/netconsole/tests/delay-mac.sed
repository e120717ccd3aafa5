# SPDX-License-Identifier: GPL-2.0-or-later
# For drivers/net/netconsole.c, stock or patched: makes the window of N3 wide.
/dev = to_target(item)->np.dev;/a\
	if (dev) schedule_timeout_uninterruptible(5 * HZ);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binding.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/vfs.h>

#include "privilege.h"

static void _printf_(4, 5)
	refuse(struct backing_report *report, int error, bool can_wait, const char *format, ...)
{
	va_list args;

	*report = (struct backing_report){.error = error, .can_wait = can_wait};
	va_start(args, format);
	vsnprintf(report->text, sizeof(report->text), format, args);
	va_end(args);
}

static int open_device(int *ret_fd, struct backing_report *report)
{
	int r = privilege_raise(PRIVILEGE_OPEN);

	if (r == 0) {
		r = device_open(ret_fd);
		privilege_lower();
	}
	switch (-r) {
	case 0:
		return 0;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		refuse(report, -r, false,
		       DEVICE_PATH
		       ": %s: the kernel has no cachefiles; run \"modprobe cachefiles\"",
		       strerror(-r));
		break;
	case EBUSY:
		refuse(report, EBUSY, true,
		       DEVICE_PATH " is in use: another cachefilesd runs, or is stopping still");
		break;
	case EPERM:
		refuse(report, EPERM, false,
		       DEVICE_PATH ": CAP_SYS_ADMIN is missing: start as root");
		break;
	default:
		refuse(report, -r, false, DEVICE_PATH ": %s", strerror(-r));
	}
	return r;
}

/* A kernel without the claim knows no such command, and lets every freeze through anyway. */
static int set_yield(int fd, const struct config *c)
{
	int r = c->freeze == POLICY_YIELD
			? device_set_yield(fd, (unsigned int)c->yield_seconds * 1000)
			: 0;

	return r == -EOPNOTSUPP ? 0 : r;
}

/* All that the kernel is told before bind. */
static int configure(int fd, const struct config *c, struct backing_report *report)
{
	char mask[16];
	const char *what = "limits";
	int r = device_set_limits(fd, &c->limits);

	snprintf(mask, sizeof(mask), "%u", c->debug);
	if (r == 0 && c->debug_set)
		r = device_command(fd, what = "debug", mask);
	if (r == 0 && c->secctx)
		r = device_command(fd, what = "secctx", c->secctx);
	if (r == 0)
		r = device_command(fd, what = "tag", c->tag);
	if (r == 0)
		r = device_command(fd, what = "dir", c->dir);
	if (r == 0)
		r = set_yield(fd, c);
	if (r < 0)
		refuse(report, -r, false, "the kernel refuses the %s of the configuration: %s",
		       what, strerror(-r));
	return r;
}

static int bind_cache(int fd, const struct config *c, struct backing_report *report)
{
	int r = privilege_raise(PRIVILEGE_BIND);

	if (r == 0) {
		r = device_bind(fd);
		privilege_lower();
	}
	if (r < 0)
		backing_explain_bind(c->dir, c->tag, c->secctx, -r, report);
	return r;
}

static uint64_t fsid_of(const struct statfs *st)
{
	return (uint64_t)(uint32_t)st->f_fsid.__val[0] << 32 | (uint32_t)st->f_fsid.__val[1];
}

static int read_fsid(const char *dir, uint64_t *ret)
{
	struct statfs st;

	if (statfs(dir, &st) < 0)
		return -errno;
	*ret = fsid_of(&st);
	return 0;
}

/* Asks the mount table alone: the filesystem may be frozen. */
static void check_writable(const char *dir, struct backing_report *report)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && backing_mount_read_only(fd))
		refuse(report, EROFS, true, "%s: its mount is read-only", dir);
}

/*
 * Whether the cache can be in its directory. The filesystem may be away and its bare mount point on
 * another one: that is not to be filled, and what it lacks is of no interest.
 */
static bool check_place(struct binding_attempt *a, bool frozen, uint64_t *ret_fsid)
{
	const struct config *c = a->config;
	int r = read_fsid(c->dir, ret_fsid);

	a->report = (struct backing_report){0};
	if (r == 0 && a->same_filesystem && *ret_fsid != a->fsid)
		refuse(&a->report, EXDEV, true,
		       "%s is on another filesystem than the cache was: is its mount missing? (To go on "
		       "here, restart the daemon)",
		       c->dir);
	else if (frozen)
		check_writable(c->dir, &a->report);
	else
		backing_check(c->dir, &c->limits, &a->report);
	if (r < 0 && a->report.error == 0)
		refuse(&a->report, -r, true, "%s: %s", c->dir, strerror(-r));
	return a->report.error == 0;
}

/* The limits as blocks and files are in the state line from bind on. */
static int open_bound(const char *dir, struct binding *b, struct backing_report *report)
{
	char path[32];
	int r = device_read_state(b->device, &b->limits);

	if (r < 0) {
		refuse(report, -r, false, DEVICE_PATH ": unreadable state: %s", strerror(-r));
		return r;
	}
	r = store_open(&b->store, dir);
	if (r < 0) {
		refuse(report, -r, r == -ENOENT, "%s: cannot open the bound cache: %s", dir,
		       strerror(-r));
		report->misconfigured = r == -ENOTDIR || r == -ELOOP || r == -EXDEV;
		return r;
	}
	/* By descriptor: the path may be another directory's by now. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->store.graveyard);
	b->grave_watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (b->grave_watch >= 0 &&
	    inotify_add_watch(b->grave_watch, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
		close(b->grave_watch);
		b->grave_watch = -1; /* reaped with every cycle and now and then instead */
	}
	return 0;
}

/*
 * What must be the same for a bound device to be ours, as text. The last line is there only where
 * a freeze waits for us.
 */
static int write_record(const struct config *c, const struct binding *b, char **ret)
{
	const struct limits *l = &c->limits;
	char yield[40] = "";

	if (c->freeze == POLICY_YIELD && b->limits.has_claim)
		snprintf(yield, sizeof(yield), "yield %llu\n",
			 (unsigned long long)c->yield_seconds);
	return asprintf(ret,
			"dir %s\ntag %s\nsecctx %s\nlimits %u %u %u %u %u %u\nfilesystem %llx\n"
			"inode %llu\n%s",
			c->dir, c->tag, c->secctx ? c->secctx : "", l->brun, l->bcull, l->bstop,
			l->frun, l->fcull, l->fstop, (unsigned long long)b->fsid,
			(unsigned long long)b->store.ino, yield) < 0
		       ? -ENOMEM
		       : 0;
}

/* A device that was unbound tells the line still, but claims nothing. */
static bool is_unbound(int device)
{
	struct device_state state;

	return device_read_state(device, &state) == 0 && state.has_claim && !state.claimed &&
	       !state.dead;
}

/*
 * The record as it was when the device was configured must be what it would be now, as far as the
 * device itself keeps it; which directory that is the bind will tell.
 */
static bool is_configured_alike(const struct binding_attempt *a)
{
	_cleanup_free_ char *record = NULL;
	struct binding b = {.limits.has_claim = true};
	const char *end;
	size_t length;

	if (!a->kept_record || write_record(a->config, &b, &record) < 0)
		return false;
	end = strstr(record, "\nfilesystem ");
	length = end ? (size_t)(end - record) : 0;
	if (strncmp(record, a->kept_record, length + 1) != 0)
		return false;
	end = strstr(a->kept_record, "\nyield ");
	return (end != NULL) == (a->config->freeze == POLICY_YIELD) &&
	       (!end || streq(end, strstr(record, "\nyield ")));
}

static void try_again(struct binding_attempt *a);

/* Takes up the kept device, or closes it and says why. */
static void adopt(struct binding_attempt *a)
{
	struct binding b = BINDING_CLOSED;
	const char *why;

	b.device = steal_fd(&a->kept);
	if (is_unbound(b.device) && is_configured_alike(a)) {
		/* Its keeper ended while the filesystem was frozen or read-only. */
		a->unbound = b.device;
		a->as_is = true;
		try_again(a);
		return;
	}
	if (device_probe(b.device) != 1)
		why = "the cache is dead";
	else if (is_unbound(b.device))
		why = "it was let go of, and the configuration is another now";
	else if (read_fsid(a->config->dir, &b.fsid) < 0 ||
		 open_bound(a->config->dir, &b, &a->report) < 0)
		why = "its directory is not there";
	else if (write_record(a->config, &b, &b.record) < 0)
		why = "out of memory";
	else if (!a->kept_record || !streq(b.record, a->kept_record))
		why = "the directory, the tag or the limits are others now";
	else
		why = NULL;
	if (why) {
		binding_close(&b);
		snprintf(a->not_adopted, sizeof(a->not_adopted), "%s", why);
		refuse(&a->report, EBUSY, true, "the service manager still holds the former cache");
		return;
	}
	backing_describe(a->config->dir, b.backing, sizeof(b.backing));
	if (a->config->debug_set)
		device_set_debug(a->config->debug); /* the one thing that may differ; no loss */
	/* The two came together; where it is not so, the command itself says it, and nothing is
	 * lost. */
	b.knows_unbind = b.limits.has_claim;
	a->report = (struct backing_report){0};
	a->binding = b;
	a->adopted = a->reused = true;
}

/* Whether what was bound is what was looked at before: the path may lead elsewhere by now. */
static int check_store(struct binding_attempt *a, const struct binding *b)
{
	struct statfs st;

	if (fstatfs(b->store.cache, &st) < 0) {
		int error = errno;

		refuse(&a->report, error, true, "%s: %s", a->config->dir, strerror(error));
		return -error;
	}
	if (fsid_of(&st) == b->fsid)
		return 0;
	refuse(&a->report, EXDEV, true, "%s: another filesystem came while the cache was bound",
	       a->config->dir);
	return -EXDEV;
}

/* From a configured device to a bound cache; after a failure the caller closes what there is. */
static int bind_configured(struct binding_attempt *a, struct binding *b)
{
	const struct config *c = a->config;
	int r = bind_cache(b->device, c, &a->report);

	if (r < 0)
		return r;
	if ((r = open_bound(c->dir, b, &a->report)) == 0 && (r = check_store(a, b)) == 0 &&
	    (r = write_record(c, b, &b->record)) < 0)
		refuse(&a->report, -r, true, "%s", strerror(-r));
	if (r < 0 && b->knows_unbind)
		device_unbind(b->device);
	backing_describe(c->dir, b->backing, sizeof(b->backing));
	return r;
}

/* Binds the unbound device once more. */
static void try_again(struct binding_attempt *a)
{
	struct binding b = BINDING_CLOSED;

	if (!check_place(a, a->as_is, &b.fsid))
		return;
	b.device = a->unbound;
	b.knows_unbind = true;
	if (bind_configured(a, &b) < 0) {
		b.device = -1; /* stays ours for another time */
		binding_close(&b);
		return;
	}
	a->unbound = -1;
	a->binding = b;
	a->reused = true;
}

void binding_try(struct binding_attempt *a)
{
	const struct config *c = a->config;
	struct binding b = BINDING_CLOSED;

	a->adopted = a->reused = false;
	a->not_adopted[0] = '\0';
	if (a->kept >= 0) {
		adopt(a);
		return;
	}
	if (a->unbound >= 0) {
		try_again(a);
		return;
	}
	if (!check_place(a, false, &b.fsid))
		return;
	if (open_device(&b.device, &a->report) < 0 || configure(b.device, c, &a->report) < 0) {
		binding_close(&b);
		return;
	}
	b.knows_unbind = device_knows_unbind(b.device) == 1;
	if (bind_configured(a, &b) < 0)
		binding_close(&b);
	else
		a->binding = b;
}

int binding_unbind(struct binding *b)
{
	int r;

	store_close(&b->store);
	closep(&b->grave_watch);
	b->grave_watch = -1;
	r = device_unbind(b->device);
	if (r == -ENODATA)
		r = 0;
	if (r == 0)
		device_read_state(b->device, &b->limits); /* or what it was before, near enough */
	return r;
}

void binding_await_release(void)
{
	struct backing_report report;

	for (int tries = 0; tries < 100; tries++) {
		_cleanup_close_ int fd = -1;

		if (open_device(&fd, &report) != -EBUSY)
			return;
		usleep(100000);
	}
}

void binding_close(struct binding *b)
{
	free(b->record);
	b->record = NULL;
	store_close(&b->store);
	closep(&b->grave_watch);
	b->grave_watch = -1;
	/* Last: closing the device withdraws the cache and waits for its objects. */
	closep(&b->device);
	b->device = -1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep.h"

#include "build-config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#if HAVE_SYSTEMD
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#endif

#define DEVICE_NAME "cachefiles"
#define RECORD_NAME "cachefiles-record"

/* A record has a path, a tag and a label in it: more is none of ours. */
#define RECORD_MAX 16384

/* The manager answers at once or has other troubles. */
#define BUS_TIMEOUT_USEC 2000000

static bool kept;

bool keep_is_kept(void)
{
	return kept;
}

#if HAVE_SYSTEMD
static char *read_record(int fd)
{
	_cleanup_free_ char *record = NULL;
	struct stat st;
	char *whole;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > RECORD_MAX)
		return NULL;
	record = calloc(1, (size_t)st.st_size + 1);
	if (!record || pread(fd, record, (size_t)st.st_size, 0) != st.st_size)
		return NULL;
	whole = record;
	record = NULL;
	return whole;
}

void keep_take(int *ret_device, char **ret_record)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	*ret_device = -1;
	*ret_record = NULL;
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (streq(names[i], DEVICE_NAME) && *ret_device < 0) {
			fcntl(fd, F_SETFD, FD_CLOEXEC);
			*ret_device = fd;
			kept = true;
			continue;
		}
		if (streq(names[i], RECORD_NAME) && !*ret_record)
			*ret_record = read_record(fd);
		close(fd);
	}
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int write_record(const char *record, int *ret_fd)
{
	_cleanup_close_ int fd = memfd_create(RECORD_NAME, MFD_CLOEXEC);
	size_t length = strlen(record);

	if (fd < 0)
		return -errno;
	if (write(fd, record, length) != (ssize_t)length)
		return -EIO;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static void remove_names(void)
{
	sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" DEVICE_NAME);
	sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" RECORD_NAME);
}

int keep_store(int device, const char *record)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (!getenv("NOTIFY_SOCKET"))
		return 0;
	remove_names(); /* also what a predecessor left half done: the store has room for two */
	r = write_record(record, &fd);
	if (r < 0)
		return r;
	/* Not polled: the manager would take an error on the device for the end of it. */
	r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDPOLL=0\nFDNAME=" RECORD_NAME, &fd, 1);
	if (r > 0)
		r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDPOLL=0\nFDNAME=" DEVICE_NAME,
					   &device, 1);
	kept = r > 0;
	return r < 0 ? r : 0;
}

void keep_drop(void)
{
	if (!kept)
		return;
	remove_names();
	sd_notify_barrier(0, BUS_TIMEOUT_USEC);
	kept = false;
}

#define MANAGER "org.freedesktop.systemd1"

/* The type of the job that the manager has in hand for our unit: "stop", "restart", … */
static int job_type(sd_bus *bus, char **ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *unit = NULL, *job = NULL;
	const char *unit_path, *job_path;
	uint32_t id;
	int r;

	r = sd_bus_call_method(bus, MANAGER, "/org/freedesktop/systemd1", MANAGER ".Manager",
			       "GetUnitByPID", NULL, &unit, "u", (uint32_t)getpid());
	if (r >= 0)
		r = sd_bus_message_read(unit, "o", &unit_path);
	if (r >= 0)
		r = sd_bus_get_property(bus, MANAGER, unit_path, MANAGER ".Unit", "Job", NULL, &job,
					"(uo)");
	if (r >= 0)
		r = sd_bus_message_read(job, "(uo)", &id, &job_path);
	if (r < 0)
		return r;
	if (id == 0)
		return -ENOENT;
	return sd_bus_get_property_string(bus, MANAGER, job_path, MANAGER ".Job", "JobType", NULL,
					  ret);
}

bool keep_for_restart_only(void)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_free_ char *type = NULL;

	if (!kept || sd_bus_open_system(&bus) < 0)
		return false;
	sd_bus_set_method_call_timeout(bus, BUS_TIMEOUT_USEC);
	if (job_type(bus, &type) < 0 || !streq(type, "stop"))
		return false;
	keep_drop();
	return true;
}
#else
void keep_take(int *ret_device, char **ret_record)
{
	*ret_device = -1;
	*ret_record = NULL;
}

int keep_store(int device, const char *record)
{
	return 0;
}

void keep_drop(void)
{
}

bool keep_for_restart_only(void)
{
	return false;
}
#endif

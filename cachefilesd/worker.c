/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

/*
 * lock guards job, finished and quit; the event loop owns data, work and done while no job is in
 * hand, the thread reads them while one is.
 */
struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool started;
	bool job;      /* given and not yet done */
	bool finished; /* by the thread; the loop has not seen it yet */
	bool quit;
	worker_fn work, done;
	void *data;
	int doorbell; /* eventfd: the thread tells the loop that it finished */
	struct event *event;
	atomic_bool stop;
	atomic_uint beats;
	atomic_int tid;
	unsigned int seen_beats; /* by worker_health(), with the time it saw them change */
	uint64_t seen_at;
	char name[16];
};

static void *run(void *data)
{
	struct worker *w = data;

	/* The cull command is relative to the working directory: ours must be our own. */
	if (unshare(CLONE_FS) < 0)
		abort(); /* only fails for want of memory at start */
	pthread_setname_np(pthread_self(), w->name);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
	atomic_store(&w->tid, (int)syscall(SYS_gettid));

	pthread_mutex_lock(&w->lock);
	while (!w->quit) {
		uint64_t one = 1;

		if (!w->job || w->finished) {
			pthread_cond_wait(&w->wake, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		w->work(w->data);
		pthread_mutex_lock(&w->lock);
		w->finished = true;
		if (write(w->doorbell, &one, sizeof(one)) < 0)
			abort(); /* an eventfd of ours that counts to one */
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void on_doorbell(evutil_socket_t fd, short what, void *data)
{
	struct worker *w = data;
	uint64_t count;
	bool finished;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&w->lock);
	finished = w->finished;
	if (finished)
		w->job = w->finished = false;
	pthread_mutex_unlock(&w->lock);
	if (finished)
		w->done(w->data);
}

int worker_new(struct worker **ret, struct event_base *base, const char *name)
{
	struct worker *w = calloc(1, sizeof(*w));
	sigset_t all, before;
	int r;

	if (!w)
		return -ENOMEM;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->doorbell < 0) {
		r = -errno;
		goto fail;
	}
	w->event = event_new(base, w->doorbell, EV_READ | EV_PERSIST, on_doorbell, w);
	if (!w->event || event_add(w->event, NULL) < 0) {
		r = -ENOMEM;
		goto fail;
	}
	/* Signals are the event loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		goto fail;
	w->started = true;
	*ret = w;
	return 0;
fail:
	worker_free(w);
	return r;
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	if (w->started) {
		worker_stop(w);
		pthread_mutex_lock(&w->lock);
		w->quit = true;
		pthread_cond_signal(&w->wake);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
	}
	if (w->event)
		event_free(w->event);
	closep(&w->doorbell);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

int worker_run(struct worker *w, worker_fn work, worker_fn done, void *data)
{
	int r = 0;

	pthread_mutex_lock(&w->lock);
	if (w->job) {
		r = -EBUSY;
	} else {
		w->work = work;
		w->done = done;
		w->data = data;
		w->job = true;
		atomic_store(&w->stop, false);
		worker_beat(w);
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	return r;
}

/* The loop alone gives jobs and takes them back: it needs no lock to know. */
bool worker_busy(const struct worker *w)
{
	return w->job;
}

void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
}

const atomic_bool *worker_stop_flag(const struct worker *w)
{
	return &w->stop;
}

void worker_beat(void *worker)
{
	struct worker *w = worker;

	atomic_fetch_add_explicit(&w->beats, 1, memory_order_relaxed);
}

/* The thread's state as /proc/self/task/TID/stat has it, or '?'. */
static char thread_state(int tid)
{
	char path[64], line[256];
	_cleanup_close_ int fd = -1;
	const char *paren;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (length = read(fd, line, sizeof(line) - 1)) <= 0)
		return '?';
	line[length] = '\0';
	paren = strrchr(line, ')');
	return paren && paren[1] == ' ' ? paren[2] : '?';
}

enum worker_health worker_health(struct worker *w, uint64_t limit_ms)
{
	unsigned int beats = atomic_load(&w->beats);
	uint64_t now = now_ms();

	if (!worker_busy(w))
		return WORKER_IDLE;
	if (beats != w->seen_beats || w->seen_at == 0) {
		w->seen_beats = beats;
		w->seen_at = now;
		return WORKER_MOVING;
	}
	if (now - w->seen_at < limit_ms)
		return WORKER_MOVING;
	/* D: in the kernel and not to be interrupted, as before a frozen or dying filesystem. */
	return thread_state(atomic_load(&w->tid)) == 'D' ? WORKER_WAITING : WORKER_HUNG;
}

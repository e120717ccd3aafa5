/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of the messages that have a MESSAGE_ID in the journal: events that an administrator
 * may want to be woken for, or to have explained (journalctl -x). The catalog and the manual are
 * checked against it. An id never changes its meaning.
 */
#pragma once

#include "util.h"

/* Name, id, what happened: in the words of the manual. */
#define MESSAGE_TABLE(M)                                                                           \
	M(BOUND, "0dcaac9c607b4feda92e5b9133602a7f", "the cache is bound")                         \
	M(ADOPTED, "eab936c020f74828a05f63cb66631d86", "a cache was adopted after a restart")      \
	M(NOT_ADOPTED, "92679d66dd5d4e869e1dc28ab6edeadf", "a kept cache was of no use")           \
	M(NOT_KEPT, "39c73c4a18434ae3b8b63f8c5d675fbb", "a restart will withdraw the cache")       \
	M(KEPT, "c65e230800c34ba2b478df6a723ad298", "the cache stays bound over a restart")        \
	M(WAITING, "dfa98de52ea846d89b2a95abfa5f38c2", "the cache cannot be bound yet")            \
	M(BIND_FAILED, "ab02cc7a28c84f609cac033bd27c9b0b", "the cache cannot be bound")            \
	M(WITHDRAWN, "a037bfafe03147be823f2f26669cc3d3", "the cache is withdrawn")                 \
	M(DEAD, "7fc9a97307d4456694101a9c94f936a8", "the kernel declared the cache dead")          \
	M(DISPLACED, "fb4faa97049f4fa8951531dedb23ae61", "the directory is not the cache's now")   \
	M(READ_ONLY, "4c8b4ed931994434bad7e891f3e8ebe4", "the filesystem has become read-only")    \
	M(FREEZE_REFUSED, "fecfc924c440442182189eb937671da5", "a freeze was refused")              \
	M(REMOUNT_REFUSED, "ba30cab8c19b4a478d4f51de4d0623a2", "a remount was refused")            \
	M(YIELDED, "e4449ecadc5b4bc382f2b4bde718aa67", "the cache is let go of for a while")       \
	M(RESUMED, "e1cee7f2fd16449dbea5d894e49923cd", "the cache is bound again after that")      \
	M(UNBIND_FAILED, "eea0bd6c31d74d9689ec62f3e3cf302b", "the kernel did not let go of it")    \
	M(BLOCKED, "91dafc8b3b154662802dbc24bc4154e9", "the filesystem makes the daemon wait")     \
	M(HUNG, "326a124c875741bf8528455f2131619c", "a worker hangs, the watchdog will bite")      \
	M(STALLED, "fe378f6c92ff4cb59587fcf2fb633114", "culling makes no progress")                \
	M(UNSTALLED, "81809a34b9c64ebb899ed84157f5b822", "culling makes progress again")           \
	M(CULLED, "7ed2bf901e4d4bf8bc3ae29354ae0ded", "a cull cycle ended")                        \
	M(ORDERED, "0947d05a2a0a415699ba665dd448dad7", "a cull on command began")                  \
	M(FOREIGN, "6bdc6244fd6848f29718a58853ddf26c", "foreign entries went to the graveyard")    \
	M(OLD_TREES, "53e2abfa7ea2478db55fa95d01057cdf", "an older kernel's cache went there")     \
	M(UNREADABLE, "d08dd13bc14144eb983e2d6d3cf3a3af", "entries could not be examined")         \
	M(GRAVE_STUCK, "d111511d199b47e2ae045d5d1141eb39", "the graveyard cannot be emptied")      \
	M(RELOADED, "5fe1dbdc188146ce845a56dbdc769404", "the configuration was reloaded")          \
	M(RELOAD_REFUSED, "2bd19ffa306d4415893a6dd0c7426085", "the configuration was refused")     \
	M(NEEDS_RESTART, "2996b064dd3d49e399b967ef0b2c1de2", "a change needs a restart")           \
	M(STOPPING, "c9be10ba9fbb436b9881d22949a8722b", "the daemon was told to stop")             \
	M(CONTROL_FAILED, "832cc833b3cc490f9e42fdda304558e2", "a control or metrics socket fails") \
	M(CONTROL_DENIED, "9cab90f1a2ca4b15b0a7353a55641d6c", "somebody without rights asked")

enum message {
#define MESSAGE_NAME(name, id, text) MESSAGE_##name,
	MESSAGE_TABLE(MESSAGE_NAME)
#undef MESSAGE_NAME
	MESSAGE_COUNT
};

/* For MESSAGE_ID=: 32 hexadecimal digits. */
const char *message_id(enum message message);
/* "FREEZE_REFUSED", and what the third column says. */
const char *message_name(enum message message);
const char *message_text(enum message message);

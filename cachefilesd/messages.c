/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "messages.h"

static const struct {
	const char *name, *id, *text;
} messages[MESSAGE_COUNT] = {
#define ROW(name, id, text) [MESSAGE_##name] = {#name, id, text},
	MESSAGE_TABLE(ROW)
#undef ROW
};

const char *message_id(enum message message)
{
	return messages[message].id;
}

const char *message_name(enum message message)
{
	return messages[message].name;
}

const char *message_text(enum message message)
{
	return messages[message].text;
}

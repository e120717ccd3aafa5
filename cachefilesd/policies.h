/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the directives "freeze", "remount", "control", "control_group" and "metrics" are read,
 * written and compared: types for the table of directives.c. Nothing here logs.
 */
#pragma once

#include "directives.h"

extern const struct directive_type type_freeze;
extern const struct directive_type type_remount;
extern const struct directive_type type_control;  /* a path, or "none": NULL */
extern const struct directive_type type_group;	  /* a name; NULL unless given */
extern const struct directive_type type_endpoint; /* ADDRESS:PORT or a path; NULL unless given */

/*
 * Cuts "127.0.0.1:9100", "[::1]:9100" or "*:9100" up. Returns 0, or -EINVAL when it is none:
 * addresses are numbers, a name would have to be looked up.
 */
struct sockaddr_storage;
int policies_parse_address(const char *text, struct sockaddr_storage *ret,
			   unsigned int *ret_length);

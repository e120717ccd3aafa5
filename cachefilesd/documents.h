/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state and the volumes as JSON, see control.h. Only the event loop; no I/O.
 */
#pragma once

#include <json-c/json.h>

#include "cache.h"

/* NULL: no memory. The caller puts the object. */
struct json_object *document_status(struct cache *cache, const struct config *config);
struct json_object *document_volumes(struct cache *cache, const struct config *config);

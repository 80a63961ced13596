/* Every call of the API with its reply as they crossed the wire, one line of JSON each, for a
 * checker to read afterwards: what a client sent and what it got, judged by Neon's OpenAPI. Bodies
 * hold passwords and new keys, so the file is its owner's alone; the key a client sends is left
 * out.
 *
 * {agent, method, path, query, content_type, body, authorized, route, fault, broken, status,
 *  headers: {…}, reply}: path and query undecoded; body and reply as text, null where there was
 * none or none in UTF-8; route null where no route was found; broken: a fault made the reply;
 * status 0: the connection was dropped instead of a reply. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "request.h"

/* Appends to `path`, made with mode 600. NULL with errno. */
FILE *record_open(const char *path);
/* `response` NULL: dropped; `reply` NULL: no body. */
void record_add(FILE *record, const Request *request, struct MHD_Response *response,
                const char *reply);

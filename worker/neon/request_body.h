/*
 * JSON bodies of the requests that create something. What was not given is left out, so that Neon's
 * own default holds. A text that is no UTF-8 fails the body (text_ok).
 */
#ifndef NEON_REQUEST_BODY_H
#define NEON_REQUEST_BODY_H

#include "base/text.h"
#include "neon/request.h"

void neon_request_body_project(Text *body, const NeonProjectSpec *spec);
void neon_request_body_branch(Text *body, const NeonBranchSpec *spec);
void neon_request_body_endpoint(Text *body, const char *branch_id, const NeonEndpointSpec *spec);

#endif

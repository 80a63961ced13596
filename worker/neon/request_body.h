/*
 * JSON bodies of the requests that make or change something. What was not given is left out, so
 * that Neon's own default holds. A text that is no UTF-8 fails the body (text_ok).
 */
#ifndef NEON_REQUEST_BODY_H
#define NEON_REQUEST_BODY_H

#include "base/text.h"
#include "neon/request.h"

void neon_request_body_project(Text *body, const NeonProjectSpec *spec);
void neon_request_body_branch(Text *body, const NeonBranchSpec *spec);
void neon_request_body_endpoint(Text *body, const char *branch_id, const NeonEndpointSpec *spec);
void neon_request_body_retention(Text *body, int64_t history_retention_seconds); // of a project
void neon_request_body_changes(Text *body, const NeonEndpointSpec *changes);     // of an endpoint
void neon_request_body_expiry(Text *body, int64_t expires_ms);                   // of a branch
void neon_request_body_restore(Text *body, const char *source_branch_id,
                               const char *preserve_under_name);

#endif

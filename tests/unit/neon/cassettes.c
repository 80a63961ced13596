/*
 * Every recorded reply of the real API decodes: a file of JSON lines {method, uri, status, body},
 * named by PROVISION_NEON_CASSETTES. Skipped where there is none.
 */
#include <stdio.h>

#include "base/text.h"
#include "neon/reply.h"
#include "unit.h"

static const char *FILE_NAME;

typedef struct Recorded {
    const char *method;
    const char *path; // without the query
} Recorded;

static bool path_ends_with(const Recorded *recorded, const char *end)
{
    size_t length = strlen(recorded->path);
    return length >= strlen(end) && strcmp(recorded->path + length - strlen(end), end) == 0;
}

static void check_projects(const NeonReply *reply)
{
    NeonPage page;
    assert_true(neon_decode_projects(reply->body, "", &page, NULL));
    assert_int_equal(page.cursor[0] == '\0', json_array_size(page.items) == 0);
    for (size_t i = 0; i < json_array_size(page.items); i++) {
        NeonProject project;
        assert_true(neon_decode_project_item(json_array_get(page.items, i), &project, NULL));
        assert_string_not_equal(project.name, "");
    }
}

static void check_project(const NeonReply *reply)
{
    NeonProject project;
    assert_true(neon_decode_project(reply->body, &project, NULL));
}

static void check_created_project(const NeonReply *reply)
{
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    NeonUri uri;
    char pooled_host[256];
    bool found = false;
    check_project(reply);
    assert_true(neon_decode_connection(reply->body, &uri, pooled_host, sizeof pooled_host,
                                       &password, &found, NULL));
    assert_true(found);
    assert_false(secret_is_empty(&password));
    NeonEndpoint endpoint;
    assert_true(neon_decode_endpoints(reply->body, &endpoint, &found, NULL));
    assert_true(found);
    assert_string_equal(endpoint.host, uri.host);
    NeonBranch branch;
    assert_true(neon_decode_branch(reply->body, &branch, NULL));
    assert_string_equal(endpoint.branch_id, branch.id);
    json_t *ids = NULL;
    assert_true(neon_decode_operation_ids(reply->body, &ids, NULL));
    assert_true(json_array_size(ids) > 0);
    json_decref(ids);
}

static void check_branches(const NeonReply *reply)
{
    NeonPage page;
    assert_true(neon_decode_branches(reply->body, "", &page, NULL));
    for (size_t i = 0; i < json_array_size(page.items); i++) {
        NeonBranch branch;
        assert_true(
            neon_decode_branch_item(reply->body, json_array_get(page.items, i), &branch, NULL));
        assert_false(branch.is_deleted);
    }
}

static void check_endpoints(const NeonReply *reply)
{
    NeonEndpoint endpoint;
    bool found = false;
    assert_true(neon_decode_endpoints(reply->body, &endpoint, &found, NULL));
    assert_true(found);
}

static void check_roles(const NeonReply *reply)
{
    const json_t *roles = neon_decode_roles(reply->body, NULL);
    assert_non_null(roles);
    for (size_t i = 0; i < json_array_size(roles); i++) {
        NeonRole role;
        assert_true(neon_decode_role_item(json_array_get(roles, i), &role, NULL));
    }
}

static void check_databases(const NeonReply *reply)
{
    const json_t *databases = neon_decode_databases(reply->body, NULL);
    assert_non_null(databases);
    for (size_t i = 0; i < json_array_size(databases); i++) {
        NeonDatabase database;
        assert_true(neon_decode_database_item(json_array_get(databases, i), &database, NULL));
    }
}

static void check_operations(const NeonReply *reply)
{
    json_t *ids = NULL;
    assert_true(neon_decode_operation_ids(reply->body, &ids, NULL));
    json_decref(ids);
}

static void check_operation(const NeonReply *reply)
{
    NeonOperation operation;
    assert_true(neon_decode_operation(reply->body, &operation, NULL));
}

static void check_uri(const NeonReply *reply)
{
    CLEANUP(secret_clear) Secret uri = SECRET_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    NeonUri parts;
    assert_true(neon_decode_uri(reply->body, &uri, NULL));
    assert_true(neon_uri_parse(secret_reveal(&uri), &parts, &password, NULL));
}

static void check_nothing(const NeonReply *reply)
{
    assert_non_null(reply->body);
}

typedef void Check(const NeonReply *reply);

// By the end of the path; the first row that fits. The rest are a project, by its id.
static const struct {
    const char *method;
    const char *end;
    Check *check;
} CHECKS[] = {
    {"GET", "/projects", check_projects},         {"GET", "/projects/shared", check_projects},
    {"POST", "/projects", check_created_project}, {"GET", "/branches", check_branches},
    {"GET", "/endpoints", check_endpoints},       {"GET", "/roles", check_roles},
    {"GET", "/databases", check_databases},       {"GET", "/operations", check_operations},
    {"GET", "/connection_uri", check_uri},
};

// Resources by id: the last but one segment tells which.
static const struct {
    const char *part;
    Check *check;
} SINGLE[] = {
    {"/api_keys", check_nothing},     {"/operations/", check_operation}, {"/roles/", check_nothing},
    {"/endpoints/", check_endpoints}, {"/projects/", check_project},
};

static Check *check_of(const Recorded *recorded)
{
    for (size_t i = 0; i < UNIT_COUNT(CHECKS); i++) {
        if (strcmp(recorded->method, CHECKS[i].method) == 0 &&
            path_ends_with(recorded, CHECKS[i].end)) {
            return CHECKS[i].check;
        }
    }
    for (size_t i = 0; i < UNIT_COUNT(SINGLE); i++) {
        if (strstr(recorded->path, SINGLE[i].part) != NULL) {
            return SINGLE[i].check;
        }
    }
    return NULL;
}

static void free_text_at(char **text)
{
    free(*text);
}

static void check_line(const json_t *line)
{
    CLEANUP(free_text_at) char *body = json_dumps(json_object_get(line, "body"), 0);
    char path[512] = "";
    assert_true(text_copy(path, sizeof path, json_string_value(json_object_get(line, "uri"))));
    path[strcspn(path, "?")] = '\0';
    NeonRawReply raw = {
        .status = (int)json_integer_value(json_object_get(line, "status")),
        .content_type = "application/json",
        .request_id = "",
        .retry_after = "",
        .transport_error = "",
        .body = bytes_of(body),
    };
    CLEANUP(neon_reply_clear) NeonReply reply;
    neon_reply_read(&raw, &reply);
    if (raw.status >= 400) {
        assert_int_equal(reply.meaning, NEON_REFUSED);
        assert_string_not_equal(reply.message, "");
        return;
    }
    assert_int_equal(reply.meaning, NEON_OK);
    Recorded recorded = {json_string_value(json_object_get(line, "method")), path};
    Check *check = check_of(&recorded);
    assert_non_null(check);
    check(&reply);
}

static void every_recorded_reply_decodes(void **state)
{
    (void)state;
    FILE *file = fopen(FILE_NAME, "r");
    assert_non_null(file);
    size_t lines = 0;
    for (;;) {
        CLEANUP(unit_free_at) json_t *line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        if (line == NULL) {
            break;
        }
        check_line(line);
        lines++;
    }
    assert_true(feof(file));
    (void)fclose(file);
    print_message("%zu recorded replies\n", lines);
    assert_true(lines > 0);
}

int main(void)
{
    FILE_NAME = getenv("PROVISION_NEON_CASSETTES");
    if (FILE_NAME == NULL) {
        print_message("SKIPPED: PROVISION_NEON_CASSETTES names no file of recorded replies\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_recorded_reply_decodes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

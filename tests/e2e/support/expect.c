#include "support/expect.h"

#include <inttypes.h>
#include <string.h>

#include "base/uuid.h"
#include "support/cmocka.h"

enum { STATE_SECONDS = 20 };

static void expect_header(const Seen *seen, const char *name, const char *value)
{
    const char *found = seen_header(seen, name);
    if (found == NULL || strcmp(found, value) != 0) {
        fail_msg("header %s is %s, not %s", name, found == NULL ? "missing" : found, value);
    }
}

void expect_event(const Seen *seen, const char *application, const char *subject_name,
                  int64_t sequence)
{
    const char *slash = subject_name[0] != '\0' ? "/" : "";
    const char *subject = box_text("applications/%s%s%s", application, slash, subject_name);
    expect_header(seen, "content-type", "application/protobuf");
    expect_header(seen, "ce_specversion", "1.0");
    expect_header(seen, "ce_id", seen_text(seen, "eventId"));
    expect_header(seen, "ce_subject", subject);
    expect_header(seen, "ce_correlationid", seen_text(seen, "commandId"));
    assert_true(uuid_is_valid(seen_text(seen, "eventId")));
    assert_non_null(seen_header(seen, "ce_source"));
    assert_non_null(seen_header(seen, "ce_time"));
    assert_string_equal((const char *)seen->key.data, application);
    assert_string_equal(seen_text(seen, "applicationId"), application);
    assert_string_equal(seen_text(seen, "subject"), subject);
    assert_int_equal(seen_number(seen, "sequence"), sequence);
    assert_int_equal(seen_number(seen, "attempts"), 1);
    if (sequence != 0) {
        expect_header(seen, "ce_sequence", box_text("%" PRId64, sequence));
    } else {
        assert_null(seen_header(seen, "ce_sequence"));
    }
}

static const char *subject_of(const char *application, const char *environment)
{
    return box_text("applications/%s/environments/%s", application, environment);
}

static const char *row_of(World *world, const char *application, const char *environment,
                          const char *columns)
{
    return ledger_value(world,
                        "SELECT %s FROM provision.environment WHERE application_id = '%s' AND "
                        "environment = '%s'",
                        columns, application, environment);
}

void expect_ready(World *world, const char *application, const Environment *environment,
                  int64_t sequence)
{
    const Seen *state = reader_await_state(
        world->reader, subject_of(application, environment->name), false, STATE_SECONDS);
    assert_int_equal(seen_number(state, "sequence"), sequence);
    assert_string_equal(seen_text(state, "applicationId"), application);
    assert_string_equal(seen_text(state, "environment.environment"), environment->name);
    assert_string_equal(seen_text(state, "environment.status"), "ENVIRONMENT_STATUS_READY");
    assert_string_equal(seen_text(state, "environment.projectId"), environment->project_id);
    assert_string_equal(seen_text(state, "environment.branchId"), environment->branch_id);
    assert_string_equal(seen_text(state, "environment.host"), environment->host);
    assert_string_equal(row_of(world, application, environment->name,
                               "concat_ws(' ', state, project_id, branch_id, sequence)"),
                        box_text("ready %s %s %" PRId64, environment->project_id,
                                 environment->branch_id, sequence));
}

void expect_gone(World *world, const char *application, const char *environment, int64_t sequence)
{
    (void)reader_await_state(world->reader, subject_of(application, environment), true,
                             STATE_SECONDS);
    assert_string_equal(row_of(world, application, environment, "concat_ws(' ', state, sequence)"),
                        box_text("gone %" PRId64, sequence));
}

bool expect_holds(const Seen *seen, const char *path, const char *text)
{
    for (int i = 0;; i++) {
        const char *item = seen_text(seen, box_text("%s.%d", path, i));
        if (item[0] == '\0' || strcmp(item, text) == 0) {
            return item[0] != '\0';
        }
    }
}

/* Bodies whose members have other types and limits than Neon's OpenAPI says, every one once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "refused.h"

#define LONG_257                                                                                   \
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789" \
    "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef012345" \
    "6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0\""
#define LONG_65 "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0\""

static Box box;
static RefusedPlace place;

static int start(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "1", NULL};
    box_start(&box, ARGUMENTS);
    place = refused_make_place(&box);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void projects_have_these_types(void **state)
{
    (void)state;
    static const RefusedValue CASES[] = {
        {"project", "[]"},
        {"project.name", "\"\""},
        {"project.name", LONG_257},
        {"project.settings", "1"},
        {"project.settings.quota", "[]"},
        {"project.settings.quota.active_time_seconds", "-1"},
        {"project.settings.quota.compute_time_seconds", "1.5"},
        {"project.settings.quota.written_data_bytes", "\"1\""},
        {"project.settings.quota.data_transfer_bytes", "-1"},
        {"project.settings.quota.logical_size_bytes", "true"},
        {"project.settings.allowed_ips", "[]"},
        {"project.settings.allowed_ips.ips", "\"192.0.2.1\""},
        {"project.settings.allowed_ips.ips", "[1]"},
        {"project.settings.allowed_ips.protected_branches_only", "1"},
        {"project.settings.enable_logical_replication", "\"true\""},
        {"project.settings.maintenance_window", "[]"},
        {"project.settings.maintenance_window",
         "{\"weekdays\":[\"1\"],\"start_time\":\"01:00\",\"end_time\":\"02:00\"}"},
        {"project.settings.maintenance_window",
         "{\"weekdays\":1,\"start_time\":\"01:00\",\"end_time\":\"02:00\"}"},
        {"project.settings.maintenance_window",
         "{\"weekdays\":[1],\"start_time\":1,\"end_time\":\"02:00\"}"},
        {"project.settings.maintenance_window",
         "{\"weekdays\":[1],\"start_time\":\"01:00\",\"end_time\":2}"},
        {"project.settings.block_public_connections", "0"},
        {"project.settings.block_vpc_connections", "0"},
        {"project.settings.audit_log_level", "\"none\""},
        {"project.settings.hipaa", "\"no\""},
        {"project.settings.preload_libraries", "[]"},
        {"project.settings.preload_libraries.use_defaults", "1"},
        {"project.settings.preload_libraries.enabled_libraries", "{}"},
        {"project.settings.preload_libraries.enabled_libraries", "[1]"},
        {"project.default_endpoint_settings", "[]"},
        {"project.default_endpoint_settings.pg_settings", "{\"work_mem\":8}"},
        {"project.default_endpoint_settings.pgbouncer_settings", "{\"a\":1}"},
        {"project.default_endpoint_settings.autoscaling_limit_min_cu", "0.2"},
        {"project.default_endpoint_settings.autoscaling_limit_max_cu", "\"1\""},
        {"project.default_endpoint_settings.suspend_timeout_seconds", "604801"},
        {"project.default_endpoint_settings.suspend_timeout_seconds", "-2"},
        {"project.history_retention_seconds", "2592001"},
        {"project.history_retention_seconds", "-1"},
    };
    static const RefusedValue NEW[] = {
        {"project.branch", "[]"},
        {"project.branch.name", "\"\""},
        {"project.branch.name", LONG_257},
        {"project.branch.role_name", "1"},
        {"project.branch.database_name", "1"},
        {"project.branch.annotations", "[]"},
        {"project.branch.annotations", "{\"a\":1}"},
        {"project.autoscaling_limit_min_cu", "0"},
        {"project.autoscaling_limit_max_cu", "0"},
        {"project.provisioner", "1"},
        {"project.provisioner", "\"k8s\""},
        {"project.region_id", "1"},
        {"project.pg_version", "13"},
        {"project.pg_version", "19"},
        {"project.pg_version", "\"17\""},
        {"project.store_passwords", "1"},
        {"project.org_id", "\"Org\""},
    };
    refused_assert_values(&place, "POST", "/projects", CASES, sizeof(CASES) / sizeof(CASES[0]));
    refused_assert_values(&place, "POST", "/projects", NEW, sizeof(NEW) / sizeof(NEW[0]));
    refused_assert_values(&place, "PATCH", "$P", CASES, sizeof(CASES) / sizeof(CASES[0]));
}

static void branches_have_these_types(void **state)
{
    (void)state;
    static const RefusedValue CHANGED[] = {
        {"branch", "1"},
        {"branch.name", "\"\""},
        {"branch.name", LONG_257},
        {"branch.protected", "\"yes\""},
        {"branch.expires_at", "\"tomorrow\""},
        {"branch.expires_at", "1"},
    };
    static const RefusedValue NEW[] = {
        {"branch.parent_id", "\"BR\""},
        {"branch.parent_lsn", "1"},
        {"branch.parent_timestamp", "\"then\""},
        {"branch.archived", "0"},
        {"branch.init_source", "1"},
        {"annotation_value", "[]"},
        {"annotation_value", "{\"a\":1}"},
        {"endpoints", "{}"},
        {"endpoints", "[1]"},
        {"endpoints", "[{\"type\":\"read_most\"}]"},
        {"endpoints", "[{\"type\":\"read_write\",\"settings\":[]}]"},
        {"endpoints", "[{\"type\":\"read_write\",\"settings\":{\"pg_settings\":{\"a\":1}}}]"},
        {"endpoints", "[{\"type\":\"read_write\",\"provisioner\":1}]"},
        {"endpoints", "[{\"type\":\"read_write\",\"autoscaling_limit_min_cu\":0}]"},
        {"endpoints", "[{\"type\":\"read_write\",\"autoscaling_limit_max_cu\":0}]"},
        {"endpoints", "[{\"type\":\"read_write\",\"suspend_timeout_seconds\":1.5}]"},
    };
    static const RefusedValue RESTORE[] = {
        {"source_branch_id", "\"BR\""},
        {"source_branch_id", "1"},
    };
    refused_assert_values(&place, "PATCH", "$B", CHANGED, sizeof(CHANGED) / sizeof(CHANGED[0]));
    refused_assert_values(&place, "POST", "$P/branches", CHANGED,
                          sizeof(CHANGED) / sizeof(CHANGED[0]));
    refused_assert_values(&place, "POST", "$P/branches", NEW, sizeof(NEW) / sizeof(NEW[0]));
    refused_assert_values(&place, "POST", "$B/restore", RESTORE,
                          sizeof(RESTORE) / sizeof(RESTORE[0]));
    static const Refused CASES[] = {
        {"POST", "$B/restore", "{\"source_branch_id\":\"br-a\",\"source_lsn\":1}"},
        {"POST", "$B/restore", "{\"source_branch_id\":\"br-a\",\"source_timestamp\":\"then\"}"},
        {"POST", "$B/restore", "{\"source_branch_id\":\"br-a\",\"preserve_under_name\":1}"},
    };
    refused_assert(&place, CASES, sizeof(CASES) / sizeof(CASES[0]));
}

/* A new endpoint's body with that member beside what it needs. */
static const char *new_endpoint(const char *name, const char *value)
{
    return box_text("{\"endpoint\":{\"branch_id\":\"br-a\",\"type\":\"read_write\",\"%s\":%s}}",
                    name, value);
}

static void endpoints_have_these_types(void **state)
{
    (void)state;
    static const RefusedValue CASES[] = {
        {"branch_id", "\"BR\""},
        {"settings", "[]"},
        {"settings", "{\"pg_settings\":{\"a\":1}}"},
        {"settings", "{\"pg_settings\":[]}"},
        {"settings", "{\"pg_settings\":{},\"pgbouncer_settings\":{\"a\":1}}"},
        {"settings", "{\"pg_settings\":{},\"preload_libraries\":[]}"},
        {"settings", "{\"pg_settings\":{},\"preload_libraries\":{\"use_defaults\":1}}"},
        {"settings", "{\"pg_settings\":{},\"preload_libraries\":{\"enabled_libraries\":\"a\"}}"},
        {"settings", "{\"pg_settings\":{},\"preload_libraries\":{\"enabled_libraries\":[1]}}"},
        {"autoscaling_limit_min_cu", "0.1"},
        {"autoscaling_limit_max_cu", "0.1"},
        {"provisioner", "1"},
        {"pooler_enabled", "1"},
        {"pooler_mode", "\"session\""},
        {"disabled", "1"},
        {"passwordless_access", "1"},
        {"suspend_timeout_seconds", "604801"},
        {"name", "\"\""},
        {"name", LONG_65},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *member = box_text("endpoint.%s", CASES[i].place);
        const RefusedValue wrong = {member, CASES[i].value};
        refused_assert_values(&place, "PATCH", "$E", &wrong, 1);
        const Refused refused = {"POST", "$P/endpoints",
                                 new_endpoint(CASES[i].place, CASES[i].value)};
        refused_assert(&place, &refused, 1);
    }
    static const Refused TYPES[] = {
        {"POST", "$P/endpoints", "{\"endpoint\":{\"branch_id\":\"br-a\",\"type\":\"other\"}}"},
        {"POST", "$P/endpoints",
         "{\"endpoint\":{\"branch_id\":\"br-a\",\"type\":\"read_write\",\"region_id\":1}}"},
    };
    refused_assert(&place, TYPES, sizeof(TYPES) / sizeof(TYPES[0]));
}

static void roles_databases_and_keys_have_these_types(void **state)
{
    (void)state;
    static const Refused CASES[] = {
        {"POST", "/api_keys", "{\"key_name\":1}"},
        {"POST", "/api_keys", "{\"key_name\":" LONG_65 "}"},
        {"POST", "$O/api_keys", "{\"key_name\":1}"},
        {"POST", "$O/api_keys", "{\"key_name\":\"a\",\"project_id\":\"A\"}"},
        {"POST", "$B/roles", "{\"role\":[]}"},
        {"POST", "$B/roles", "{\"role\":{\"name\":1}}"},
        {"POST", "$B/roles", "{\"role\":{\"name\":\"a\",\"no_login\":1}}"},
        {"POST", "$B/roles", "{\"role\":{\"name\":" LONG_65 "}}"},
        {"POST", "$B/databases", "{\"database\":[]}"},
        {"POST", "$B/databases", "{\"database\":{\"name\":1,\"owner_name\":\"a\"}}"},
        {"POST", "$B/databases", "{\"database\":{\"name\":\"a\",\"owner_name\":1}}"},
        {"PATCH", "$B/databases/neondb", "{\"database\":[]}"},
        {"PATCH", "$B/databases/neondb", "{\"database\":{\"name\":1}}"},
        {"PATCH", "$B/databases/neondb", "{\"database\":{\"owner_name\":1}}"},
    };
    refused_assert(&place, CASES, sizeof(CASES) / sizeof(CASES[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projects_have_these_types),
        cmocka_unit_test(branches_have_these_types),
        cmocka_unit_test(endpoints_have_these_types),
        cmocka_unit_test(roles_databases_and_keys_have_these_types),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

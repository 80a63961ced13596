#include <math.h>
#include <string.h>

#include "handlers.h"
#include "shapes.h"

#define OBJECT(list) .type = SHAPE_OBJECT, .members = (list)
#define LIST(item) .type = SHAPE_LIST, .members = &(item)
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

enum { SUSPEND_MOST_SECONDS = 604800 };

static const ShapeMember ITEM_STRING = {"", .type = SHAPE_STRING};
static const ShapeMember ITEM_WEEKDAY = {"", .type = SHAPE_INTEGER, .least = -INFINITY};

static const char *const AUDIT_LEVELS[] = {"base", "extended", "full", NULL};
static const char *const PROVISIONERS[] = {"k8s-pod", "k8s-neonvm", "serverless-platform", NULL};
static const char *const POOLER_MODES[] = {"transaction", NULL};
static const char *const ENDPOINT_TYPES[] = {"read_only", "read_write", NULL};
static const char *const BRANCH_ORDERS[] = {"name", "created_at", "updated_at", NULL};
static const char *const MEMBER_ORDERS[] = {"email", "role", "joined_at", NULL};
static const char *const DIRECTIONS[] = {"asc", "desc", NULL};

static const ShapeMember QUOTA[] = {
    {"active_time_seconds", .type = SHAPE_INTEGER}, {"compute_time_seconds", .type = SHAPE_INTEGER},
    {"written_data_bytes", .type = SHAPE_INTEGER},  {"data_transfer_bytes", .type = SHAPE_INTEGER},
    {"logical_size_bytes", .type = SHAPE_INTEGER},  END,
};

static const ShapeMember ALLOWED_IPS[] = {
    {"ips", LIST(ITEM_STRING)},
    {"protected_branches_only", .type = SHAPE_BOOLEAN},
    END,
};

static const ShapeMember WINDOW[] = {
    {"weekdays", LIST(ITEM_WEEKDAY), .is_required = true},
    {"start_time", .type = SHAPE_STRING, .is_required = true},
    {"end_time", .type = SHAPE_STRING, .is_required = true},
    END,
};

static const ShapeMember LIBRARIES[] = {
    {"use_defaults", .type = SHAPE_BOOLEAN},
    {"enabled_libraries", LIST(ITEM_STRING)},
    END,
};

static const ShapeMember PROJECT_SETTINGS[] = {
    {"quota", OBJECT(QUOTA)},
    {"allowed_ips", OBJECT(ALLOWED_IPS)},
    {"enable_logical_replication", .type = SHAPE_BOOLEAN},
    {"maintenance_window", OBJECT(WINDOW)},
    {"block_public_connections", .type = SHAPE_BOOLEAN},
    {"block_vpc_connections", .type = SHAPE_BOOLEAN},
    {"audit_log_level", .type = SHAPE_STRING, .choices = AUDIT_LEVELS},
    {"hipaa", .type = SHAPE_BOOLEAN},
    {"preload_libraries", OBJECT(LIBRARIES)},
    END,
};

#define SIZES                                                                                      \
    {"autoscaling_limit_min_cu", .type = SHAPE_NUMBER, .least = 0.25},                             \
    {                                                                                              \
        "autoscaling_limit_max_cu", .type = SHAPE_NUMBER, .least = 0.25                            \
    }
#define SUSPEND                                                                                    \
    {                                                                                              \
        "suspend_timeout_seconds", .type = SHAPE_INTEGER, .least = -1,                             \
                                   .most = SUSPEND_MOST_SECONDS                                    \
    }
#define PROVISIONER                                                                                \
    {                                                                                              \
        "provisioner", .type = SHAPE_STRING, .choices = PROVISIONERS                               \
    }
#define NAME(most_characters)                                                                      \
    {                                                                                              \
        "name", .type = SHAPE_STRING, .least = 1, .most = (most_characters)                        \
    }

static const ShapeMember DEFAULT_ENDPOINT_SETTINGS[] = {
    {"pg_settings", .type = SHAPE_TEXTS},
    {"pgbouncer_settings", .type = SHAPE_TEXTS},
    SIZES,
    SUSPEND,
    END,
};

static const ShapeMember FIRST_BRANCH[] = {
    NAME(256),
    {"role_name", .type = SHAPE_STRING},
    {"database_name", .type = SHAPE_STRING},
    {"annotations", .type = SHAPE_TEXTS, .most = HANDLERS_ANNOTATIONS_MAX},
    END,
};

#define RETENTION                                                                                  \
    {                                                                                              \
        "history_retention_seconds", .type = SHAPE_INTEGER, .most = HANDLERS_RETENTION_MAX_SECONDS \
    }

static const ShapeMember NEW_PROJECT[] = {
    NAME(256),
    {"settings", OBJECT(PROJECT_SETTINGS)},
    {"branch", OBJECT(FIRST_BRANCH)},
    SIZES,
    PROVISIONER,
    {"region_id", .type = SHAPE_STRING},
    {"default_endpoint_settings", OBJECT(DEFAULT_ENDPOINT_SETTINGS)},
    {"pg_version", .type = SHAPE_INTEGER, .least = 14, .most = 18},
    {"store_passwords", .type = SHAPE_BOOLEAN},
    RETENTION,
    {"org_id", .type = SHAPE_ID},
    END,
};

static const ShapeMember CHANGED_PROJECT[] = {
    NAME(256),
    {"settings", OBJECT(PROJECT_SETTINGS)},
    {"default_endpoint_settings", OBJECT(DEFAULT_ENDPOINT_SETTINGS)},
    RETENTION,
    END,
};

static const ShapeMember ENDPOINT_SETTINGS[] = {
    {"pg_settings", .type = SHAPE_TEXTS},
    {"pgbouncer_settings", .type = SHAPE_TEXTS},
    {"preload_libraries", OBJECT(LIBRARIES)},
    END,
};

static const ShapeMember BRANCH_ENDPOINT[] = {
    {"type", .type = SHAPE_STRING, .is_required = true, .choices = ENDPOINT_TYPES},
    {"settings", OBJECT(ENDPOINT_SETTINGS)},
    SIZES,
    PROVISIONER,
    SUSPEND,
    END,
};

static const ShapeMember ITEM_ENDPOINT = {"", OBJECT(BRANCH_ENDPOINT)};

static const ShapeMember NEW_BRANCH[] = {
    {"parent_id", .type = SHAPE_ID, .may_be_empty = true},
    NAME(256),
    {"parent_lsn", .type = SHAPE_STRING},
    {"parent_timestamp", .type = SHAPE_TIME},
    {"protected", .type = SHAPE_BOOLEAN},
    {"archived", .type = SHAPE_BOOLEAN},
    {"init_source", .type = SHAPE_STRING},
    {"expires_at", .type = SHAPE_TIME},
    END,
};

static const ShapeMember CHANGED_BRANCH[] = {
    NAME(256),
    {"protected", .type = SHAPE_BOOLEAN},
    {"expires_at", .type = SHAPE_TIME, .may_be_null = true},
    END,
};

#define ENDPOINT_MEMBERS                                                                           \
    {"settings", OBJECT(ENDPOINT_SETTINGS)}, SIZES, PROVISIONER,                                   \
        {"pooler_enabled", .type = SHAPE_BOOLEAN},                                                 \
        {"pooler_mode", .type = SHAPE_STRING, .choices = POOLER_MODES},                            \
        {"disabled", .type = SHAPE_BOOLEAN}, {"passwordless_access", .type = SHAPE_BOOLEAN},       \
        SUSPEND, NAME(64), END

static const ShapeMember NEW_ENDPOINT[] = {
    {"branch_id", .type = SHAPE_ID, .is_required = true},
    {"region_id", .type = SHAPE_STRING},
    {"type", .type = SHAPE_STRING, .is_required = true, .choices = ENDPOINT_TYPES},
    ENDPOINT_MEMBERS,
};

static const ShapeMember CHANGED_ENDPOINT[] = {{"branch_id", .type = SHAPE_ID}, ENDPOINT_MEMBERS};

static const ShapeMember NEW_ROLE[] = {
    {"name", .type = SHAPE_STRING, .is_required = true},
    {"no_login", .type = SHAPE_BOOLEAN},
    END,
};

static const ShapeMember NEW_DATABASE[] = {
    {"name", .type = SHAPE_STRING, .is_required = true},
    {"owner_name", .type = SHAPE_STRING, .is_required = true},
    END,
};

static const ShapeMember CHANGED_DATABASE[] = {
    {"name", .type = SHAPE_STRING},
    {"owner_name", .type = SHAPE_STRING},
    END,
};

static const ShapeMember BODY_KEY[] = {
    {"key_name", .type = SHAPE_STRING, .is_required = true, .most = 64},
    END,
};
static const ShapeMember BODY_ORGANIZATION_KEY[] = {
    {"key_name", .type = SHAPE_STRING, .is_required = true, .most = 64},
    {"project_id", .type = SHAPE_ID},
    END,
};
static const ShapeMember BODY_NEW_PROJECT[] = {
    {"project", OBJECT(NEW_PROJECT), .is_required = true},
    END,
};
static const ShapeMember BODY_CHANGED_PROJECT[] = {
    {"project", OBJECT(CHANGED_PROJECT), .is_required = true},
    END,
};
static const ShapeMember BODY_NEW_BRANCH[] = {
    {"endpoints", LIST(ITEM_ENDPOINT)},
    {"branch", OBJECT(NEW_BRANCH)},
    {"annotation_value", .type = SHAPE_TEXTS, .most = HANDLERS_ANNOTATIONS_MAX},
    END,
};
static const ShapeMember BODY_CHANGED_BRANCH[] = {
    {"branch", OBJECT(CHANGED_BRANCH), .is_required = true},
    END,
};
static const ShapeMember BODY_RESTORE[] = {
    {"source_branch_id", .type = SHAPE_ID, .is_required = true},
    {"source_lsn", .type = SHAPE_STRING},
    {"source_timestamp", .type = SHAPE_TIME},
    {"preserve_under_name", .type = SHAPE_STRING},
    END,
};
static const ShapeMember BODY_NEW_ENDPOINT[] = {
    {"endpoint", OBJECT(NEW_ENDPOINT), .is_required = true},
    END,
};
static const ShapeMember BODY_CHANGED_ENDPOINT[] = {
    {"endpoint", OBJECT(CHANGED_ENDPOINT), .is_required = true},
    END,
};
static const ShapeMember BODY_ROLE[] = {{"role", OBJECT(NEW_ROLE), .is_required = true}, END};
static const ShapeMember BODY_NEW_DATABASE[] = {
    {"database", OBJECT(NEW_DATABASE), .is_required = true},
    END,
};
static const ShapeMember BODY_CHANGED_DATABASE[] = {
    {"database", OBJECT(CHANGED_DATABASE), .is_required = true},
    END,
};

#define LIMIT(most_items)                                                                          \
    {                                                                                              \
        "limit", .type = SHAPE_INTEGER, .least = 1, .most = (most_items)                           \
    }
#define ARGUMENT(argument)                                                                         \
    {                                                                                              \
        argument, .type = SHAPE_STRING                                                             \
    }
#define ORDER(orders)                                                                              \
    {"sort_by", .type = SHAPE_STRING, .choices = (orders)},                                        \
    {                                                                                              \
        "sort_order", .type = SHAPE_STRING, .choices = DIRECTIONS                                  \
    }
#define TIMEOUT                                                                                    \
    {                                                                                              \
        "timeout", .type = SHAPE_INTEGER, .least = 100, .most = 30000                              \
    }

static const ShapeMember QUERY_REGIONS[] = {{"org_id", .type = SHAPE_ID}, END};
static const ShapeMember QUERY_PROJECTS[] = {
    ARGUMENT("cursor"),
    LIMIT(400),
    ARGUMENT("search"),
    {"org_id", .type = SHAPE_ID},
    TIMEOUT,
    {"recoverable", .type = SHAPE_BOOLEAN},
    END,
};
static const ShapeMember QUERY_SHARED[] = {
    ARGUMENT("cursor"), LIMIT(400), ARGUMENT("search"), TIMEOUT, END,
};
static const ShapeMember QUERY_URI[] = {
    {"branch_id", .type = SHAPE_ID},
    {"endpoint_id", .type = SHAPE_ID},
    {"database_name", .type = SHAPE_STRING, .is_required = true},
    {"role_name", .type = SHAPE_STRING, .is_required = true},
    {"pooled", .type = SHAPE_BOOLEAN},
    END,
};
static const ShapeMember QUERY_BRANCHES[] = {
    ARGUMENT("search"),
    ORDER(BRANCH_ORDERS),
    ARGUMENT("cursor"),
    LIMIT(10000),
    {"include_deleted", .type = SHAPE_BOOLEAN},
    END,
};
static const ShapeMember QUERY_DELETE_BRANCH[] = {{"hard_delete", .type = SHAPE_BOOLEAN}, END};
static const ShapeMember QUERY_SCHEMA[] = {
    {"db_name", .type = SHAPE_STRING, .is_required = true},
    ARGUMENT("lsn"),
    {"timestamp", .type = SHAPE_TIME},
    ARGUMENT("format"),
    END,
};
static const ShapeMember QUERY_COMPARE[] = {
    {"base_branch_id", .type = SHAPE_ID},
    {"db_name", .type = SHAPE_STRING, .is_required = true},
    ARGUMENT("lsn"),
    {"timestamp", .type = SHAPE_TIME},
    ARGUMENT("base_lsn"),
    {"base_timestamp", .type = SHAPE_TIME},
    END,
};
static const ShapeMember QUERY_OPERATIONS[] = {ARGUMENT("cursor"), LIMIT(1000), END};
static const ShapeMember QUERY_MEMBERS[] = {
    ORDER(MEMBER_ORDERS),
    ARGUMENT("cursor"),
    LIMIT(500),
    END,
};

#define O "/organizations/{org_id}"
#define P "/projects/{project_id}"
#define B P "/branches/{branch_id}"

static const Shape SHAPES[] = {
    {"GET /regions", QUERY_REGIONS, NULL},
    {"POST /api_keys", NULL, BODY_KEY},
    {"POST " O "/api_keys", NULL, BODY_ORGANIZATION_KEY},
    {"GET " O "/members", QUERY_MEMBERS, NULL},
    {"GET /projects", QUERY_PROJECTS, NULL},
    {"POST /projects", NULL, BODY_NEW_PROJECT},
    {"GET /projects/shared", QUERY_SHARED, NULL},
    {"PATCH " P, NULL, BODY_CHANGED_PROJECT},
    {"GET " P "/connection_uri", QUERY_URI, NULL},
    {"GET " P "/branches", QUERY_BRANCHES, NULL},
    {"POST " P "/branches", NULL, BODY_NEW_BRANCH},
    {"PATCH " B, NULL, BODY_CHANGED_BRANCH},
    {"DELETE " B, QUERY_DELETE_BRANCH, NULL},
    {"GET " B "/schema", QUERY_SCHEMA, NULL},
    {"GET " B "/compare_schema", QUERY_COMPARE, NULL},
    {"POST " B "/restore", NULL, BODY_RESTORE},
    {"POST " P "/endpoints", NULL, BODY_NEW_ENDPOINT},
    {"PATCH " P "/endpoints/{endpoint_id}", NULL, BODY_CHANGED_ENDPOINT},
    {"POST " B "/roles", NULL, BODY_ROLE},
    {"POST " B "/databases", NULL, BODY_NEW_DATABASE},
    {"PATCH " B "/databases/{database_name}", NULL, BODY_CHANGED_DATABASE},
    {"GET " P "/operations", QUERY_OPERATIONS, NULL},
};

const Shape *shapes_find(const char *route)
{
    for (size_t i = 0; i < sizeof(SHAPES) / sizeof(SHAPES[0]); i++) {
        if (strcmp(SHAPES[i].route, route) == 0) {
            return &SHAPES[i];
        }
    }
    return NULL;
}

#include <math.h>

#include "base/attr.h"
#include "base/text.h"
#include "contract/command_parts.h"

enum {
    PG_VERSION_MIN = 14,
    PG_VERSION_MAX = 18,
    RETENTION_MAX_SECONDS = 30 * 24 * 3600,
    SUSPEND_NEVER = -1,
    SUSPEND_DEFAULT = 0,
    SUSPEND_MIN_SECONDS = 60,
    SUSPEND_MAX_SECONDS = 7 * 24 * 3600,
    PATH_MAX_BYTES = sizeof((Error *)NULL)->field - 1,
};

static bool refuse(const char *path, const char *name, const char *allowed, Error *err)
{
    Text field CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
    text_printf(&field, "%s%s%s", path, name[0] == '\0' ? "" : ".", name);
    return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", text_get(&field), "%s must be %s",
                           text_get(&field), allowed);
}

bool command_check_pg_version(int32_t version, const char *path, Error *err)
{
    return version == 0 || (version >= PG_VERSION_MIN && version <= PG_VERSION_MAX) ||
           refuse(path, "", "a major version from 14 to 18, or 0 for Neon's default", err);
}

bool command_check_retention(const Google__Protobuf__Int64Value *seconds, const char *path,
                             Error *err)
{
    return seconds == NULL || (seconds->value >= 0 && seconds->value <= RETENTION_MAX_SECONDS) ||
           refuse(path, "", "from 0 to 2592000 seconds (30 days)", err);
}

static bool is_compute_size(double units)
{
    // NaN fails each comparison.
    return units == 0.25 || units == 0.5 ||
           (isfinite(units) && units >= 1.0 && floor(units) == units);
}

static bool check_compute(const Google__Protobuf__DoubleValue *units, const char *path,
                          const char *name, Error *err)
{
    return units == NULL || is_compute_size(units->value) ||
           refuse(path, name, "0.25, 0.5 or a whole number of compute units", err);
}

static bool is_suspend_timeout(int64_t seconds)
{
    return seconds == SUSPEND_NEVER || seconds == SUSPEND_DEFAULT ||
           (seconds >= SUSPEND_MIN_SECONDS && seconds <= SUSPEND_MAX_SECONDS);
}

bool command_check_endpoint(const Provisioning__V1__EndpointSettings *endpoint, const char *path,
                            Error *err)
{
    if (endpoint == NULL) {
        return true;
    }
    const Google__Protobuf__DoubleValue *min = endpoint->autoscaling_limit_min_cu;
    const Google__Protobuf__DoubleValue *max = endpoint->autoscaling_limit_max_cu;
    const Google__Protobuf__Int64Value *suspend = endpoint->suspend_timeout_seconds;
    if (!check_compute(min, path, "autoscaling_limit_min_cu", err) ||
        !check_compute(max, path, "autoscaling_limit_max_cu", err)) {
        return false;
    }
    if (min != NULL && max != NULL && max->value < min->value) {
        return refuse(path, "autoscaling_limit_max_cu", "at least autoscaling_limit_min_cu", err);
    }
    return suspend == NULL || is_suspend_timeout(suspend->value) ||
           refuse(path, "suspend_timeout_seconds",
                  "-1 (never), 0 (Neon's default) or 60 to 604800 seconds", err);
}

#include "lib/values.h"

#include "contract/allocator.h"

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000000 };

bool values_is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

Google__Protobuf__DoubleValue *values_double(double value)
{
    Google__Protobuf__DoubleValue *wrapped = allocator_zeroed(sizeof(*wrapped));
    google__protobuf__double_value__init(wrapped);
    wrapped->value = value;
    return wrapped;
}

Google__Protobuf__Int64Value *values_int64(int64_t value)
{
    Google__Protobuf__Int64Value *wrapped = allocator_zeroed(sizeof(*wrapped));
    google__protobuf__int64_value__init(wrapped);
    wrapped->value = value;
    return wrapped;
}

Google__Protobuf__Timestamp *values_instant(int64_t instant_ms)
{
    Google__Protobuf__Timestamp *timestamp = allocator_zeroed(sizeof(*timestamp));
    google__protobuf__timestamp__init(timestamp);
    timestamp->seconds = instant_ms / MS_PER_SECOND;
    timestamp->nanos = (int32_t)(instant_ms % MS_PER_SECOND) * NS_PER_MS;
    return timestamp;
}

Google__Protobuf__Duration *values_span(int64_t seconds)
{
    Google__Protobuf__Duration *span = allocator_zeroed(sizeof(*span));
    google__protobuf__duration__init(span);
    span->seconds = seconds;
    return span;
}

Provisioning__V1__EndpointSettings *values_endpoint(const ProvisionEndpoint *endpoint)
{
    if (endpoint->min_cu == 0 && endpoint->max_cu == 0 && endpoint->suspend_timeout_seconds == 0) {
        return NULL;
    }
    Provisioning__V1__EndpointSettings *settings = allocator_zeroed(sizeof(*settings));
    provisioning__v1__endpoint_settings__init(settings);
    if (endpoint->min_cu != 0) {
        settings->autoscaling_limit_min_cu = values_double(endpoint->min_cu);
    }
    if (endpoint->max_cu != 0) {
        settings->autoscaling_limit_max_cu = values_double(endpoint->max_cu);
    }
    if (endpoint->suspend_timeout_seconds != 0) {
        settings->suspend_timeout_seconds = values_int64(endpoint->suspend_timeout_seconds);
    }
    return settings;
}

#include "lib/fault.h"

#include <stdarg.h>
#include <stdio.h>

static bool fault_fill(ProvisionError *err, ProvisionErrorKind kind, const char *code,
                       const char *field)
{
    *err = (ProvisionError){.kind = kind};
    (void)snprintf(err->code, sizeof(err->code), "%s", code);
    (void)snprintf(err->field, sizeof(err->field), "%s", field);
    return false;
}

bool fault_set(ProvisionError *err, ProvisionErrorKind kind, const char *code, const char *format,
               ...)
{
    if (err == NULL) {
        return false;
    }
    fault_fill(err, kind, code, "");
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    return false;
}

bool fault_set_field(ProvisionError *err, const char *code, const char *field, const char *format,
                     ...)
{
    if (err == NULL) {
        return false;
    }
    fault_fill(err, PROVISION_ERROR_INVALID, code, field);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    return false;
}

bool fault_from(ProvisionError *err, const Error *error)
{
    return fault_set_field(err, error->code, error->field, "%s", error->text);
}

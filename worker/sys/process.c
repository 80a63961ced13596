#include "sys/process.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

bool process_harden(Error *err)
{
    umask(S_IRWXG | S_IRWXO);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || (!SANITIZED && prctl(PR_SET_DUMPABLE, 0) != 0)) {
        return error_set(err, ERROR_INTERNAL, "INTERNAL_ERROR", "can't forbid core files: %s",
                         strerror(errno));
    }
    return true;
}

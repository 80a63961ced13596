/* Which libraries an installation of PostgreSQL has, and of which version. */
#include <stdio.h>
#include <string.h>

#include "instance.h"

/* Debian keeps extensions in share/extension beside a prefix of its own, others below postgresql.
 */
static FILE *open_control(const Version *version, const char *name)
{
    static const char *const FOLDERS[] = {"share/extension", "share/postgresql/extension"};
    char path[VERSIONS_PATH_BYTES + 128];
    for (size_t i = 0; i < sizeof(FOLDERS) / sizeof(FOLDERS[0]); i++) {
        text_build(path, sizeof(path), "%s/%s/%s.control", version->prefix, FOLDERS[i], name);
        FILE *file = fopen(path, "re");
        if (file != NULL) {
            return file;
        }
    }
    /* Debian's prefix is /usr/lib/postgresql/N, its extensions are elsewhere. */
    text_build(path, sizeof(path), "/usr/share/postgresql/%d/extension/%s.control", version->major,
               name);
    return fopen(path, "re");
}

bool compute_find_library(const Compute *compute, int major, const char *name,
                          char ret_version[COMPUTE_VERSION_BYTES])
{
    const Version *version = NULL;
    for (int i = 0; i < compute->versions.count; i++) {
        version = compute->versions.list[i].major == major ? &compute->versions.list[i] : version;
    }
    if (version == NULL || !versions_has_library(version, name)) {
        return false;
    }
    /* One without an extension comes with the server. */
    text_build(ret_version, COMPUTE_VERSION_BYTES, "%d", major);
    FILE *file = open_control(version, name);
    char line[256];
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char found[COMPUTE_VERSION_BYTES];
        if (sscanf(line, "default_version = '%15[^']'", found) == 1) {
            text_build(ret_version, COMPUTE_VERSION_BYTES, "%s", found);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return true;
}

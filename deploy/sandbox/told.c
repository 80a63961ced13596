#include "told.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "text.h"

static json_t *decode(const char *hex)
{
    char text[4096];
    size_t length = 0;
    if (hex == NULL || sodium_hex2bin((unsigned char *)text, sizeof(text) - 1, hex, strlen(hex),
                                      NULL, &length, NULL) != 0) {
        return json_string("");
    }
    json_t *value = json_stringn(text, length);
    sodium_memzero(text, sizeof(text));
    /* Not UTF-8: a name that no client of ours writes. */
    return value == NULL ? json_string("") : value;
}

json_t *told_read(Cluster *cluster)
{
    char path[CLUSTER_PATH_BYTES + 16];
    json_t *list = json_array();
    char *line = NULL;
    size_t size = 0;
    text_build(path, sizeof(path), "%s/forwarded", cluster->dir);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return list;
    }
    (void)fseek(file, cluster->told_bytes, SEEK_SET);
    for (ssize_t got = getline(&line, &size, file); got > 0 && line[got - 1] == '\n';
         got = getline(&line, &size, file)) {
        char *rest = NULL;
        cluster->told_bytes += got;
        const char *kind = strtok_r(line, " \n", &rest);
        const char *role = strtok_r(NULL, " \n", &rest);
        const char *password = strtok_r(NULL, " \n", &rest);
        json_array_append_new(
            list, json_pack("[s, o, o]", kind == NULL ? "" : kind, decode(role), decode(password)));
        sodium_memzero(line, size);
    }
    free(line);
    fclose(file);
    return list;
}

bool told_fail_commits(const Cluster *cluster, int64_t count)
{
    char path[CLUSTER_PATH_BYTES + 16];
    text_build(path, sizeof(path), "%s/commit_fails", cluster->dir);
    return files_write(path, "", 0, 0600, &cluster->versions->user) && truncate(path, count) == 0;
}

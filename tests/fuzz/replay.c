/*
 * Runs every file of the folders named on the command line through a fuzz target once.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A copy on the heap of exactly the file's size, so that ASan sees a read behind its end.
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc((size_t)size);
    size_t read = fread(data, 1, (size_t)size, file);
    (void)fclose(file);
    if (read == (size_t)size) {
        (void)LLVMFuzzerTestOneInput(data, read);
    }
    free(data);
    return read == (size_t)size ? 0 : 1;
}

static int replay_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        perror(folder);
        return 1;
    }
    int failed = 0;
    int count = 0;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            char path[4096];
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            failed += replay_file(path);
            count++;
        }
    }
    (void)closedir(directory);
    (void)printf("%s: %d inputs\n", folder, count);
    return failed + (count == 0 ? 1 : 0);
}

int main(int count, char **arguments)
{
    int failed = count < 2 ? 1 : 0;
    for (int i = 1; i < count; i++) {
        failed += replay_folder(arguments[i]);
    }
    return failed == 0 ? 0 : 1;
}

#include "descriptor_set.h"

#include <stdio.h>
#include <string.h>

void descriptor_read_file(const char *path, Text *text)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("no %s", path);
    }
    char piece[4096];
    size_t size = 0;
    while ((size = fread(piece, 1, sizeof piece, file)) > 0) {
        text_append_bytes(text, piece, size);
    }
    (void)fclose(file);
    assert_true(text_ok(text) && text->length > 0);
}

FileSet *descriptor_read_set(const char *path)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    descriptor_read_file(path, &text);
    FileSet *set =
        google__protobuf__file_descriptor_set__unpack(NULL, text.length, text_bytes(&text).data);
    assert_non_null(set);
    assert_true(set->n_file > 0);
    return set;
}

void descriptor_free_set(FileSet **set)
{
    google__protobuf__file_descriptor_set__free_unpacked(*set, NULL);
}

bool descriptor_is_own(const File *file)
{
    return strncmp(file->name, "google/", strlen("google/")) != 0;
}

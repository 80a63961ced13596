/*
 * A folder that lives as long as a test, and the lines that reached stderr.
 */
#ifndef SYS_SCRATCH_H
#define SYS_SCRATCH_H

#include <stddef.h>

enum { SCRATCH_PATH_BYTES = 256 };

// Setup and teardown for cmocka: *state is the folder's path.
int scratch_setup(void **state);
int scratch_teardown(void **state);

// The path of `name` in the folder, valid until the eighth call after it.
const char *scratch_path(void **state, const char *name);
const char *scratch_write(void **state, const char *name, const void *data, size_t size);
const char *scratch_write_text(void **state, const char *name, const char *text);
void scratch_folder(void **state, const char *name);

// Stderr goes into a file from here to scratch_end_capture, which returns its text for the caller
// to free.
void scratch_begin_capture(void);
char *scratch_end_capture(void);

#endif

/*
 * Standard input or a file, read line by line without waiting for more than has come: a pipe may
 * stay open, and stdio can't tell whether a line is there.
 */
#ifndef CTL_SEND_INPUT_H
#define CTL_SEND_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { SEND_INPUT_BYTES_MAX = 1024 * 1024 }; // of a line

typedef struct SendInput {
    int fd;
    char *bytes; // owned; what was read and not taken is from `start` on
    size_t room;
    size_t start;
    size_t end;
    size_t searched; // no line ends before it
    size_t line;     // number of the last line that was taken; 0: none
    bool keeps;      // what was taken, so that send_input_rewind finds it
    bool has_ended;
    int problem; // errno; 0: none
} SendInput;

typedef enum SendInputResult {
    SEND_INPUT_LINE,
    SEND_INPUT_LATER,    // nothing whole came in time
    SEND_INPUT_END,      // all lines were taken
    SEND_INPUT_TOO_LONG, // the next line is longer than SEND_INPUT_BYTES_MAX
    SEND_INPUT_FAILED,   // `problem` says why
} SendInputResult;

// `fd` stays the caller's.
void send_input_begin(SendInput *input, int fd);
void send_input_clear(SendInput *input); // for CLEANUP

// The next line with its line break, which holds until the next call. `timeout_ms` -1: waits.
SendInputResult send_input_line(SendInput *input, int timeout_ms, Bytes *ret_line);

// From the first line again; afterwards lines are forgotten as they are taken.
void send_input_rewind(SendInput *input);

// All that is left, up to SEND_INPUT_BYTES_MAX: SEND_INPUT_LINE, _TOO_LONG (with as much as that),
// _FAILED.
SendInputResult send_input_rest(SendInput *input, Bytes *ret_rest);

#endif

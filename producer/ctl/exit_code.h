/*
 * Exit codes of provisionctl: those of sysexits.h where they fit, and the outcome of a command.
 */
#ifndef CTL_EXIT_CODE_H
#define CTL_EXIT_CODE_H

enum {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FINDINGS = 1,     // commands are stuck; a check of doctor failed; roles drifted
    EXIT_CODE_REJECTED = 10,    // the command was rejected: nothing was done
    EXIT_CODE_FAILED = 11,      // the command failed
    EXIT_CODE_STOPPED = 12,     // the command was cancelled or superseded
    EXIT_CODE_USAGE = 64,       // the command line can't be right
    EXIT_CODE_DATA = 65,        // the input can't be right
    EXIT_CODE_NOT_FOUND = 66,   // no such subject
    EXIT_CODE_UNAVAILABLE = 69, // Kafka or the ledger doesn't answer, or a topic is missing
    EXIT_CODE_FILE = 74,        // a file can't be read or written
    EXIT_CODE_TIMEOUT = 75,     // nothing arrived in time
};

#endif

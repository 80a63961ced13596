/*
 * What a function of libprovision that fails says of it. Included by provision/provision.h, which
 * has the conventions.
 */
#ifndef PROVISION_ERROR_H
#define PROVISION_ERROR_H

typedef enum ProvisionErrorKind {
    PROVISION_ERROR_NONE,
    PROVISION_ERROR_INVALID,     // the input can't be right: correct it
    PROVISION_ERROR_UNAVAILABLE, // Kafka doesn't answer, refuses, or lacks the topic: later the
                                 // same again
    PROVISION_ERROR_TIMEOUT,     // nothing arrived in the time allowed; the command itself goes on
} ProvisionErrorKind;

typedef struct ProvisionError {
    ProvisionErrorKind kind;
    char code[48];  // stable, UPPER_CASE
    char field[96]; // the field it is about, or empty
    char text[512]; // says what to do; never holds a secret
} ProvisionError;

#endif

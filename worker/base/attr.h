/*
 * Compiler attributes of the house: the only place that names them.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

// Runs `function(&variable)` when the variable leaves its scope.
#define CLEANUP(function) __attribute__((cleanup(function)))
#define PRINTF_LIKE(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))
#define MUST_USE __attribute__((warn_unused_result))

#endif

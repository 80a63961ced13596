/*
 * What must hold for every input, in every build.
 */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdlib.h>

#define CHECK(condition) ((condition) ? (void)0 : abort())

#endif

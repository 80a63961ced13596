/*
 * What every unit test of the producer includes: cmocka, with the headers it asks for.
 */
#ifndef PRODUCER_UNIT_H
#define PRODUCER_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif

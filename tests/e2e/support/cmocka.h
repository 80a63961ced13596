/*
 * cmocka.h wants these headers before it.
 */
#ifndef E2E_CMOCKA_H
#define E2E_CMOCKA_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#endif

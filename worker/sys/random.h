/*
 * Random numbers, all of them fit for keys.
 */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

// Once, before other threads: lets libsodium open its source and pick its fastest code. Ends the
// process when the system has no random numbers.
void random_install(void);
void random_bytes(void *ret_bytes, size_t size);
uint32_t random_u32(void);
void random_uuid(char ret_uuid[UUID_TEXT_BYTES]); // version 4

#endif

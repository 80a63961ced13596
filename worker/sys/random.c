#include "sys/random.h"

#include <sodium.h>
#include <stdlib.h>

void random_install(void)
{
    // Seeded by the kernel, then without a system call for each UUID. Not across a fork.
    randombytes_set_implementation(&randombytes_internal_implementation);
    if (sodium_init() < 0) {
        abort();
    }
}

void random_bytes(void *ret_bytes, size_t size)
{
    randombytes_buf(ret_bytes, size);
}

uint32_t random_u32(void)
{
    return randombytes_random();
}

void random_uuid(char ret_uuid[UUID_TEXT_BYTES])
{
    uint8_t bytes[16];
    randombytes_buf(bytes, sizeof bytes);
    uuid_from_random(bytes, ret_uuid);
}

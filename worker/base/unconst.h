/*
 * For libraries that take what they don't change without const: jansson's iteration, protobuf-c's
 * structs. Nothing may be written through the result.
 */
#ifndef BASE_UNCONST_H
#define BASE_UNCONST_H

static inline void *unconst(const void *pointer)
{
    union {
        const void *given;
        void *taken;
    } both = {.given = pointer};
    return both.taken;
}

#endif

#include "module.h"

#include "files.h"

__asm__(".section .rodata\n"
        ".balign 16\n"
        "module_begin: .incbin \"" NEON_DDL_FILE "\"\n"
        "module_end: .byte 0\n"
        ".previous\n");

extern const char module_begin[];
extern const char module_end[];

bool module_write(const char *path, const SpawnUser *user)
{
    return files_write(path, module_begin, (size_t)(module_end - module_begin), 0555, user);
}

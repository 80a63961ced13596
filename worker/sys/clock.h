/*
 * The clocks. Deadlines inside a process are taken from the boot clock: it goes on while the
 * machine is suspended and never jumps, so that a thawed worker sees how late it is.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);   // since 1970, UTC; may jump
int64_t clock_boot_ms(void);   // since the machine was started (CLOCK_BOOTTIME)
int64_t clock_boot_us(void);   // the same, for measuring
int64_t clock_thread_us(void); // processor time of the calling thread

#endif

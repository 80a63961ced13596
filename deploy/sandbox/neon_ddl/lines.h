/* The lines that tell the control plane of a role. */
#pragma once

#include <stdbool.h>

/* Appends `KIND role password`, both in hexadecimal, in one write; `password` may be NULL. */
bool lines_write(int file, char kind, const char *role, const char *password);

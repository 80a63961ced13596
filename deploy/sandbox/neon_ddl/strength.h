/* How strong Neon's control plane finds a password, by the rules of the library it uses:
 * https://github.com/wagslane/go-password-validator */
#pragma once

/* Bits of entropy: classes of characters give the base, what is left without repetitions and
 * well-known sequences the length. */
double strength_count_bits(const char *password);

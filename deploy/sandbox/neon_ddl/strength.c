#include "strength.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { STRENGTH_MOST_BYTES = 1024 };

static const char *const CLASSES[] = {
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!@$&*", "_-., ",
    "\"#%'()+/:;<=>?[\\]^{|}~",
};

/* Each also counts backwards. */
static const char *const SEQUENCES[] = {
    "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz",
};

static bool is_in_class(char character)
{
    for (size_t i = 0; i < sizeof(CLASSES) / sizeof(CLASSES[0]); i++) {
        if (strchr(CLASSES[i], character) != NULL) {
            return true;
        }
    }
    return false;
}

static double count_base(const char *password)
{
    double base = 0;
    for (size_t i = 0; i < sizeof(CLASSES) / sizeof(CLASSES[0]); i++) {
        if (strpbrk(password, CLASSES[i]) != NULL) {
            base += (double)strlen(CLASSES[i]);
        }
    }
    for (const char *c = password; *c != '\0'; c++) {
        if (!is_in_class(*c) && strchr(password, *c) == c) {
            base += 1;
        }
    }
    return base;
}

static void remove_repetitions(char *text)
{
    size_t length = 0;
    for (const char *c = text; *c != '\0'; c++) {
        bool is_third = length >= 2 && text[length - 1] == *c && text[length - 2] == *c;
        if (!is_third) {
            text[length++] = *c;
        }
    }
    text[length] = '\0';
}

/* Cuts what follows two neighbours of a sequence. */
static void remove_sequence(char *text, const char *sequence, int step)
{
    size_t length = 0;
    size_t matches = 0;
    const char *last = NULL;
    for (const char *c = text; *c != '\0'; c++) {
        const char *here = strchr(sequence, *c);
        bool goes_on = here != NULL && last != NULL && here - last == step;
        matches = here == NULL ? 0 : goes_on ? matches + 1 : 1;
        last = here;
        if (matches <= 2) {
            text[length++] = *c;
        }
    }
    text[length] = '\0';
}

double strength_count_bits(const char *password)
{
    char text[STRENGTH_MOST_BYTES];
    size_t length = strnlen(password, sizeof(text) - 1);
    memcpy(text, password, length);
    text[length] = '\0';
    remove_repetitions(text);
    for (size_t i = 0; i < sizeof(SEQUENCES) / sizeof(SEQUENCES[0]); i++) {
        remove_sequence(text, SEQUENCES[i], 1);
        remove_sequence(text, SEQUENCES[i], -1);
    }
    length = strlen(text);
    explicit_bzero(text, sizeof(text));
    return length == 0 ? 0 : (double)length * log2(count_base(password));
}

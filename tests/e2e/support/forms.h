/*
 * The forms in which a secret could stand in other bytes.
 */
#ifndef E2E_FORMS_H
#define E2E_FORMS_H

#include "base/bytes.h"

enum { FORMS_MAX = 12, FORMS_TEXT_BYTES = 1024 };

typedef struct Form {
    const char *name;
    char text[FORMS_TEXT_BYTES];
} Form;

typedef struct Forms {
    Form list[FORMS_MAX];
    size_t count;
} Forms;

// Clear, hex (of either case), URL-encoded, base64 in both alphabets: for the latter what is the
// same wherever the secret begins in the encoded text, one form for each of three alignments.
void forms_make(const char *secret, Forms *ret_forms);
// The name of the first form that stands in the bytes, or NULL.
const char *forms_find(const Forms *forms, Bytes bytes);

#endif

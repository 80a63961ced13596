#include "contract/subject.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static Subject subject_named(SubjectKind kind, const char *name)
{
    Subject subject = {.kind = kind};
    bool fits = text_copy(subject.name, sizeof subject.name, name);
    assert(fits);
    (void)fits;
    return subject;
}

Subject subject_environment(const char *environment)
{
    return subject_named(SUBJECT_ENVIRONMENT, environment);
}

Subject subject_account(const char *account)
{
    return subject_named(SUBJECT_ACCOUNT, account);
}

bool subject_equal(const Subject *a, const Subject *b)
{
    return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

void subject_format(const char *application_id, const Subject *subject,
                    char ret_text[SUBJECT_TEXT_BYTES])
{
    static const char *const COLLECTIONS[] = {
        [SUBJECT_ENVIRONMENT] = "/environments/",
        [SUBJECT_ACCOUNT] = "/accounts/",
    };
    assert(subject->kind != SUBJECT_NONE);
    const char *collection = subject->kind == SUBJECT_APPLICATION ? "" : COLLECTIONS[subject->kind];
    int length = snprintf(ret_text, SUBJECT_TEXT_BYTES, "applications/%s%s%s", application_id,
                          collection, subject->name);
    assert(length > 0 && length < SUBJECT_TEXT_BYTES);
    (void)length;
}

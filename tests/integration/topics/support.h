/*
 * Settings with topics of their own names, and what create and check say of them.
 */
#ifndef TOPICS_SUPPORT_H
#define TOPICS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/topics.h"

typedef struct Said {
    bool done;
    Error err;
    char *text; // freed by said_clear
} Said;

typedef bool TopicsCall(const Settings *settings, FILE *out, Error *err);

void support_set(Settings *settings, const char *name, const char *value);
// Topics called "<prefix>-<pid>-commands" and so on; freed by the caller.
Settings *support_settings(const char *bootstrap, const char *prefix);
Said support_say(TopicsCall *call, const Settings *settings);
void said_clear(Said *said);
void support_assert_said(const Said *said, const char *part);
void support_assert_unsaid(const Said *said, const char *part);

#endif

#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void support_set(Settings *settings, const char *name, const char *value)
{
    Error err = ERROR_INIT;
    if (!settings_set(settings, name, value, "test", &err)) {
        fail_msg("%s", err.text);
    }
}

Settings *support_settings(const char *bootstrap, const char *prefix)
{
    static const char *const TOPICS[] = {"commands", "events", "state", "dead_letters"};
    Settings *settings = settings_new();
    support_set(settings, "kafka.bootstrap.servers", bootstrap);
    support_set(settings, "topics.partitions", "3");
    for (size_t i = 0; i < 4; i++) {
        char setting[64];
        char name[128];
        (void)snprintf(setting, sizeof(setting), "topics.%s", TOPICS[i]);
        (void)snprintf(name, sizeof(name), "%s-%ld-%s", prefix, (long)getpid(), TOPICS[i]);
        support_set(settings, setting, name);
    }
    return settings;
}

Said support_say(TopicsCall *call, const Settings *settings)
{
    Said said = {.err = ERROR_INIT};
    size_t size = 0;
    FILE *out = open_memstream(&said.text, &size);
    said.done = call(settings, out, &said.err);
    (void)fclose(out);
    return said;
}

void said_clear(Said *said)
{
    free(said->text);
    said->text = NULL;
}

void support_assert_said(const Said *said, const char *part)
{
    if (strstr(said->text, part) == NULL) {
        fail_msg("not said: %s\n%s%s: %s", part, said->text, said->err.code, said->err.text);
    }
}

void support_assert_unsaid(const Said *said, const char *part)
{
    if (strstr(said->text, part) != NULL) {
        fail_msg("said: %s\n%s", part, said->text);
    }
}

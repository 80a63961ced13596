/*
 * The first bytes say how much of the rest is metadata to start from; what follows is a play of
 * deliveries, completions and restarts. The text always fits and means the same to the next one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "check.h"
#include "contract/completion.h"

enum { RUNNING_MAX = 64, BASE = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Play {
    Completion *completion;
    int64_t position;
    int64_t running[RUNNING_MAX];
    size_t count;
} Play;

static void deliver(Play *play, int64_t gap)
{
    if (play->count == RUNNING_MAX) {
        return;
    }
    int64_t offset = play->position + gap;
    const char *reason = NULL;
    if (completion_deliver(play->completion, offset, 5, &reason) == COMPLETION_RUN) {
        play->running[play->count++] = offset;
    }
    play->position = offset + 1;
}

static void finish(Play *play, size_t which)
{
    if (play->count == 0) {
        return;
    }
    which %= play->count;
    completion_finish(play->completion, play->running[which]);
    play->running[which] = play->running[--play->count];
}

static void restart(Play *play)
{
    Text text = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(play->completion, &text);
    CHECK(text_ok(&text) && text.length < COMPLETION_TEXT_MAX);
    int64_t offset = completion_offset(play->completion);
    size_t unfinished = completion_unfinished(play->completion);
    const char *reason = NULL;
    completion_free(play->completion);
    play->completion = completion_new(offset, text_get(&text), &reason);
    CHECK(reason == NULL && completion_offset(play->completion) == offset);
    CHECK(text.length == 0 || completion_unfinished(play->completion) == unfinished);
    play->position = offset;
    play->count = 0;
    text_clear(&text);
}

static Completion *start(const uint8_t *metadata, size_t size)
{
    char *text =
        alloc_zeroed(size + 1, 1); // strndup looks for a NUL that fuzzed bytes need not have
    memcpy(text, metadata, size);
    const char *reason = NULL;
    Completion *completion = completion_new(BASE, text, &reason);
    free(text);
    return completion;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t metadata_size = size == 0 ? 0 : data[0];
    if (size == 0 || metadata_size > size - 1) {
        return 0;
    }
    Play play = {.completion = start(data + 1, metadata_size), .position = BASE};
    for (size_t i = 1 + metadata_size; i < size; i++) {
        switch (data[i] % 8) {
        case 0:
            deliver(&play, data[i] / 8);
            break;
        case 1:
        case 2:
            deliver(&play, 0);
            break;
        case 3:
            restart(&play);
            break;
        default:
            finish(&play, data[i] / 8);
            break;
        }
        (void)completion_is_full(play.completion);
    }
    completion_free(play.completion);
    return 0;
}

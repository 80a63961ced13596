/*
 * What previews branch off.
 */
#include "neon.h"

#include <string.h>

#define SET_BASE "'setPreviewBase':{'environment':'staging'}"

static void set_source(Stage *stage, LedgerState state, const char *branch_id)
{
    LedgerEnvironment *source = &stage->claimed.source;
    source->state = state;
    assert_true(text_copy(source->branch_id, sizeof source->branch_id, branch_id));
}

static void ready(Stage *stage)
{
    set_source(stage, LEDGER_STATE_READY, "br-1");
}

static void gone(Stage *stage)
{
    set_source(stage, LEDGER_STATE_GONE, "");
}

static void without_branch(Stage *stage)
{
    set_source(stage, LEDGER_STATE_READY, "");
}

static void expiring(Stage *stage)
{
    ready(stage);
    json_object_set_new(stage->claimed.source.details, "expires_at_ms", json_integer(1));
}

static const Talk BASES[] = {
    {"an environment becomes the base",
     SET_BASE,
     NULL,
     ready,
     {{"!end", "PreviewBaseSet",
       "'subject':'applications/shop'|'environment':'staging'|'sequence':'5'|"
       "state{'application':{'previewBase':'staging'}|row env= state=none seq=5"}}},
    {"one that is gone",
     SET_BASE,
     NULL,
     gone,
     {{"!end", "CommandRejected",
       "'code':'SOURCE_NOT_ON_NEON'|'field':'set_preview_base.environment'|seq=0"}}},
    {"one that has no branch",
     SET_BASE,
     NULL,
     without_branch,
     {{"!end", "CommandRejected", "'code':'SOURCE_NOT_ON_NEON'"}}},
    {"one that expires",
     SET_BASE,
     NULL,
     expiring,
     {{"!end", "CommandRejected", "'code':'BASE_EXPIRES'"}}},
};

int main(void)
{
    return talk_run("SetPreviewBase", BASES, TALK_COUNT(BASES));
}

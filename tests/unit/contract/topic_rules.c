#include "contract/topic_rules.h"

#include <string.h>

#include "kit.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

typedef struct Said {
    TopicVerdict verdict;
    char text[512];
} Said;

typedef struct Heard {
    Said said[TOPIC_ROLES][6];
    size_t count[TOPIC_ROLES];
} Heard;

static void hear(void *context, TopicRole role, TopicVerdict verdict, const char *text)
{
    Heard *heard = context;
    assert_in_range(heard->count[role], 0, 5);
    Said *said = &heard->said[role][heard->count[role]++];
    said->verdict = verdict;
    assert_true(text_copy(said->text, sizeof(said->text), text));
}

static void make_fine(TopicFound found[TOPIC_ROLES])
{
    for (int i = 0; i < TOPIC_ROLES; i++) {
        found[i] = (TopicFound){.exists = true,
                                .has_leaders = true,
                                .partitions = 12,
                                .replicas = 3,
                                .is_configured = true,
                                .cleanup_policy = "delete",
                                .max_message_bytes = INT64_C(2) * 1024 * 1024,
                                .retention_ms = 7 * DAY_MS,
                                .retention_bytes = -1,
                                .delete_retention_ms = DAY_MS,
                                .min_insync_replicas = 2};
    }
    found[TOPIC_STATE].cleanup_policy[0] = '\0';
    assert_true(text_copy(found[TOPIC_STATE].cleanup_policy, 32, "compact"));
    found[TOPIC_DEAD_LETTERS].max_message_bytes = INT64_C(3) * 1024 * 1024;
}

static void check(const TopicFound found[TOPIC_ROLES], Heard *ret_heard)
{
    Settings *settings CLEANUP(settings_free_at) = settings_new();
    *ret_heard = (Heard){.count = {0}};
    topic_rules_check(found, settings, hear, ret_heard);
}

static void topics_that_hold_the_guarantees_are_fine(void **state)
{
    (void)state;
    TopicFound found[TOPIC_ROLES];
    Heard heard;
    make_fine(found);
    check(found, &heard);
    for (int i = 0; i < TOPIC_ROLES; i++) {
        assert_int_equal(heard.count[i], 1);
        assert_int_equal(heard.said[i][0].verdict, TOPIC_OK);
        assert_string_equal(heard.said[i][0].text, "12 partitions");
    }
}

typedef struct Case {
    TopicRole role;
    void (*spoil)(TopicFound *found);
    TopicVerdict verdict;
    const char *text; // a piece of what is said
} Case;

static void lose(TopicFound *found)
{
    found->exists = false;
}

static void refuse(TopicFound *found)
{
    found->exists = false;
    assert_true(text_copy(found->refusal, sizeof(found->refusal), "no rights"));
}

static void hide(TopicFound *found)
{
    found->is_configured = false;
}

static void deny(TopicFound *found)
{
    found->is_configured = false;
    assert_true(text_copy(found->refusal, sizeof(found->refusal), "no rights"));
}

static void behead(TopicFound *found)
{
    found->has_leaders = false;
}

static void narrow(TopicFound *found)
{
    found->partitions = 3;
}

static void thin(TopicFound *found)
{
    found->replicas = 0;
    found->min_insync_replicas = 0;
}

static void compact(TopicFound *found)
{
    assert_true(text_copy(found->cleanup_policy, 32, "compact,delete"));
}

static void shrink(TopicFound *found)
{
    found->max_message_bytes = 1000;
}

static void keep_for_ever(TopicFound *found)
{
    found->retention_ms = -1;
}

static void keep_long(TopicFound *found)
{
    found->retention_ms = 31 * DAY_MS;
}

static void keep_short(TopicFound *found)
{
    found->retention_ms = HOUR_MS;
}

static void bound(TopicFound *found)
{
    found->retention_bytes = 1000000;
}

static void forget_tombstones(TopicFound *found)
{
    found->delete_retention_ms = 1000;
}

static void ask_for_more(TopicFound *found)
{
    found->min_insync_replicas = 4;
}

static void ask_for_one(TopicFound *found)
{
    found->min_insync_replicas = 1;
}

static void each_guarantee_that_does_not_hold_is_named_with_its_remedy(void **state)
{
    (void)state;
    static const Case CASES[] = {
        {TOPIC_EVENTS, lose, TOPIC_FAULT, "there is no such topic: run provision-worker topics"},
        {TOPIC_EVENTS, refuse, TOPIC_FAULT, "it was not made: no rights"},
        {TOPIC_EVENTS, hide, TOPIC_NOTE, "this broker does not tell them"},
        {TOPIC_EVENTS, deny, TOPIC_NOTE, "not checked: no rights"},
        {TOPIC_COMMANDS, behead, TOPIC_FAULT, "no leader"},
        {TOPIC_COMMANDS, narrow, TOPIC_NOTE, "topics.partitions says 12"},
        {TOPIC_COMMANDS, thin, TOPIC_NOTE, "topics.replication says 1"},
        {TOPIC_STATE, compact, TOPIC_FAULT, "states would be lost"},
        {TOPIC_COMMANDS, compact, TOPIC_FAULT, "only the last record of an application"},
        {TOPIC_COMMANDS, shrink, TOPIC_FAULT, "max.message.bytes is 1000: set it to 1114112"},
        {TOPIC_EVENTS, shrink, TOPIC_FAULT, "max.message.bytes is 1000"},
        {TOPIC_STATE, shrink, TOPIC_FAULT, "max.message.bytes is 1000"},
        {TOPIC_DEAD_LETTERS, shrink, TOPIC_FAULT, "that of the commands"},
        {TOPIC_COMMANDS, keep_for_ever, TOPIC_FAULT, "executed again"},
        {TOPIC_COMMANDS, keep_long, TOPIC_FAULT, "raise ledger.retention"},
        {TOPIC_COMMANDS, keep_short, TOPIC_NOTE, "commands.max_age"},
        {TOPIC_COMMANDS, bound, TOPIC_FAULT, "retention.bytes is 1000000"},
        {TOPIC_STATE, forget_tombstones, TOPIC_NOTE, "delete.retention.ms is 1000"},
        {TOPIC_STATE, ask_for_more, TOPIC_FAULT, "nothing can be written"},
        {TOPIC_STATE, ask_for_one, TOPIC_NOTE, "2 is safe"},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        TopicFound found[TOPIC_ROLES];
        Heard heard;
        make_fine(found);
        CASES[i].spoil(&found[CASES[i].role]);
        check(found, &heard);
        const Said *said = heard.said[CASES[i].role];
        if (strstr(said[0].text, CASES[i].text) == NULL || said[0].verdict != CASES[i].verdict) {
            fail_msg("case %zu: %s", i, said[0].text);
        }
        // what is no fault is fine in the end
        bool is_fine = said[heard.count[CASES[i].role] - 1].verdict == TOPIC_OK;
        assert_int_equal(is_fine, CASES[i].verdict == TOPIC_NOTE);
    }
}

static void dead_letters_have_room_for_commands_whose_limit_is_not_known(void **state)
{
    (void)state;
    TopicFound found[TOPIC_ROLES];
    Heard heard;
    make_fine(found);
    found[TOPIC_COMMANDS].is_configured = false;
    found[TOPIC_DEAD_LETTERS].max_message_bytes = 1114112;
    check(found, &heard);
    assert_non_null(strstr(heard.said[TOPIC_DEAD_LETTERS][0].text, "set it to 1179648"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_that_hold_the_guarantees_are_fine),
        cmocka_unit_test(each_guarantee_that_does_not_hold_is_named_with_its_remedy),
        cmocka_unit_test(dead_letters_have_room_for_commands_whose_limit_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Which events end a command.
#include "lib/event.h"

#include "unit.h"

#define BODY(name) PROVISIONING__V1__EVENT__BODY_##name

static ProvisionOutcome outcome_of_page(int page, int pages)
{
    Provisioning__V1__AccountInventory inventory = PROVISIONING__V1__ACCOUNT_INVENTORY__INIT;
    Provisioning__V1__Event event = PROVISIONING__V1__EVENT__INIT;
    inventory.page = page;
    inventory.pages = pages;
    event.body_case = BODY(ACCOUNT_INVENTORY);
    event.account_inventory = &inventory;
    return event_outcome(&event);
}

static void an_inventory_ends_with_its_last_page(void **state)
{
    (void)state;
    static const struct {
        int page;
        int pages;
        ProvisionOutcome outcome;
    } CASES[] = {
        {1, 1, PROVISION_OUTCOME_SUCCEEDED}, {1, 2, PROVISION_OUTCOME_NONE},
        {2, 2, PROVISION_OUTCOME_SUCCEEDED}, {1, 30, PROVISION_OUTCOME_NONE},
        {29, 30, PROVISION_OUTCOME_NONE},    {30, 30, PROVISION_OUTCOME_SUCCEEDED},
        {0, 0, PROVISION_OUTCOME_SUCCEEDED},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_int_equal(outcome_of_page(CASES[i].page, CASES[i].pages), CASES[i].outcome);
    }
}

static void some_events_tell_of_commands_that_go_on(void **state)
{
    (void)state;
    static const struct {
        Provisioning__V1__Event__BodyCase body;
        ProvisionOutcome outcome;
    } CASES[] = {
        {BODY(COMMAND_ACCEPTED), PROVISION_OUTCOME_NONE},
        {BODY(STEP_FINISHED), PROVISION_OUTCOME_NONE},
        {BODY(DRIFT_REPORTED), PROVISION_OUTCOME_NONE},
        {BODY(_NOT_SET), PROVISION_OUTCOME_NONE},
        {BODY(COMMAND_REJECTED), PROVISION_OUTCOME_REJECTED},
        {BODY(COMMAND_FAILED), PROVISION_OUTCOME_FAILED},
        {BODY(COMMAND_CANCELLED), PROVISION_OUTCOME_CANCELLED},
        {BODY(COMMAND_SUPERSEDED), PROVISION_OUTCOME_SUPERSEDED},
        {BODY(ENVIRONMENT_BRANCHED), PROVISION_OUTCOME_SUCCEEDED},
        {BODY(PROJECT_EDITED), PROVISION_OUTCOME_SUCCEEDED},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        Provisioning__V1__Event event = PROVISIONING__V1__EVENT__INIT;
        event.body_case = CASES[i].body;
        assert_int_equal(event_outcome(&event), CASES[i].outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inventory_ends_with_its_last_page),
        cmocka_unit_test(some_events_tell_of_commands_that_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// What the commands about roles may name.
#include "contract/command.h"

#include "base/text.h"
#include "kit.h"

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define REPLY_KEY "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8="
#define REVEAL(more)                                                                               \
    KIT_COMMAND("'revealCredentials':{'environment':'staging','replyPublicKey':'" REPLY_KEY        \
                "'" more "}")
#define ROTATE(more) KIT_COMMAND("'rotateCredentials':{'environment':'staging'" more "}")
#define SETUP(more) KIT_COMMAND("'setupRoles':{'environment':'staging'" more "}")
#define CREATE(more)                                                                               \
    KIT_COMMAND("'createEnvironment':{'environment':'staging','account':'main',"                   \
                "'regionId':'aws-eu-central-1'" more "}")
#define BRANCH(more)                                                                               \
    KIT_COMMAND(                                                                                   \
        "'branchEnvironment':{'environment':'staging','sourceEnvironment':'production'" more "}")
#define SERVICES(databases)                                                                        \
    ",'services':[{'name':'api'},{'name':'orders','databases':[" databases "]}]"

static const KitCommandCase SETUPS[] = {
    {SETUP(""), NULL, ""},
    {SETUP(",'databases':['main','logs'],'mode':'ROLES_MODE_PLAN','adopt':true,"
           "'policy':'ROLES_POLICY_ADDITIVE'"),
     NULL, ""},
    {SETUP(SERVICES("{'database':'main','access':'ACCESS_READ'},{'database':'logs'}")), NULL, ""},
    {SETUP(",'databases':['main']" SERVICES("{'database':'main','access':'ACCESS_ADMIN'}")), NULL,
     ""},
    {SETUP(",'services':[{'name':'" X63 "'}]"), NULL, ""},
    {SETUP(",'services':[{'name':'we\\\"ird; DROP ROLE x;--%I$$ \xc3\xbc'}]"), NULL, ""},
    {KIT_COMMAND("'setupRoles':{}"), "FIELD_REQUIRED", "setup_roles.environment"},
    {KIT_COMMAND("'setupRoles':{'environment':'pr:1'}"), NULL, ""},
    {SETUP(",'databases':['main','']"), "INVALID_NAME", "setup_roles.databases[1]"},
    {SETUP(",'databases':['template1']"), "INVALID_NAME", "setup_roles.databases[0]"},
    {SETUP(",'databases':['x" X63 "']"), "INVALID_NAME", "setup_roles.databases[0]"},
    {SETUP(",'databases':['main','Main','main']"), "INVALID_VALUE", "setup_roles.databases[2]"},
    {SETUP(",'services':[{}]"), "FIELD_REQUIRED", "setup_roles.services[0].name"},
    {SETUP(",'services':[{'name':'x" X63 "'}]"), "INVALID_NAME", "setup_roles.services[0].name"},
    {SETUP(",'services':[{'name':'a\\nb'}]"), "INVALID_NAME", "setup_roles.services[0].name"},
    {SETUP(",'services':[{'name':'a'},{'name':'b'},{'name':'a'}]"), "INVALID_VALUE",
     "setup_roles.services[2].name"},
    {SETUP(SERVICES("{}")), "FIELD_REQUIRED", "setup_roles.services[1].databases[0].database"},
    {SETUP(SERVICES("{'database':'postgres'}")), "INVALID_NAME",
     "setup_roles.services[1].databases[0].database"},
    {SETUP(SERVICES("{'database':'a'},{'database':'a','access':'ACCESS_READ'}")), "INVALID_VALUE",
     "setup_roles.services[1].databases[1].database"},
    {SETUP(",'databases':['main']" SERVICES("{'database':'logs'}")), "INVALID_VALUE",
     "setup_roles.services[1].databases[0].database"},
    {SETUP(SERVICES("{'database':'a','access':7}")), "INVALID_VALUE",
     "setup_roles.services[1].databases[0].access"},
    {SETUP(",'mode':9"), "INVALID_VALUE", "setup_roles.mode"},
    {SETUP(",'policy':9"), "INVALID_VALUE", "setup_roles.policy"},
};

static const KitCommandCase OTHERS[] = {
    {CREATE(",'databases':['a','b']" SERVICES("{'database':'b'}")), NULL, ""},
    {CREATE(SERVICES("{'database':'neondb'}")), NULL, ""},
    {CREATE(SERVICES("{'database':'main'}")), "INVALID_VALUE",
     "create_environment.services[1].databases[0].database"},
    {CREATE(",'databases':['a','a']"), "INVALID_VALUE", "create_environment.databases[1]"},
    {CREATE(",'databases':['a','postgres']"), "INVALID_NAME", "create_environment.databases[1]"},
    {BRANCH(SERVICES("{'database':'any'}")), NULL, ""},
    {BRANCH(",'services':[{'name':''}]"), "FIELD_REQUIRED", "branch_environment.services[0].name"},
};

static const KitCommandCase ROTATIONS[] = {
    {ROTATE(",'all':true"), NULL, ""},
    {ROTATE(",'all':false"), "INVALID_VALUE", "rotate_credentials.all"},
    {ROTATE(""), "FIELD_REQUIRED", "rotate_credentials.target"},
    {ROTATE(",'role':'neondb_owner'"), NULL, ""},
    {ROTATE(",'role':''"), "FIELD_REQUIRED", "rotate_credentials.role"},
    {ROTATE(",'role':'a\\nb'"), "INVALID_NAME", "rotate_credentials.role"},
    {ROTATE(",'service':'" X63 "'"), NULL, ""},
    {ROTATE(",'service':''"), "FIELD_REQUIRED", "rotate_credentials.service"},
    {ROTATE(",'service':'x" X63 "'"), "INVALID_NAME", "rotate_credentials.service"},
    {KIT_COMMAND("'rotateCredentials':{'all':true}"), "FIELD_REQUIRED",
     "rotate_credentials.environment"},
};

static const KitCommandCase REVEALS[] = {
    {REVEAL(""), NULL, ""},
    {REVEAL(",'role':'postgres'"), NULL, ""},
    {REVEAL(",'role':''"), "FIELD_REQUIRED", "reveal_credentials.role"},
    {REVEAL(",'role':'a\\nb'"), "INVALID_NAME", "reveal_credentials.role"},
    {REVEAL(",'role':'x" X63 "'"), "INVALID_NAME", "reveal_credentials.role"},
    {REVEAL(",'service':'api'"), NULL, ""},
    {REVEAL(",'service':''"), "FIELD_REQUIRED", "reveal_credentials.service"},
    {REVEAL(",'service':'a\\nb'"), "INVALID_NAME", "reveal_credentials.service"},
    {REVEAL(",'service':'" X63 "'"), NULL, ""},
    {REVEAL(",'service':'x" X63 "'"), "INVALID_NAME", "reveal_credentials.service"},
    {KIT_COMMAND("'revealCredentials':{}"), "FIELD_REQUIRED", "reveal_credentials.environment"},
    {KIT_COMMAND("'revealCredentials':{'environment':'staging'}"), "FIELD_REQUIRED",
     "reveal_credentials.reply_public_key"},
    {KIT_COMMAND("'revealCredentials':{'environment':'staging','replyPublicKey':'AAAA'}"),
     "INVALID_VALUE", "reveal_credentials.reply_public_key"},
};

static void wanted_roles_are_checked_name_by_name(void **state)
{
    (void)state;
    kit_check_commands(SETUPS, KIT_COUNT(SETUPS));
}

static void a_new_environment_may_bring_its_services(void **state)
{
    (void)state;
    kit_check_commands(OTHERS, KIT_COUNT(OTHERS));
}

static void a_rotation_needs_one_target(void **state)
{
    (void)state;
    kit_check_commands(ROTATIONS, KIT_COUNT(ROTATIONS));
}

static void a_reveal_needs_a_reply_key(void **state)
{
    (void)state;
    kit_check_commands(REVEALS, KIT_COUNT(REVEALS));
}

// Names of a letter and a number, each between `before` and `after`.
static void append_many(Text *text, const char *field, const char *before, const char *after,
                        size_t count)
{
    text_printf(text, "'%s':[", field);
    for (size_t i = 0; i < count; i++) {
        text_printf(text, "%s%s'd%zu'%s", i == 0 ? "" : ",", before, i, after);
    }
    text_append(text, "]");
}

typedef struct Room {
    size_t databases;
    size_t services;
    const char *field; // "": it fits
} Room;

// 4 roles over all, 3 for each database, one for each service: at most 500.
static void all_roles_must_fit_on_a_branch(void **state)
{
    (void)state;
    static const Room ROOMS[] = {
        {0, 493, ""},
        {0, 494, "setup_roles.services"},
        {1, 493, ""},
        {1, 494, "setup_roles.services"},
        {100, 196, ""},
        {100, 197, "setup_roles.services"},
        {165, 1, ""},
        {165, 2, "setup_roles.services"},
        {166, 0, "setup_roles.databases"},
    };
    for (size_t i = 0; i < KIT_COUNT(ROOMS); i++) {
        Text text CLEANUP(text_clear) = TEXT_INIT(65536);
        text_append(&text, "{'commandId':'" KIT_ID "','applicationId':'shop','setupRoles':{"
                           "'environment':'staging',");
        append_many(&text, "databases", "", "", ROOMS[i].databases);
        text_append(&text, ",");
        append_many(&text, "services", "{'name':", "}", ROOMS[i].services);
        text_append(&text, "}}");
        const KitCommandCase one = {
            text_get(&text), ROOMS[i].field[0] == '\0' ? NULL : "INVALID_VALUE", ROOMS[i].field};
        kit_check_commands(&one, 1);
    }
}

static void a_service_uses_no_more_databases_than_there_can_be(void **state)
{
    (void)state;
    for (size_t count = 165; count <= 166; count++) {
        Text text CLEANUP(text_clear) = TEXT_INIT(65536);
        text_append(&text, "{'commandId':'" KIT_ID "','applicationId':'shop','setupRoles':{"
                           "'environment':'staging','services':[{'name':'api',");
        append_many(&text, "databases", "{'database':", "}", count);
        text_append(&text, "}]}}");
        const KitCommandCase one = {text_get(&text), count == 165 ? NULL : "INVALID_VALUE",
                                    count == 165 ? "" : "setup_roles.services[0].databases"};
        kit_check_commands(&one, 1);
    }
}

static void a_plan_changes_nothing_and_an_apply_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool only_reads;
    } CASES[] = {
        {SETUP(""), false},
        {SETUP(",'mode':'ROLES_MODE_APPLY'"), false},
        {SETUP(",'mode':'ROLES_MODE_PLAN'"), true},
        {ROTATE(",'all':true"), false},
        {REVEAL(""), true},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Command *command CLEANUP(command_free_at) = kit_decode(CASES[i].text);
        assert_int_equal(command->writes.kind, SUBJECT_ENVIRONMENT);
        assert_string_equal(command->writes.name, "staging");
        assert_int_equal(command->only_reads, CASES[i].only_reads);
        assert_int_equal(command->read_count, 1); // all accounts
        assert_int_equal(command->reads[0].kind, SUBJECT_ACCOUNT);
        assert_string_equal(command->reads[0].name, "");
        assert_int_equal(command->excludes.kind, SUBJECT_NONE);
        assert_string_equal(command_account(command), "");
        assert_string_equal(command_source_environment(command), "");
        assert_string_equal(command_reserves(command), "");
    }
}

static void what_a_claim_needs_is_said_by_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *account;
        const char *source;
        const char *reserves;
    } CASES[] = {
        {CREATE(""), "main", "", "created"},
        {BRANCH(""), "", "production", "branched"},
        {KIT_COMMAND("'branchEnvironment':{'environment':'staging','sourceBranch':{'account':"
                     "'other','projectId':'p','branch':'b'}}"),
         "other", "", "branched"},
        {KIT_COMMAND("'connectAccount':{'account':'main','reference':'file:key'}"), "main", "", ""},
        {KIT_COMMAND("'deleteEnvironment':{'environment':'staging'}"), "", "", ""},
        {KIT_COMMAND("'cancelCommand':{'commandId':'5d1c6b7e-0000-4000-8000-000000000001'}"), "",
         "", ""},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Command *command CLEANUP(command_free_at) = kit_decode(CASES[i].text);
        assert_string_equal(command_account(command), CASES[i].account);
        assert_string_equal(command_source_environment(command), CASES[i].source);
        assert_string_equal(command_reserves(command), CASES[i].reserves);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_roles_are_checked_name_by_name),
        cmocka_unit_test(a_new_environment_may_bring_its_services),
        cmocka_unit_test(a_rotation_needs_one_target),
        cmocka_unit_test(a_reveal_needs_a_reply_key),
        cmocka_unit_test(all_roles_must_fit_on_a_branch),
        cmocka_unit_test(a_service_uses_no_more_databases_than_there_can_be),
        cmocka_unit_test(a_plan_changes_nothing_and_an_apply_does),
        cmocka_unit_test(what_a_claim_needs_is_said_by_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

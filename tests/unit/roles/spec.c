#include "roles/spec.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define SPEC                                                                                       \
    "{'prefix':'encore','policy':'additive','adopt':true,'databases':['main','other'],"            \
    "'services':[{'name':'orders','access':{'main':'write','other':'read'}},"                      \
    "{'name':'mig','access':{'main':'admin'}},{'name':'idle','access':{}}]}"

static void a_spec_is_built_step_by_step(void **state)
{
    (void)state;
    json_t *spec = roles_spec_new("encore", ROLES_ADDITIVE, true);
    roles_spec_add_database(spec, "main");
    roles_spec_add_database(spec, "other");
    roles_spec_add_service(spec, "orders");
    roles_spec_add_access(spec, "main", ROLES_WRITER);
    roles_spec_add_access(spec, "other", ROLES_READER);
    roles_spec_add_service(spec, "mig");
    roles_spec_add_access(spec, "main", ROLES_ADMIN);
    roles_spec_add_service(spec, "idle");
    assert_true(roles_spec_check(spec, NULL));
    assert_string_equal(roles_spec_prefix(spec), "encore");
    assert_int_equal(roles_spec_policy(spec), ROLES_ADDITIVE);
    unit_json_equal(spec, SPEC);
    unit_json_equal(roles_spec_new("acme", ROLES_AUTHORITATIVE, false),
                    "{'prefix':'acme','policy':'authoritative','adopt':false,'databases':[],"
                    "'services':[]}");
}

#define LONG_64 "1234567890123456789012345678901234567890123456789012345678901234"
#define HEAD "'prefix':'e','policy':'additive'"

typedef struct BadSpec {
    const char *spec;
    const char *code;
    const char *field;
} BadSpec;

static const BadSpec BAD[] = {
    {"[]", "INVALID_FIELD", "prefix"},
    {"{'prefix':1}", "INVALID_FIELD", "prefix"},
    {"{'prefix':'svc'}", "INVALID_NAME", "prefix"},
    {"{'prefix':'e'}", "INVALID_FIELD", "policy"},
    {"{'prefix':'e','policy':'strict'}", "INVALID_FIELD", "policy"},
    {"{" HEAD "}", "INVALID_FIELD", "databases"},
    {"{" HEAD ",'databases':[]}", "INVALID_FIELD", "databases"},
    {"{" HEAD ",'databases':{},'services':[]}", "INVALID_FIELD", "databases"},
    {"{" HEAD ",'databases':['a',''],'services':[]}", "INVALID_NAME", "databases[1]"},
    {"{" HEAD ",'databases':['" LONG_64 "'],'services':[]}", "INVALID_NAME", "databases[0]"},
    {"{" HEAD ",'databases':['a','b','a'],'services':[]}", "INVALID_FIELD", "databases[2]"},
    {"{" HEAD ",'databases':[7],'services':[]}", "INVALID_FIELD", "databases[0]"},
    {"{" HEAD ",'databases':[],'services':[1]}", "INVALID_FIELD", "services[0].name"},
    {"{" HEAD ",'databases':[],'services':[{'name':''}]}", "INVALID_NAME", "services[0].name"},
    {"{" HEAD ",'databases':[],'services':[{'name':'s','access':{}},{'name':'s','access':{}}]}",
     "INVALID_FIELD", "services[1].name"},
    {"{" HEAD ",'databases':[],'services':[{'name':'s'}]}", "INVALID_FIELD",
     "services[0].databases"},
    {"{" HEAD ",'databases':['a'],'services':[{'name':'s','access':{'b':'read'}}]}",
     "INVALID_FIELD", "services[0].databases"},
    {"{" HEAD ",'databases':['a'],'services':[{'name':'s','access':{'a':'own'}}]}", "INVALID_FIELD",
     "services[0].databases"},
    {"{" HEAD ",'databases':['a'],'services':[{'name':'s','access':{'a':1}}]}", "INVALID_FIELD",
     "services[0].databases"},
};

static void a_spec_that_cannot_be_is_refused_with_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(BAD); i++) {
        json_t *spec = unit_json(BAD[i].spec);
        Error err = ERROR_INIT;
        assert_false(roles_spec_check(spec, &err));
        assert_string_equal(err.code, BAD[i].code);
        assert_string_equal(err.field, BAD[i].field);
        assert_int_equal(err.kind, ERROR_INVALID);
        json_decref(spec);
    }
}

// 4 over all, 3 of each database, 1 of each service.
static void a_branch_has_at_most_500_roles(void **state)
{
    (void)state;
    char name[16];
    json_t *spec = roles_spec_new("encore", ROLES_AUTHORITATIVE, false);
    for (int i = 0; i < 150; i++) {
        (void)snprintf(name, sizeof name, "d%d", i);
        roles_spec_add_database(spec, name);
    }
    for (int i = 0; i < 46; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        roles_spec_add_service(spec, name);
    }
    Error err = ERROR_INIT;
    assert_true(roles_spec_check(spec, &err));
    roles_spec_add_service(spec, "one more");
    assert_false(roles_spec_check(spec, &err));
    assert_string_equal(err.code, "TOO_MANY_ROLES");
    assert_string_equal(err.field, "services");
    json_decref(spec);
}

static void all_that_log_in_are_named(void **state)
{
    (void)state;
    json_t *spec = unit_json(SPEC);
    unit_json_equal(roles_spec_logins(spec),
                    "['encore_platform','encore_reader','encore_writer','encore_admin',"
                    "'svc_orders','svc_mig','svc_idle']");
    json_decref(spec);
}

typedef struct ConnectCase {
    const char *role;
    const char *database;
    bool may;
} ConnectCase;

static const ConnectCase CONNECTS[] = {
    {"svc_orders", "main", true},     {"svc_orders", "other", true},
    {"svc_mig", "main", true},        {"svc_mig", "other", false},
    {"svc_idle", "main", false},      {"svc_unknown", "main", false},
    {"encore_reader", "other", true}, {"encore_platform", "main", true},
    {"encore_reader", "gone", false}, {"svc_orders", "gone", false},
};

static void who_may_connect_is_told(void **state)
{
    (void)state;
    json_t *spec = unit_json(SPEC);
    for (size_t i = 0; i < UNIT_COUNT(CONNECTS); i++) {
        assert_int_equal(roles_spec_may_connect(spec, CONNECTS[i].role, CONNECTS[i].database),
                         CONNECTS[i].may);
    }
    json_decref(spec);
}

static json_t *parameter(const json_t *spec, const RolesSecret *secrets, size_t count,
                         const RolesFence *fence)
{
    char *text = roles_spec_parameter(spec, secrets, count, fence);
    assert_null(strstr(text, "hidden"));
    json_t *json = json_loads(text, 0, NULL);
    free(text);
    return json;
}

static void a_parameter_names_what_is_to_be_set_and_holds_no_password(void **state)
{
    (void)state;
    json_t *spec = roles_spec_new("e", ROLES_AUTHORITATIVE, false);
    Secret password = SECRET_INIT;
    secret_set_text(&password, "hidden");
    const RolesSecret secrets[] = {
        {"svc_a", &password, true}, {"svc_b", &password, false}, {"svc_c", NULL, true}};
    const RolesFence fence = {"br-1", 9007199254740993};
#define HEAD_OF "{'prefix':'e','policy':'authoritative','adopt':false,'databases':[],'services':[],"
    unit_json_equal(parameter(spec, NULL, 0, NULL), HEAD_OF "'set':[]}");
    unit_json_equal(parameter(spec, secrets, UNIT_COUNT(secrets), &fence),
                    HEAD_OF "'set':['svc_a','svc_c'],"
                            "'fence':{'branch':'br-1','number':9007199254740993}}");
    assert_int_equal(json_object_size(spec), 5); // as it was
    secret_clear(&password);
    json_decref(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_is_built_step_by_step),
        cmocka_unit_test(a_spec_that_cannot_be_is_refused_with_its_field),
        cmocka_unit_test(a_branch_has_at_most_500_roles),
        cmocka_unit_test(all_that_log_in_are_named),
        cmocka_unit_test(who_may_connect_is_told),
        cmocka_unit_test(a_parameter_names_what_is_to_be_set_and_holds_no_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Names that break what is put together by hand: quotes, dollars, umlauts, 63 bytes, names that
// would be one after a cut.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/text.h"
#include "base/utf8.h"
#include "kit.h"
#include "roles/names.h"
#include "rows.h"

#define LONG_G "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffgggg" // 63 bytes
#define LONG_H "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffffffgggh"
#define EURO_21 "€€€€€€€€€€€€€€€€€€€€€"

enum { ROUNDS = 4, NAMES_A_ROUND = 50, SEED = 20260722 };

// Each is a database and a service that may write there.
static const char *const HOSTILE[] = {
    "we\"ird'; DROP ROLE x;--%I$$",
    "$provision$ BEGIN",
    "Main",
    "main",
    "\xc3\xbcml\xc3\xa4ut \xc3\x91",
    " spaces ",
    "back\\slash\\'",
    "%s%n%1$s",
    "tab\tnew\nline",
    "comma,\"brace\" {a,b}",
    "host=/tmp user=x",
    "postgresql://x@y/z",
    "-c role=none",
    "public",
    "none",
    LONG_G,
    LONG_H,
    EURO_21,              // 63 bytes, cut inside a character
    "a_0123456789abcdef", // as if it were cut already
};
enum { HOSTILE_COUNT = sizeof(HOSTILE) / sizeof(HOSTILE[0]) };

static Kit kit;

static json_t *hostile_spec(void)
{
    json_t *spec = roles_spec_new("encore", ROLES_AUTHORITATIVE, false);
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        roles_spec_add_database(spec, HOSTILE[i]);
        roles_spec_add_service(spec, HOSTILE[i]);
        roles_spec_add_access(spec, HOSTILE[i], i % 3 == 0 ? ROLES_ADMIN : ROLES_WRITER);
    }
    return spec;
}

static void assert_service_works(size_t i)
{
    char role[ROLES_NAME_BYTES];
    char admin[ROLES_NAME_BYTES];
    roles_name_service(HOSTILE[i], role);
    roles_name_database(HOSTILE[i], ROLES_ADMIN, admin);
    CLEANUP(cluster_finish) PGconn *platform = kit_login(&kit, HOSTILE[i], "encore_platform");
    CLEANUP(rows_free) char *quoted = rows_identifier(platform, admin);
    rows_run(platform, "SET ROLE %s; CREATE TABLE public.t (id serial, x int)", quoted);
    CLEANUP(cluster_finish) PGconn *service = kit_login(&kit, HOSTILE[i], role);
    rows_run(service, "INSERT INTO public.t (x) VALUES (1)");
    RowsOutcome outcome;
    bool may_create = i % 3 == 0;
    assert_int_equal(rows_try(service, "CREATE TABLE public.u (x int)", &outcome), may_create);
    CLEANUP(cluster_finish)
    PGconn *elsewhere = kit_try_login(&kit, HOSTILE[(i + 1) % HOSTILE_COUNT], role);
    assert_null(elsewhere);
}

static void hostile_names_are_handled(void **state)
{
    (void)state;
    json_t *spec = hostile_spec();
    char *text = json_dumps(spec, JSON_COMPACT);
    kit_start(&kit, text);
    free(text);
    json_decref(spec);
    kit_converge(&kit);
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        assert_service_works(i);
    }
    kit_converge(&kit);
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "postgres");
    assert_int_equal(
        rows_number(admin, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(db|svc)_'"),
        4 * HOSTILE_COUNT);
    kit_stop(&kit);
}

static void assert_refused(const char *database, const char *service, const char *field)
{
    json_t *spec = roles_spec_new("encore", ROLES_AUTHORITATIVE, false);
    roles_spec_add_database(spec, database);
    roles_spec_add_service(spec, service);
    Error err = ERROR_INIT;
    bool taken = roles_spec_check(spec, &err);
    json_decref(spec);
    if (taken || strcmp(err.field, field) != 0) {
        fail_msg("database '%s', service '%s': %s, field %s", database, service,
                 taken ? "taken" : err.code, err.field);
    }
}

static void names_that_no_identifier_holds_are_refused_with_their_field(void **state)
{
    (void)state;
    assert_refused("", "s", "databases[0]");
    assert_refused(LONG_G "g", "s", "databases[0]");
    assert_refused("d", "", "services[0].name");
    assert_refused("d", LONG_G "g", "services[0].name");
    assert_refused("d", EURO_21 "x", "services[0].name");
}

// They belong to cloud_admin, whom nobody can log in as: no owner to ask for a hand-over.
static void databases_of_the_server_itself_are_reported(void **state)
{
    (void)state;
    kit_start(&kit, "{\"prefix\": \"encore\", \"policy\": \"authoritative\", \"adopt\": true,"
                    " \"databases\": [\"postgres\", \"template0\", \"template1\", \"main\"],"
                    " \"services\": []}");
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &run);
    if (!run.done || !run.report.remains || json_array_size(run.report.owners) > 0) {
        char *owners = json_dumps(run.report.owners, JSON_COMPACT);
        print_message("owners: %s\n", owners == NULL ? "none" : owners);
        free(owners);
        kit_print("apply", &run);
        fail();
    }
    CLEANUP(cluster_finish) PGconn *platform = kit_login(&kit, "main", "encore_platform");
    rows_run(platform, "SET ROLE db_main_admin");
    kit_stop(&kit);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

// 1 to 63 bytes of characters of one to four bytes, and of what needs quoting.
static void make_name(uint32_t *seed, char ret_name[ROLES_NAME_BYTES])
{
    static const char *const PIECES[] = {"a",
                                         "B",
                                         "_",
                                         "0",
                                         "f",
                                         "\"",
                                         "'",
                                         "$",
                                         "\\",
                                         "%",
                                         " ",
                                         "\t",
                                         ";",
                                         ".",
                                         "\x01",
                                         "\x7f",
                                         "\xc3\xbc",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\xcc\x81",
                                         "_0123456789abcdef"};
    size_t wanted = 1 + next_random(seed) % 63;
    size_t length = 0;
    while (length < wanted) {
        const char *piece = PIECES[next_random(seed) % (sizeof(PIECES) / sizeof(PIECES[0]))];
        if (length + strlen(piece) > 63) {
            break;
        }
        memcpy(ret_name + length, piece, strlen(piece));
        length += strlen(piece);
    }
    ret_name[length] = '\0';
    if (length == 0) {
        memcpy(ret_name, "x", 2);
    }
}

static bool has_statement(const RolesReport *report, const char *statement, const char *object)
{
    for (size_t i = 0; i < report->count; i++) {
        const RolesChange *change = &report->changes[i];
        if (strncmp(change->change, statement, strlen(statement)) == 0 &&
            strcmp(change->object, object) == 0) {
            return true;
        }
    }
    return false;
}

static void assert_planned(PGconn *connection, const RolesReport *report, const char *role)
{
    // Made here by PostgreSQL's own client library, there by its server: they mean the same.
    CLEANUP(rows_free) char *literal = rows_literal(connection, role);
    CLEANUP(rows_free) char *quoted = rows_value(connection, "SELECT quote_ident(%s)", literal);
    CLEANUP(rows_free)
    char *back = rows_value(connection, "SELECT (parse_ident(quote_ident(%s), true))[1]", literal);
    Text statement = TEXT_INIT(1024);
    text_printf(&statement, "CREATE ROLE %s ", quoted);
    assert_string_equal(back, role);
    assert_true(strlen(role) <= 63);
    assert_true(utf8_is_valid((Bytes){(const uint8_t *)role, strlen(role)}));
    if (!has_statement(report, text_get(&statement), role)) {
        fail_msg("no: %s", text_get(&statement));
    }
    text_clear(&statement);
}

static void names_of_c_and_of_the_server_are_the_same_and_come_back_from_quoting(void **state)
{
    (void)state;
    uint32_t seed = SEED;
    kit_start(&kit, "{\"prefix\": \"encore\", \"policy\": \"additive\", \"adopt\": false,"
                    " \"databases\": [], \"services\": []}");
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, "postgres");
    for (int round = 0; round < ROUNDS; round++) {
        char names[NAMES_A_ROUND][ROLES_NAME_BYTES];
        json_t *spec = roles_spec_new("encore", ROLES_AUTHORITATIVE, false);
        for (int i = 0; i < NAMES_A_ROUND; i++) {
            make_name(&seed, names[i]);
            roles_spec_add_database(spec, names[i]);
            roles_spec_add_service(spec, names[i]);
        }
        json_decref(kit.spec);
        kit.spec = spec;
        CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
        kit_run(&kit, ROLES_MODE_PLAN, &run);
        if (!run.done) {
            kit_print("plan", &run);
            fail();
        }
        for (int i = 0; i < NAMES_A_ROUND; i++) {
            char role[ROLES_NAME_BYTES];
            roles_name_service(names[i], role);
            assert_planned(connection, &run.report, role);
            for (RolesLevel level = ROLES_READER; level <= ROLES_ADMIN; level++) {
                roles_name_database(names[i], level, role);
                assert_planned(connection, &run.report, role);
            }
        }
    }
    kit_stop(&kit);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_names_are_handled),
        cmocka_unit_test(names_that_no_identifier_holds_are_refused_with_their_field),
        cmocka_unit_test(databases_of_the_server_itself_are_reported),
        cmocka_unit_test(names_of_c_and_of_the_server_are_the_same_and_come_back_from_quoting),
    };
    cluster_require(argc, argv);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cluster_forget_all();
    return failed;
}

#include "neon/reply.h"
#include "unit.h"

static void a_uri_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        NeonUri parts;
        const char *password;
    } CASES[] = {
        {"postgresql://owner:npg_1@ep-1.eu.neon.tech/shop?sslmode=require",
         {"ep-1.eu.neon.tech", "shop", "owner", 5432},
         "npg_1"},
        {"postgres://o:p@h:6432/d", {"h", "d", "o", 6432}, "p"},
        {"POSTGRESQL://o@h/d", {"h", "d", "o", 5432}, ""},
        {"postgresql://o:@h:/d", {"h", "d", "o", 5432}, ""},
        {"postgresql://o:p:q@h/d", {"h", "d", "o", 5432}, "p:q"},
        {"postgresql://r%C3%B6le%40x:p%2F%3a%25@h/my%20db#x",
         {"h", "my db", "r\xc3\xb6le@x", 5432},
         "p/:%"},
        {"postgresql://o:p@ep-1.localhost:54321/d?hostaddr=127.0.0.1&options=endpoint%3Dep-1",
         {"ep-1.localhost", "d", "o", 54321},
         "p"},
        {"postgresql://o:p@h:65535/d", {"h", "d", "o", 65535}, "p"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(secret_clear) Secret password = SECRET_INIT;
        NeonUri uri;
        assert_true(neon_uri_parse(CASES[i].uri, &uri, &password, NULL));
        assert_string_equal(uri.host, CASES[i].parts.host);
        assert_string_equal(uri.database, CASES[i].parts.database);
        assert_string_equal(uri.role, CASES[i].parts.role);
        assert_int_equal(uri.port, CASES[i].parts.port);
        assert_string_equal(secret_reveal(&password), CASES[i].password);
    }
}

static void a_uri_serves_another_login(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        const char *role;
        const char *password;
        const char *database;
        const char *result;
    } CASES[] = {
        {"postgresql://owner:npg_1@ep-1.eu.neon.tech/shop?sslmode=require", "owner", "npg_1",
         "jobs", "postgresql://owner:npg_1@ep-1.eu.neon.tech/jobs?sslmode=require"},
        {"postgres://o@ep-1.localhost:54321/d?hostaddr=127.0.0.1&options=endpoint%3Dep-1#x",
         "r\xc3\xb6le@x", "p/:%", "my db",
         "postgresql://r%C3%B6le%40x:p%2F%3A%25@ep-1.localhost:54321/my%20db?hostaddr=127.0.0.1&"
         "options=endpoint%3Dep-1"},
        {"POSTGRESQL://o:p@h:/d#x", "svc_api", "p", "?", "postgresql://svc_api:p@h/%3F"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(secret_clear) Secret password = SECRET_INIT;
        CLEANUP(secret_clear) Secret result = SECRET_INIT;
        NeonUri parts;
        secret_set_text(&password, CASES[i].password);
        neon_uri_for(CASES[i].uri, CASES[i].role, &password, CASES[i].database, &result);
        assert_string_equal(secret_reveal(&result), CASES[i].result);
        assert_true(neon_uri_parse(secret_reveal(&result), &parts, &password, NULL));
        assert_string_equal(secret_reveal(&password), CASES[i].password);
        assert_string_equal(parts.database, CASES[i].database);
    }
}

static void a_uri_that_can_not_be_used_is_refused_without_showing_it(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        const char *why;
    } CASES[] = {
        {"", "none of PostgreSQL"},
        {"https://o:S3cret@h/d", "none of PostgreSQL"},
        {"postgresql:/o:S3cret@h/d", "none of PostgreSQL"},
        {"postgresql://", "no host name"},
        {"postgresql://h/S3cret", "no host name"},
        {"postgresql://o:S3cret@/d", "no host name"},
        {"postgresql://o:S3cret@a,b/d", "no host name"},
        {"postgresql://o:S3cret@%2ftmp/d", "no host name"},
        {"postgresql://o:S3cret@[::1]/d", "no host name"},
        {"postgresql://o:S3@cret@h/d", "no host name"},
        {"postgresql://o:S3cret@" UNIT_LONG_256 "/d", "no host name"},
        {"postgresql://o:S3cret@h:0/d", "port"},
        {"postgresql://o:S3cret@h:65536/d", "port"},
        {"postgresql://o:S3cret@h:99999999999999999999/d", "port"},
        {"postgresql://o:S3cret@h:-1/d", "port"},
        {"postgresql://o:S3cret@h:1:2/d", "port"},
        {"postgresql://o:S3cret@h:5a/d", "port"},
        {"postgresql://o:S3cret@h", "database"},
        {"postgresql://o:S3cret@h?x", "database"},
        {"postgresql://o:S3cret@h/", "database"},
        {"postgresql://o:S3cret@h/?d", "database"},
        {"postgresql://o:S3cret@h/%00d", "database"},
        {"postgresql://o:S3cret@h/%ff", "database"},
        {"postgresql://o:S3cret@h/%g1", "database"},
        {"postgresql://o:S3cret@h/%1g", "database"},
        {"postgresql://o:S3cret@h/%1", "database"},
        {"postgresql://o:S3cret@h/%", "database"},
        {"postgresql://o:S3cret@h/" UNIT_LONG_64, "database"},
        {"postgresql://:S3cret@h/d", "role"},
        {"postgresql://@h/d", "role"},
        {"postgresql://" UNIT_LONG_64 ":S3cret@h/d", "role"},
        {"postgresql://o:S3cret%zz@h/d", "password"},
        {"postgresql://o:S3cret%00@h/d", "password"},
        {"postgresql://o:S3cret" UNIT_LONG_256 UNIT_LONG_256 UNIT_LONG_256 UNIT_LONG_256 "@h/d",
         "password"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(secret_clear) Secret password = SECRET_INIT;
        secret_set_text(&password, "old");
        NeonUri uri;
        Error err = ERROR_INIT;
        if (neon_uri_parse(CASES[i].uri, &uri, &password, &err)) {
            print_error("%s\n", CASES[i].uri);
            fail();
        }
        assert_true(secret_is_empty(&password));
        assert_null(strstr(err.text, "S3"));
        unit_assert_refused(&err, CASES[i].why);
    }
}

static void the_uri_of_a_reply_is_a_secret(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *body = unit_json("{'uri':'postgresql://o:p@h/d'}");
    CLEANUP(secret_clear) Secret uri = SECRET_INIT;
    assert_true(neon_decode_uri(body, &uri, NULL));
    assert_string_equal(secret_reveal(&uri), "postgresql://o:p@h/d");
    static const char *const CASES[] = {"{}", "{'uri':''}", "{'uri':7}", "[]"};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *broken = unit_json(CASES[i]);
        Error err = ERROR_INIT;
        assert_false(neon_decode_uri(broken, &uri, &err));
        assert_true(secret_is_empty(&uri));
        unit_assert_refused(&err, "uri");
    }
}

typedef struct Connection {
    NeonUri uri;
    char pooled_host[64];
    Secret password;
    bool found;
} Connection;

static bool decode_connection(const char *text, Connection *ret_connection, Error *err)
{
    CLEANUP(unit_free_at) json_t *body = unit_json(text);
    *ret_connection = (Connection){.found = true};
    secret_set_text(&ret_connection->password, "old");
    return neon_decode_connection(body, &ret_connection->uri, ret_connection->pooled_host,
                                  sizeof ret_connection->pooled_host, &ret_connection->password,
                                  &ret_connection->found, err);
}

static void the_first_connection_is_taken(void **state)
{
    (void)state;
    Connection connection;
    assert_true(decode_connection(
        "{'connection_uris':[{'connection_uri':'postgresql://o:p@ep-1.x:7000/d',"
        "'connection_parameters':{'pooler_host':'ep-1-pooler.x'}},{'connection_uri':7}]}",
        &connection, NULL));
    assert_true(connection.found);
    assert_string_equal(connection.uri.host, "ep-1.x");
    assert_int_equal(connection.uri.port, 7000);
    assert_string_equal(connection.pooled_host, "ep-1-pooler.x");
    assert_string_equal(secret_reveal(&connection.password), "p");
    secret_clear(&connection.password);
    assert_true(decode_connection(
        "{'connection_uris':[{'connection_uri':'postgresql://o:p@ep-1.x/d'}]}", &connection, NULL));
    assert_string_equal(connection.pooled_host, "");
    secret_clear(&connection.password);
}

static void there_may_be_no_connection(void **state)
{
    (void)state;
    static const char *const CASES[] = {"{}", "{'connection_uris':null}", "{'connection_uris':[]}"};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        Connection connection;
        assert_true(decode_connection(CASES[i], &connection, NULL));
        assert_false(connection.found);
        assert_true(secret_is_empty(&connection.password));
    }
}

static void a_connection_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *member;
    } CASES[] = {
        {"{'connection_uris':{}}", "connection_uris"},
        {"{'connection_uris':[7]}", "connection_uri"},
        {"{'connection_uris':[{'connection_uri':7}]}", "connection_uri"},
        {"{'connection_uris':[{'connection_uri':'x'}]}", "connection URI"},
        {"{'connection_uris':[{'connection_uri':'postgresql://o:p@h/d',"
         "'connection_parameters':{'pooler_host':'/x'}}]}",
         "pooler_host"},
        {"{'connection_uris':[{'connection_uri':'postgresql://o:p@h/d',"
         "'connection_parameters':{'pooler_host':'" UNIT_LONG_64 "'}}]}",
         "pooler_host"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        Connection connection;
        Error err = ERROR_INIT;
        assert_false(decode_connection(CASES[i].body, &connection, &err));
        assert_true(secret_is_empty(&connection.password));
        unit_assert_refused(&err, CASES[i].member);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_is_taken_apart),
        cmocka_unit_test(a_uri_serves_another_login),
        cmocka_unit_test(a_uri_that_can_not_be_used_is_refused_without_showing_it),
        cmocka_unit_test(the_uri_of_a_reply_is_a_secret),
        cmocka_unit_test(the_first_connection_is_taken),
        cmocka_unit_test(there_may_be_no_connection),
        cmocka_unit_test(a_connection_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

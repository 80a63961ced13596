/* One port for all endpoints: who logs in there is passed on by the name that TLS asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "box.h"
#include "login.h"

static Box box;
static int front_port;
static const char *password;
static const char *host;

/* By host name alone, as a client builds it. */
static const char *front_uri(const char *name, const char *options)
{
    return box_text("host=%s hostaddr=127.0.0.1 port=%d user=neondb_owner password=%s "
                    "dbname=neondb sslrootcert=%s %s",
                    name, front_port, password, box.ca_file, options);
}

static const char *pooled(const char *name)
{
    size_t bytes = strcspn(name, ".");
    return box_text("%.*s-pooler%s", (int)bytes, name, name + bytes);
}

static int start(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "10", "--postgres-port", "0", NULL};
    box_start(&box, ARGUMENTS);
    json_t *ready = json_load_file(box_text("%s/ready.json", box.dir), 0, NULL);
    front_port = (int)box_integer(ready, "postgres_port");
    json_decref(ready);
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    password = box_text("%s", box_string(made.json, "roles.0.password"));
    host = box_text("%s", box_string(made.json, "endpoints.0.host"));
    login_assert(&box, uri, "CREATE TABLE mine AS SELECT 'first' AS name", "");
    return 0;
}

static void each_endpoint_is_found_by_its_name(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *other = box_string(made.json, "endpoints.0.host");
    const char *sql = "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'";
    assert_string_equal(login_query(front_uri(host, "sslmode=verify-full"), sql, NULL), "1");
    const char *through_pooler = front_uri(pooled(host), "sslmode=verify-full");
    assert_string_equal(login_query(through_pooler, sql, NULL), "1");
    const char *kept = password;
    password = box_string(made.json, "roles.0.password");
    assert_string_equal(login_query(front_uri(other, "sslmode=require"), sql, NULL), "0");
    password = kept;
}

static void long_questions_and_answers_pass(void **state)
{
    (void)state;
    enum { LONG_BYTES = 3000000 };
    char *text = malloc(LONG_BYTES + 1);
    assert_non_null(text);
    memset(text, 'x', LONG_BYTES);
    text[LONG_BYTES] = '\0';
    const char *parameters[] = {text};
    PGconn *session = PQconnectdb(front_uri(host, "sslmode=require"));
    PGresult *result =
        PQexecParams(session, "SELECT $1::text || 'y'", 1, NULL, parameters, NULL, NULL, 0);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    assert_int_equal(PQgetlength(result, 0, 0), LONG_BYTES + 1);
    assert_memory_equal(PQgetvalue(result, 0, 0), text, LONG_BYTES);
    PQclear(result);
    PQfinish(session);
    free(text);
}

static void who_cannot_be_passed_on_is_told_or_dropped(void **state)
{
    (void)state;
    const char *error = NULL;
    assert_null(login_query(front_uri(host, "sslmode=disable"), "SELECT 1", &error));
    assert_non_null(strstr(error, "connection is insecure (try using `sslmode=require`)"));
    assert_null(login_query(front_uri("ep-nobody.localhost", "sslmode=require"), "SELECT 1", NULL));
    assert_null(login_query(front_uri(host, "sslmode=require sslsni=0"), "SELECT 1", NULL));
    const char *kept = password;
    password = "wrong";
    assert_null(login_query(front_uri(host, "sslmode=require"), "SELECT 1", &error));
    assert_non_null(strstr(error, "password authentication failed"));
    password = kept;
}

static void a_stop_ends_who_is_connected(void **state)
{
    (void)state;
    PGconn *session = PQconnectdb(front_uri(host, "sslmode=require"));
    assert_int_equal(PQstatus(session), CONNECTION_OK);
    box_stop(&box);
    PGresult *result = PQexec(session, "SELECT 1");
    assert_int_not_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    PQclear(result);
    PQfinish(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_endpoint_is_found_by_its_name),
        cmocka_unit_test(long_questions_and_answers_pass),
        cmocka_unit_test(who_cannot_be_passed_on_is_told_or_dropped),
        cmocka_unit_test(a_stop_ends_who_is_connected),
    };
    return cmocka_run_group_tests_name("sandbox_front", tests, start, NULL);
}

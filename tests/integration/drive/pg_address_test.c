#include "drive/pg_address.h"

#include "pg_fixture.h"

static void addresses_are_local_or_not(void **state)
{
    static const struct {
        const char *address;
        bool is_local;
    } CASES[] = {
        {"127.0.0.1", true},
        {"127.255.255.255", true},
        {"126.255.255.255", false},
        {"128.0.0.0", false},
        {"0.0.0.0", true},
        {"0.1.2.3", true},
        {"1.0.0.0", false},
        {"169.254.169.254", true},
        {"169.253.255.255", false},
        {"169.255.0.0", false},
        {"223.255.255.255", false},
        {"224.0.0.1", true},
        {"255.255.255.255", true},
        {"10.1.2.3", false},
        {"192.168.1.1", false},
        {"::1", true},
        {"::", true},
        {"fe80::1", true},
        {"fe80::1%lo", true},
        {"ff02::1", true},
        {"::ffff:127.0.0.1", true},
        {"::ffff:8.8.8.8", false},
        {"::127.0.0.1", true},
        {"2001:db8::1", false},
        {"fd00:ec2::254", false},
        {"host.example", true},
        {"", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        if (pg_address_is_local(CASES[i].address) != CASES[i].is_local) {
            fail_msg("%s", CASES[i].address);
        }
    }
}

// Names that resolve to such addresses, too.
static void a_host_on_this_machine_is_refused(void **state)
{
    static const char *const HOSTS[] = {"127.0.0.1",       "localhost", "a.localhost",
                                        "169.254.169.254", "::1",       "0.0.0.0"};
    PgFixture *f = *state;
    secret_set_text(&f->uri, "hunter2");
    f->options = (PgOptions){.port = 1,
                             .database = "neondb",
                             .user = "neondb_owner",
                             .password = &f->uri,
                             .public_only = true,
                             .connect_timeout_ms = 1000,
                             .application_name = "drive-test"};
    for (size_t i = 0; i < sizeof(HOSTS) / sizeof(HOSTS[0]); i++) {
        f->options.host = HOSTS[i];
        pg_fixture_open(f);
        test_await(f->loop, pg_fixture_has_failed, f);
        assert_string_equal(f->failure.code, "ADDRESS_REFUSED");
        pg_close(f->pg);
        f->pg = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_local_or_not),
        cmocka_unit_test_setup_teardown(a_host_on_this_machine_is_refused, pg_set_up_alone,
                                        pg_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A port has one sandbox, and the next one right after. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"

static const char *const PLAIN[] = {"--no-compute", NULL};

static int find_port(const Box *box)
{
    return (int)strtol(strrchr(box->api_url, ':') + 1, NULL, 10);
}

static int find_postgres_port(const Box *box)
{
    json_t *ready = json_load_file(box_text("%s/ready.json", box->dir), 0, NULL);
    int port = (int)box_integer(ready, "postgres_port");
    json_decref(ready);
    return port;
}

/* A client that stays when the server goes: the port is in FIN-WAIT-2, later in TIME-WAIT. */
static int call_and_stay(int port)
{
    static const char CALL[] = "GET /api/v2/auth HTTP/1.1\r\nHost: x\r\n\r\n";
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    char reply[1024];
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(client, CALL, sizeof(CALL) - 1), sizeof(CALL) - 1);
    assert_true(read(client, reply, sizeof(reply)) > 0);
    return client;
}

static void the_second_on_a_port_is_told(void **state)
{
    (void)state;
    Box first;
    Box second;
    box_start_kept(&second, PLAIN);
    box_end(&second);
    box_start(&first, PLAIN);
    int port = find_port(&first);
    const char *error = box_complaint(&second, box_text("--no-compute --port %d", port));
    assert_non_null(
        strstr(error, box_text("can't listen on 127.0.0.1:%d (Address already in use)", port)));
    assert_int_equal(box_status(&first, "GET", "/auth", NULL), 200);
    box_restart(&second, PLAIN);
    box_stop(&second);
    box_stop(&first);
}

static void the_second_on_a_port_for_postgresql_is_told(void **state)
{
    (void)state;
    static const char *const FRONT[] = {"--postgres-port", "0", NULL};
    Box first;
    Box second;
    box_start_kept(&second, FRONT);
    box_end(&second);
    box_start(&first, FRONT);
    int port = find_postgres_port(&first);
    const char *error = box_complaint(&second, box_text("--postgres-port %d", port));
    assert_non_null(
        strstr(error, box_text("can't listen on 127.0.0.1:%d (address already in use)", port)));
    box_restart(&second, FRONT);
    box_stop(&second);
    box_stop(&first);
}

static void a_port_is_taken_again_right_after_a_stop(void **state)
{
    (void)state;
    Box box;
    box_start_kept(&box, PLAIN);
    int port = find_port(&box);
    const char *arguments[] = {"--no-compute", "--port", box_text("%d", port), NULL};
    int client = call_and_stay(port);
    box_end(&box);
    box_restart(&box, arguments);
    assert_int_equal(find_port(&box), port);
    close(client);
    client = call_and_stay(port);
    box_end(&box);
    close(client);
    box_restart(&box, arguments);
    assert_int_equal(box_status(&box, "GET", "/auth", NULL), 200);
    box_stop(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_on_a_port_is_told),
        cmocka_unit_test(the_second_on_a_port_for_postgresql_is_told),
        cmocka_unit_test(a_port_is_taken_again_right_after_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "support/world.h"

#include <curl/curl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "support/cmocka.h"
#include "support/setup.h"

enum { SKIP = 77, BOX_ARGUMENTS_MAX = 30, TOPICS_ATTEMPTS = 4 };

static World *world_of_program;

void world_require(void)
{
    static const char *const NEEDED[] = {"PROVISION_TEST_KAFKA", "PROVISION_TEST_LEDGER",
                                         "PROVISION_POSTGRES_DIRS"};
    for (size_t i = 0; i < sizeof(NEEDED) / sizeof(NEEDED[0]); i++) {
        if (getenv(NEEDED[i]) == NULL) {
            (void)fprintf(stderr, "%s is not set: tests/run starts what it names\n", NEEDED[i]);
            exit(getenv("CI") == NULL ? SKIP : EXIT_FAILURE);
        }
    }
}

const char *world_env(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fail_msg("%s is not set: world_require comes first", name);
        return "";
    }
    return value;
}

const char *world_fresh(const char *prefix)
{
    static int count;
    return box_text("%s-%d", prefix, ++count);
}

static void add_secret(World *world, const char *text, bool in_commands)
{
    for (size_t i = 0; i < world->secret_count; i++) {
        if (strcmp(world->secrets[i].text, text) == 0) {
            return;
        }
    }
    assert_true(world->secret_count < WORLD_SECRETS_MAX);
    world->secrets[world->secret_count++] = (WorldSecret){alloc_text(text), in_commands};
}

void world_add_secret(World *world, const char *text)
{
    add_secret(world, text, false);
}

void world_add_secret_in_commands(World *world, const char *text)
{
    add_secret(world, text, true);
}

static void random_hex(char *ret_hex, size_t bytes)
{
    uint8_t raw[64];
    assert_true(bytes <= sizeof(raw));
    randombytes_buf(raw, bytes);
    (void)sodium_bin2hex(ret_hex, 2 * bytes + 1, raw, bytes);
}

static void make_keys(World *world)
{
    uint8_t private_key[CRYPTO_KEY_BYTES];
    char kek[2 * CRYPTO_KEY_BYTES + 1];
    char random[33];
    random_hex(world->fleet_private_hex, CRYPTO_KEY_BYTES);
    assert_true(crypto_hex_decode(world->fleet_private_hex, private_key, CRYPTO_KEY_BYTES));
    crypto_public_key(private_key, world->fleet_public_key);
    random_hex(kek, CRYPTO_KEY_BYTES);
    random_hex(random, 16);
    (void)snprintf(world->api_key, sizeof(world->api_key), "napi_%s", random);
    setup_write(world, "fleet.key", world->fleet_private_hex);
    setup_write(world, "kek.key", kek);
    world_add_secret(world, world->fleet_private_hex);
    world_add_secret(world, kek);
    world_add_secret(world, world->api_key);
}

static bool has_argument(const char *const *arguments, const char *wanted)
{
    for (; arguments != NULL && *arguments != NULL; arguments++) {
        if (strcmp(*arguments, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void start_box(World *world, const char *const *arguments)
{
    const char *list[BOX_ARGUMENTS_MAX] = {NULL};
    size_t count = 0;
    for (const char *const *more = arguments; more != NULL && *more != NULL; more++) {
        assert_true(count < BOX_ARGUMENTS_MAX - 1);
        list[count++] = *more;
    }
    const char *dirs = world_env("PROVISION_POSTGRES_DIRS");
    while (*dirs != '\0' && !has_argument(arguments, "--no-compute")) {
        size_t length = strcspn(dirs, ":");
        assert_true(count < BOX_ARGUMENTS_MAX - 2);
        list[count++] = "--postgres";
        list[count++] = box_text("%.*s", (int)length, dirs);
        dirs += length + (dirs[length] == ':');
    }
    box_start(&world->box, list);
    REPLY reply = box_call(&world->box, "POST", "/sandbox/keys",
                           box_text("{\"key\": \"%s\", \"kind\": \"organization\", \"account_id\": "
                                    "\"" WORLD_ORG "\", \"organizations\": [\"" WORLD_ORG "\"]}",
                                    world->api_key));
    assert_int_equal(reply.status, 201);
}

static void create_topics(World *world, const char *const *more)
{
    const char *arguments[PROCESS_ARGUMENTS_MAX] = {NULL};
    size_t count = 0;
    for (; more != NULL && *more != NULL; more++) {
        arguments[count++] = *more;
    }
    arguments[count++] = "topics";
    arguments[count] = "create";
    // A broker that other tests keep busy has made them, and may list them a minute later only.
    int code = -1;
    for (int i = 0; i < TOPICS_ATTEMPTS && code != 0; i++) {
        code = worker_task(world, arguments);
    }
    assert_int_equal(code, 0);
}

void world_begin(void **state, const WorldOptions *options)
{
    const WorldOptions none = {NULL, NULL};
    options = options == NULL ? &none : options;
    static World world;
    world = (World){.bootstrap = world_env("PROVISION_TEST_KAFKA")};
    *state = &world;
    world_of_program = &world;
    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    assert_true(sodium_init() >= 0);
    char random[9];
    random_hex(random, 4);
    (void)snprintf(world.name, sizeof(world.name), "e2e-%s", random);
    (void)snprintf(world.dir, sizeof(world.dir), "/tmp/provision-e2e-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    print_message("logs: %s\n", world.dir);
    make_keys(&world);
    start_box(&world, options->sandbox);
    setup_ledger(&world);
    setup_settings(&world);
    create_topics(&world, options->topics);
    const char *const migrate[] = {"migrate", NULL};
    assert_int_equal(worker_task(&world, migrate), 0);
    setup_clients(&world);
}

static void copy_file(const char *from, const char *to)
{
    char *text = process_read_log(from);
    FILE *file = fopen(to, "we");
    if (file != NULL) {
        (void)fputs(text, file);
        (void)fclose(file);
    }
    free(text);
}

int world_end(void **state)
{
    World *world = *state;
    for (size_t i = 0; i < world->worker_count; i++) {
        Process *worker = &world->workers[i];
        if (worker->pid != 0) {
            worker_stop(worker);
        }
    }
    copy_file(world->box.log, box_text("%s/neon-sandbox.log", world->dir));
    box_stop(&world->box);
    world->box.pid = 0;
    setup_end(world);
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

// What a failed setup or teardown has left.
static void end_rest(World *world)
{
    for (size_t i = 0; i < world->worker_count; i++) {
        process_kill(&world->workers[i]);
    }
    if (world->box.pid > 0) {
        box_stop(&world->box);
    }
}

int world_conclude(int failed)
{
    World *world = world_of_program;
    if (world == NULL) {
        return failed;
    }
    if (failed != 0) {
        end_rest(world);
        (void)fprintf(stderr, "kept: %s\n", world->dir);
    } else {
        (void)nftw(world->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    for (size_t i = 0; i < world->secret_count; i++) {
        free(world->secrets[i].text);
    }
    return failed;
}

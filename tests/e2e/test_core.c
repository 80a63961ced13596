// A worker's memory after its commands have ended: a core file of it, as root can make one, holds
// no API key and no password that they used. What the configuration gives it, it holds: the fleet's
// keys, the key-encryption keys, its signing key, the ledger's password. (With sanitizers, what was
// freed stays as it was: this takes the release build.)
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unconst.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/forms.h"
#include "support/memory.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define SERVICE "orders"
#define GDB "/usr/bin/gdb"

enum { USED_MAX = 64, GDB_SECONDS = 120, EXIT_SKIPPED = 77 };

typedef struct Used {
    const char *what;
    const char *text;
} Used;

typedef struct Core {
    const uint8_t *data;
    size_t size;
} Core;

static Recipient recipient;
static Used used[USED_MAX];
static size_t used_count;

static void add_used(World *world, const char *what, const char *text)
{
    assert_true(used_count < USED_MAX);
    world_add_secret(world, text);
    used[used_count++] = (Used){what, text};
}

// role:PASSWORD@host
static const char *password_of(const char *uri)
{
    const char *at = strchr(strstr(uri, "://") + 3, ':') + 1;
    return box_text("%.*s", (int)strcspn(at, "@"), at);
}

static void learn(World *world, const char *what, const char *environment)
{
    Credential owner =
        credentials_of_role(world, APPLICATION, environment, &recipient, "neondb_owner", "neondb");
    Credential service =
        credentials_of_service(world, APPLICATION, environment, &recipient, SERVICE, "neondb");
    add_used(world, box_text("%s, owner", what), password_of(owner.direct_uri));
    add_used(world, box_text("%s, service", what), password_of(service.direct_uri));
    assert_true(credentials_work(world, service.direct_uri));
}

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    recipient = credentials_recipient();
    const char *const settings[] = {
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex), NULL};
    (void)worker_start(world, "one", settings);
    return 0;
}

static void use_secrets(World *world)
{
    const char *wrong = "napi_refused0refused0refused0refused0refused0refused";
    add_used(world, "API key", world->api_key);
    add_used(world, "API key that Neon refuses", wrong);
    command_connect_main(world, APPLICATION);
    (void)command_await(world, command_connect(world, APPLICATION, "wrong", wrong),
                        "CommandRejected");
    (void)command_run(world, APPLICATION, "EnvironmentCreated",
                      "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': "
                      "'" WORLD_REGION "'}");
    (void)command_run(world, APPLICATION, "RolesConfigured",
                      "'setupRoles': {'environment': 'live', 'services': [{'name': '" SERVICE
                      "', 'databases': [{'database': 'neondb'}]}]}");
    learn(world, "created", "live");
    (void)command_run(world, APPLICATION, "EnvironmentBranched",
                      "'branchEnvironment': {'environment': 'copy', 'sourceEnvironment': 'live'}");
    learn(world, "branched", "copy");
    (void)command_run(world, APPLICATION, "CredentialsRotated",
                      "'rotateCredentials': {'environment': 'live', 'all': true}");
    learn(world, "rotated", "live");
}

static bool is_idle(void *context)
{
    return ledger_unfinished(context) == 0;
}

static Core dump(World *world, const char *name)
{
    const char *path = box_text("%s/%s.core", world->dir, name);
    const char *pid = box_text("%ld", (long)world->workers[0].pid);
    // what the program itself excludes, too
    const char *const argv[] = {GDB,
                                "-p",
                                pid,
                                "-batch",
                                "-nx",
                                "-ex",
                                "set dump-excluded-mappings on",
                                "-ex",
                                box_text("generate-core-file %s", path),
                                NULL};
    assert_int_equal(process_run(argv, box_text("%s/gdb.log", world->dir), GDB_SECONDS), 0);
    struct stat about = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &about) == 0 && about.st_size > 0);
    Core core = {.size = (size_t)about.st_size};
    core.data = mmap(NULL, core.size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(core.data != MAP_FAILED);
    (void)close(fd);
    (void)unlink(path);
    return core;
}

// Prints what stands around, for who has to find whose memory it is, without the secret.
static void show_place(const Core *core, const char *text)
{
    const uint8_t *found = memmem(core->data, core->size, text, strlen(text));
    size_t before = found == NULL ? 0 : (size_t)(found - core->data);
    before = before < 48 ? before : 48;
    for (size_t i = 0; i < before; i++) {
        uint8_t c = found[i - before];
        print_message("%c", c >= ' ' && c <= '~' ? c : '.');
    }
    print_message("<it>\n");
}

static size_t count_found(const Core *core)
{
    size_t count = 0;
    for (size_t i = 0; i < used_count; i++) {
        Forms forms;
        forms_make(used[i].text, &forms);
        const char *form = forms_find(&forms, (Bytes){core->data, core->size});
        if (form != NULL) {
            print_message("%s: found (%s) behind ", used[i].what, form);
            show_place(core, used[i].text);
            count++;
        }
    }
    return count;
}

static void nothing_that_was_used_is_left_behind(void **state)
{
    World *world = *state;
    use_secrets(world);
    wait_until(is_idle, world, WORLD_SECONDS, "all commands to have ended");
    Core core = dump(world, "idle");
    // the search finds what is there: the fleet's key is, always
    Bytes bytes = {core.data, core.size};
    uint8_t key[PROVISION_KEY_BYTES];
    (void)sodium_hex2bin(key, sizeof(key), world->fleet_private_hex, 2 * sizeof(key), NULL, NULL,
                         NULL);
    assert_non_null(memmem(bytes.data, bytes.size, key, sizeof(key)));
    size_t count = count_found(&core);
    print_message("%zu secrets, %zu of them in a core of %zu MiB\n", used_count, count,
                  core.size / 1024 / 1024);
    (void)munmap(unconst(core.data), core.size);
    assert_int_equal(count, 0);
}

int main(void)
{
    world_require();
    memory_use_release();
    bool has_gdb = access(GDB, X_OK) == 0 && geteuid() == 0;
    if (getenv("CI") == NULL && (!has_gdb || getenv("PROVISION_TEST_RELEASE_WORKER") == NULL)) {
        (void)fputs("skipped: needs root, " GDB " and PROVISION_TEST_RELEASE_WORKER\n", stderr);
        return EXIT_SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_was_used_is_left_behind),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}

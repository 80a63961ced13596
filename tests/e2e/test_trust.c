// Write access to the command topic alone reveals nothing: whoever can send records under the key
// of any application still gets no password and no API key.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/unconst.h"
#include "provisioning/v1/secret.pb-c.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/secrets.h"
#include "support/setup.h"
#include "support/world.h"

#define VICTIM "shop"
#define ATTACKER "mallory"
#define REJECTED "CommandRejected"
#define REVEAL "'revealCredentials': {'environment': '%s', 'replyPublicKey': '%s'%s}"

enum { BOX_BYTES = 1024 };

static const char *own_key; // of the attacker, base64; listed for the attacker's application alone

static const char *base64_of(const uint8_t *bytes, size_t size)
{
    char text[2 * BOX_BYTES];
    return box_text(
        "%s", sodium_bin2base64(text, sizeof(text), bytes, size, sodium_base64_VARIANT_ORIGINAL));
}

static int begin(void **state)
{
    uint8_t public_key[PROVISION_KEY_BYTES];
    uint8_t private_key[PROVISION_KEY_BYTES];
    char hex[2 * PROVISION_KEY_BYTES + 1];
    world_begin(state, NULL);
    World *world = *state;
    (void)crypto_box_keypair(public_key, private_key);
    own_key = base64_of(public_key, sizeof(public_key));
    (void)sodium_bin2hex(hex, sizeof(hex), public_key, sizeof(public_key));
    const char *root = box_text("%s/references", world->dir);
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(mkdir(box_text("%s/" VICTIM, root), 0700), 0);
    assert_int_equal(mkdir(box_text("%s/" ATTACKER, root), 0700), 0);
    setup_write(world, "references/" VICTIM "/neon.key", world->api_key);
    assert_int_equal(symlink("../" VICTIM "/neon.key", box_text("%s/" ATTACKER "/link", root)), 0);
    assert_int_equal(symlink(VICTIM, box_text("%s/elsewhere", root)), 0);
    const char *const settings[] = {box_text("secrets.references_root=%s", root),
                                    box_text("reveal.recipients=" ATTACKER "=%s", hex), NULL};
    (void)worker_start(world, "one", settings);
    const Seen *seen =
        command_run(world, VICTIM, "AccountConnected",
                    "'connectAccount': {'account': 'main', 'reference': 'file:neon.key'}");
    assert_string_equal(seen_text(seen, "accountConnected.account.account"), "main");
    (void)command_run(world, VICTIM, "EnvironmentCreated",
                      "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': "
                      "'" WORLD_REGION "'}");
    return 0;
}

static void passwords_go_only_to_who_is_listed_for_the_application(void **state)
{
    World *world = *state;
    static const char *const TARGETS[] = {"", ", 'role': 'neondb_owner'", ", 'service': 'orders'",
                                          ", 'role': 'encore_admin'",
                                          ", 'role': 'encore_platform'"};
    for (size_t i = 0; i < sizeof(TARGETS) / sizeof(TARGETS[0]); i++) {
        const Seen *seen = command_refused(world, VICTIM, REJECTED, "RECIPIENT_NOT_LISTED", REVEAL,
                                           "live", own_key, command_quote(TARGETS[i]));
        assert_string_equal(seen_text(seen, "commandRejected.field"),
                            "reveal_credentials.reply_public_key");
    }
}

// Who may write may also change; what that makes isn't told to him.
static void what_a_change_makes_is_not_told(void **state)
{
    World *world = *state;
    const Seen *seen = command_run(world, VICTIM, "RolesConfigured",
                                   "'setupRoles': {'environment': 'live', 'services': [{'name': "
                                   "'backdoor', 'databases': [{'database': 'neondb'}]}]}");
    char *text = json_dumps(seen->json, 0);
    assert_non_null(strstr(text, "svc_backdoor"));
    assert_null(strcasestr(text, "password"));
    free(text);
    (void)command_refused(world, VICTIM, REJECTED, "RECIPIENT_NOT_LISTED", REVEAL, "live", own_key,
                          command_quote(", 'service': 'backdoor'"));
    seen = command_run(world, VICTIM, "CredentialsRotated",
                       "'rotateCredentials': {'environment': 'live', 'all': true}");
    assert_string_equal(seen_text(seen, "credentialsRotated.environment"), "live");
}

// Listed for the own application, which has nothing of the other's.
static void nobody_reaches_environments_and_accounts_of_others(void **state)
{
    World *world = *state;
    (void)command_refused(world, ATTACKER, REJECTED, "ENVIRONMENT_UNKNOWN", REVEAL, "live", own_key,
                          "");
    (void)command_refused(
        world, ATTACKER, REJECTED, "SOURCE_NOT_ON_NEON",
        "'branchEnvironment': {'environment': 'copy', 'sourceEnvironment': 'live'}");
    (void)command_refused(
        world, ATTACKER, REJECTED, "ACCOUNT_UNKNOWN",
        "'branchEnvironment': {'environment': 'copy', 'sourceBranch': {'account': "
        "'main', 'projectId': 'p', 'branch': 'main'}}");
    (void)command_refused(world, ATTACKER, REJECTED, "ACCOUNT_UNKNOWN",
                          "'createEnvironment': {'environment': 'copy', 'account': 'main', "
                          "'regionId': '" WORLD_REGION "'}");
    static const char *const CHANGES[] = {
        "'setupRoles': {'environment': 'live', 'services': [{'name': 'mallory'}]}",
        "'rotateCredentials': {'environment': 'live', 'all': true}",
        "'deleteEnvironment': {'environment': 'live', 'deleteData': true}",
    };
    for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++) {
        (void)command_refused(world, ATTACKER, REJECTED, "ENVIRONMENT_UNKNOWN", "%s",
                              command_quote(CHANGES[i]));
    }
}

// The box of a command of the victim, as it stands on the topic.
static const char *victims_box(const World *world)
{
    char application[] = VICTIM;
    char account[] = "main";
    uint8_t plain[BOX_BYTES];
    uint8_t box[BOX_BYTES + crypto_box_SEALBYTES];
    Provisioning__V1__SealedApiKey key;
    provisioning__v1__sealed_api_key__init(&key);
    key.application_id = application;
    key.account = account;
    key.api_key = unconst(world->api_key);
    size_t size = provisioning__v1__sealed_api_key__get_packed_size(&key);
    assert_true(size <= sizeof(plain));
    provisioning__v1__sealed_api_key__pack(&key, plain);
    assert_int_equal(crypto_box_seal(box, plain, size, world->fleet_public_key), 0);
    return base64_of(box, size + crypto_box_SEALBYTES);
}

static void a_box_of_another_application_or_account_is_refused(void **state)
{
    World *world = *state;
    static const struct {
        const char *application;
        const char *account;
        bool taken;
    } CASES[] = {{ATTACKER, "main", false}, {VICTIM, "other", false}, {VICTIM, "main", true}};
    const char *box = victims_box(world);
    int64_t calls = sandbox_count_calls(world, "GET /auth");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *id = command_send(
            world, CASES[i].application,
            "'connectAccount': {'account': '%s', 'sealed': {'box': '%s'}}", CASES[i].account, box);
        const Seen *seen = command_await(world, id, CASES[i].taken ? "AccountConnected" : REJECTED);
        assert_string_equal(seen_text(seen, "commandRejected.code"),
                            CASES[i].taken ? "" : "SEALED_FOR_OTHER");
    }
    assert_true(sandbox_count_calls(world, "GET /auth") - calls <= 1);
}

static void a_reference_stays_in_the_applications_folder(void **state)
{
    World *world = *state;
    static const struct {
        const char *application; // `elsewhere`: its folder is a link to another's
        const char *reference;
        const char *code;
    } WITHIN[] = {
        {ATTACKER, "file:link", "REFERENCE_INVALID"},
        {ATTACKER, "file:neon.key", "REFERENCE_NOT_FOUND"},
        {ATTACKER, "env:NEON_KEY", "REFERENCE_NOT_FOUND"},
        {"elsewhere", "file:neon.key", "REFERENCE_NOT_FOUND"},
    };
    for (size_t i = 0; i < sizeof(WITHIN) / sizeof(WITHIN[0]); i++) {
        (void)command_refused(world, WITHIN[i].application, REJECTED, WITHIN[i].code,
                              "'connectAccount': {'account': 'main', 'reference': '%s'}",
                              WITHIN[i].reference);
    }
    // what libprovision would not send
    static const char *const BEYOND[] = {"file:../" VICTIM "/neon.key", "file:/etc/hostname",
                                         "file:.hidden", "file:" VICTIM "/neon.key"};
    for (size_t i = 0; i < sizeof(BEYOND) / sizeof(BEYOND[0]); i++) {
        const char *id = command_new_id();
        CLEANUP(buffer_clear)
        Buffer packed = command_pack("'commandId': '%s', 'applicationId': '" ATTACKER
                                     "', 'connectAccount': {'account': 'main', 'reference': '%s'}",
                                     id, BEYOND[i]);
        (void)command_send_bytes(world, ATTACKER, -1, buffer_view(&packed));
        const Seen *seen = command_await(world, id, REJECTED);
        assert_string_equal(seen_text(seen, "commandRejected.code"), "REFERENCE_INVALID");
    }
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_go_only_to_who_is_listed_for_the_application),
        cmocka_unit_test(what_a_change_makes_is_not_told),
        cmocka_unit_test(nobody_reaches_environments_and_accounts_of_others),
        cmocka_unit_test(a_box_of_another_application_or_account_is_refused),
        cmocka_unit_test(a_reference_stays_in_the_applications_folder),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}

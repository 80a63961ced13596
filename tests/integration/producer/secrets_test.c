// Keys: how they reach the workers, and that nobody else gets to see them.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"

static const char API_KEY[] = "napi_0123456789abcdefghijklmnopqrstuvwxyz";

typedef struct Fleet {
    char folder[64];
    char key_path[96];
    char public_path[128];
    char api_key_path[96];
    CryptoKeyPair pair;
} Fleet;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fprintf(file, "%s\n", text);
    assert_int_equal(fclose(file), 0);
}

// As people would: with keygen.
static void fleet_init(Fleet *fleet)
{
    *fleet = (Fleet){.folder = "/tmp/provisionctl-test-XXXXXX"};
    assert_non_null(mkdtemp(fleet->folder));
    (void)snprintf(fleet->key_path, sizeof(fleet->key_path), "%s/fleet.key", fleet->folder);
    (void)snprintf(fleet->public_path, sizeof(fleet->public_path), "%s.pub", fleet->key_path);
    (void)snprintf(fleet->api_key_path, sizeof(fleet->api_key_path), "%s/api-key", fleet->folder);
    write_file(fleet->api_key_path, API_KEY);
    Process keygen CLEANUP(process_clear);
    process_run_ctl(&keygen, ARGUMENTS("keygen", "--out", fleet->key_path), NULL, NULL);
    ctl_assert_exit(&keygen, EXIT_CODE_OK);
    char hex[2 * CRYPTO_KEY_BYTES + 1] = "";
    FILE *file = fopen(fleet->key_path, "re");
    assert_non_null(file);
    assert_int_equal(fread(hex, 1, sizeof(hex) - 1, file), sizeof(hex) - 1);
    (void)fclose(file);
    uint8_t key[CRYPTO_KEY_BYTES];
    assert_true(crypto_hex_decode(hex, key, sizeof(key)));
    crypto_key_pair_set(&fleet->pair, key);
    assert_null(strstr(keygen.out, hex));
}

static void fleet_clear(Fleet *fleet)
{
    (void)unlink(fleet->key_path);
    (void)unlink(fleet->public_path);
    (void)unlink(fleet->api_key_path);
    (void)rmdir(fleet->folder);
    crypto_key_pair_clear(&fleet->pair);
}

static void an_api_key_reaches_the_worker_and_nobody_else(void **state)
{
    Stage *stage = *state;
    Fleet fleet CLEANUP(fleet_clear);
    fleet_init(&fleet);
    Process process CLEANUP(process_clear);
    ctl_start(stage, &process,
              ARGUMENTS("send", "connect-account", "-a", "shop", "--account", "main",
                        "--api-key-file", fleet.api_key_path, "--fleet-public-key",
                        fleet.public_path, "--wait", "--timeout", "30s"));
    StageHeaders headers;
    Command *command CLEANUP(command_free_at) =
        stage_next_command(stage, &fleet.pair, API_KEY, &headers);
    assert_string_equal(secret_reveal(&command->api_key), API_KEY);
    assert_false(headers.has_plaintext);
    assert_true(process_shows(&process, "connect-account")); // it is the right process
    assert_false(process_shows(&process, API_KEY));
    stage_begin(stage);
    stage_event(stage, "shop", command->command_id, stage_rejected("KEY_REFUSED"));
    stage_commit(stage);
    process_finish(&process);
    ctl_assert_exit(&process, EXIT_CODE_REJECTED);
    assert_null(strstr(process.out, API_KEY));
    assert_null(strstr(process.err, API_KEY));
    assert_non_null(strstr(process.out, "KEY_REFUSED"));
}

static void an_api_key_may_come_from_the_environment_or_standard_input(void **state)
{
    Stage *stage = *state;
    Fleet fleet CLEANUP(fleet_clear);
    fleet_init(&fleet);
    const char *arguments[PROCESS_ARGUMENTS_MAX + 1];
    ctl_arguments(stage,
                  ARGUMENTS("send", "connect-account", "-a", "shop", "--account", "main",
                            "--api-key-env", "NEON_KEY", "--fleet-public-key", fleet.public_path),
                  arguments);
    Process first CLEANUP(process_clear);
    process_run_ctl(&first, arguments, NULL, "NEON_KEY=napi_from_environment");
    ctl_assert_exit(&first, EXIT_CODE_OK);
    Command *one CLEANUP(command_free_at) = stage_next_command(stage, &fleet.pair, NULL, NULL);
    assert_string_equal(secret_reveal(&one->api_key), "napi_from_environment");
    ctl_arguments(stage,
                  ARGUMENTS("send", "connect-account", "-a", "shop", "--account", "main",
                            "--api-key-file", "-", "--fleet-public-key", fleet.public_path),
                  arguments);
    Process second CLEANUP(process_clear);
    process_run_ctl(&second, arguments, "  napi_from_input\n", NULL);
    ctl_assert_exit(&second, EXIT_CODE_OK);
    Command *two CLEANUP(command_free_at) = stage_next_command(stage, &fleet.pair, NULL, NULL);
    assert_string_equal(secret_reveal(&two->api_key), "napi_from_input");
}

static void a_dry_run_shows_the_command_without_its_key(void **state)
{
    (void)state;
    Fleet fleet CLEANUP(fleet_clear);
    fleet_init(&fleet);
    Process process CLEANUP(process_clear);
    process_run_ctl(&process,
                    ARGUMENTS("send", "connect-account", "-a", "shop", "--account", "main",
                              "--api-key-file", fleet.api_key_path, "--fleet-public-key",
                              fleet.public_path, "--dry-run"),
                    NULL, NULL);
    ctl_assert_exit(&process, EXIT_CODE_OK);
    assert_null(strstr(process.out, API_KEY));
    json_t *form = json_loads(process.out, 0, NULL);
    const json_t *sealed = json_object_get(json_object_get(form, "connectAccount"), "sealed");
    assert_string_equal(json_string_value(json_object_get(sealed, "box")), "***");
    json_decref(form);
}

static void keygen_makes_private_files_once(void **state)
{
    (void)state;
    Fleet fleet CLEANUP(fleet_clear);
    fleet_init(&fleet);
    struct stat about;
    assert_int_equal(stat(fleet.key_path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(about.st_size, 65);
    Process again CLEANUP(process_clear);
    process_run_ctl(&again, ARGUMENTS("keygen", "--out", fleet.key_path), NULL, NULL);
    ctl_assert_exit(&again, EXIT_CODE_FILE);
    Process kek CLEANUP(process_clear);
    process_run_ctl(&kek, ARGUMENTS("keygen", "--kek", "--out", fleet.key_path), NULL, NULL);
    ctl_assert_exit(&kek, EXIT_CODE_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_api_key_reaches_the_worker_and_nobody_else),
        cmocka_unit_test(an_api_key_may_come_from_the_environment_or_standard_input),
        cmocka_unit_test(a_dry_run_shows_the_command_without_its_key),
        cmocka_unit_test(keygen_makes_private_files_once),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}

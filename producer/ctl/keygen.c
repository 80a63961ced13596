#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/crypto.h"
#include "base/secret.h"
#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/subcommands.h"

enum {
    OPTION_OUT = 'o',
    OPTION_KEK = 0x200,
    OPTION_SIGNING,
    OPTION_JSON,
    LINE_BYTES = 2 * CRYPTO_KEY_BYTES + 2
};

typedef struct Keygen {
    const char *out;
    bool kek;
    bool signing;
    bool json;
} Keygen;

static const struct argp_option OPTIONS[] = {
    {"out", OPTION_OUT, "FILE", 0,
     "Where the private key goes (default: fleet.key, kek.key or signing.key)", 0},
    {"kek", OPTION_KEK, NULL, 0, "Make a key-encryption key for the ledger instead", 0},
    {"signing", OPTION_SIGNING, NULL, 0, "Make a key pair that signs commands instead", 0},
    {"json", OPTION_JSON, NULL, 0, "Output for programs: one JSON object", 0},
    {0},
};

static const char DOC[] =
    "Makes the key pair of a fleet of workers, or of a recipient of passwords.\v"
    "FILE gets the private key, FILE.pub the public key, 64 hex digits each; a file that is there "
    "already is never replaced. The workers take FILE as secrets.fleet_private_key_file, senders "
    "take FILE.pub as --fleet-public-key. A recipient keeps FILE for reveal --key-file; the "
    "workers "
    "list what FILE.pub holds in reveal.recipients. With --kek, FILE gets a random key for "
    "secrets.key_encryption_key_file. With --signing, FILE is an Ed25519 key: senders take it as "
    "--signing-key-file, workers as commands.signing_key_file; the workers list what FILE.pub "
    "holds "
    "in commands.signers.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Keygen *keygen = state->input;
    switch (key) {
    case OPTION_OUT:
        keygen->out = text;
        return 0;
    case OPTION_KEK:
        keygen->kek = true;
        return 0;
    case OPTION_SIGNING:
        keygen->signing = true;
        return 0;
    case OPTION_JSON:
        keygen->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0) {
        (void)close(*descriptor);
    }
}

static bool write_whole(int descriptor, const char *text, size_t size)
{
    size_t written = 0;
    while (written < size) {
        ssize_t count = write(descriptor, text + written, size - written);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        written += count > 0 ? (size_t)count : 0;
    }
    return fsync(descriptor) == 0;
}

// Exit code. O_EXCL: a key that is lost can't be had again.
static int write_key(const Keygen *keygen, const char *path, mode_t mode,
                     const uint8_t key[CRYPTO_KEY_BYTES])
{
    char line[LINE_BYTES];
    (void)sodium_bin2hex(line, sizeof(line), key, CRYPTO_KEY_BYTES);
    line[LINE_BYTES - 2] = '\n';
    line[LINE_BYTES - 1] = '\0';
    int descriptor CLEANUP(close_descriptor) =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool written = descriptor >= 0 && write_whole(descriptor, line, LINE_BYTES - 1);
    int problem = errno;
    secret_zero(line, sizeof(line));
    if (written) {
        return EXIT_CODE_OK;
    }
    return report_problem(keygen->json, EXIT_CODE_FILE, "KEY_NOT_WRITTEN", "%s: %s%s", path,
                          strerror(problem),
                          problem == EEXIST ? "; a key is never replaced: name another --out" : "");
}

static void tell(const Keygen *keygen, const char *path, const char *public_path,
                 const uint8_t *public_key, const char *key_id)
{
    char hex[2 * CRYPTO_KEY_BYTES + 1];
    (void)sodium_bin2hex(hex, sizeof(hex), public_key, CRYPTO_KEY_BYTES);
    if (keygen->json) {
        json_t *object = json_pack("{s:s, s:s, s:s, s:s}", "privateKeyFile", path, "publicKeyFile",
                                   public_path, "publicKey", hex, "keyId", key_id);
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)printf("\n");
        json_decref(object);
        return;
    }
    (void)printf("private key  %s (%s)\n"
                 "public key   %s (%s)\n"
                 "             %s\n"
                 "key id       %s\n",
                 path,
                 keygen->signing ? "for a sender: --signing-key-file; or the workers: "
                                   "commands.signing_key_file"
                                 : "for the workers: secrets.fleet_private_key_file; or a "
                                   "recipient: reveal --key-file",
                 public_path,
                 keygen->signing ? "for the workers: commands.signers"
                                 : "for senders: --fleet-public-key; or the workers: "
                                   "reveal.recipients",
                 hex, key_id);
}

static void make_keys(bool signing, uint8_t ret_public[CRYPTO_KEY_BYTES],
                      uint8_t ret_private[CRYPTO_KEY_BYTES])
{
    if (!signing) {
        (void)crypto_box_keypair(ret_public, ret_private);
        return;
    }
    CLEANUP(crypto_signer_clear) CryptoSigner signer = {.private_key = SECRET_INIT};
    randombytes_buf(ret_private, CRYPTO_KEY_BYTES);
    crypto_signer_set(&signer, ret_private);
    memcpy(ret_public, signer.public_key, CRYPTO_KEY_BYTES);
}

static int make_pair(const Keygen *keygen, const char *path)
{
    char public_path[4096];
    if ((size_t)snprintf(public_path, sizeof(public_path), "%s.pub", path) >= sizeof(public_path)) {
        return report_problem(keygen->json, EXIT_CODE_FILE, "KEY_NOT_WRITTEN",
                              "the file's name is too long");
    }
    if (access(public_path, F_OK) == 0) {
        return report_problem(keygen->json, EXIT_CODE_FILE, "KEY_NOT_WRITTEN",
                              "%s is there already; a key is never replaced: name another --out",
                              public_path);
    }
    uint8_t public_key[CRYPTO_KEY_BYTES];
    uint8_t private_key[CRYPTO_KEY_BYTES];
    make_keys(keygen->signing, public_key, private_key);
    int code = write_key(keygen, path, S_IRUSR | S_IWUSR, private_key);
    secret_zero(private_key, sizeof(private_key));
    if (code == EXIT_CODE_OK) {
        code = write_key(keygen, public_path, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, public_key);
    }
    if (code == EXIT_CODE_OK) {
        char key_id[CRYPTO_KEY_ID_BYTES];
        crypto_key_id(public_key, key_id);
        tell(keygen, path, public_path, public_key, key_id);
    }
    return code;
}

static int make_kek(const Keygen *keygen, const char *path)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    char key_id[CRYPTO_KEY_ID_BYTES];
    randombytes_buf(key, sizeof(key));
    crypto_key_id(key, key_id);
    int code = write_key(keygen, path, S_IRUSR | S_IWUSR, key);
    secret_zero(key, sizeof(key));
    if (code != EXIT_CODE_OK) {
        return code;
    }
    if (keygen->json) {
        json_t *object = json_pack("{s:s, s:s}", "keyFile", path, "keyId", key_id);
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)printf("\n");
        json_decref(object);
    } else {
        (void)printf("key-encryption key  %s (for the workers: secrets.key_encryption_key_file)\n"
                     "key id              %s\n",
                     path, key_id);
    }
    return code;
}

int keygen_run(int argc, char **argv, Connection *connection)
{
    Keygen keygen = {.json = connection->json};
    const struct argp argp = {.options = OPTIONS, .parser = parse, .doc = DOC};
    argp_parse(&argp, argc, argv, 0, NULL, &keygen);
    if (keygen.kek && keygen.signing) {
        return report_problem(keygen.json, EXIT_CODE_USAGE, "OPTION_INVALID",
                              "--kek and --signing are two different keys: give one of them");
    }
    if (sodium_init() < 0) {
        abort();
    }
    if (keygen.kek) {
        return make_kek(&keygen, keygen.out == NULL ? "kek.key" : keygen.out);
    }
    return make_pair(&keygen, keygen.out != NULL ? keygen.out
                              : keygen.signing   ? "signing.key"
                                                 : "fleet.key");
}

/*
 * What the unit tests of contract share: cmocka, and commands written as JSON with single quotes.
 */
#ifndef CONTRACT_KIT_H
#define CONTRACT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "contract/command.h"
#include "contract/json.h"

#define KIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))
// The bytes of a literal, without its last NUL, as an initialiser.
#define KIT_BYTES(literal)                                                                         \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

#define KIT_ID "919108f7-52d1-4320-9bac-f847db4148a8"
// A whole command of the application "shop" around an action.
#define KIT_COMMAND(action) "{'commandId':'" KIT_ID "','applicationId':'shop'," action "}"

enum { KIT_HASH_TEXT_BYTES = 2 * CRYPTO_SHA256_BYTES, KIT_MAX_BYTES = 1048576 };

// JSON with ' for ".
json_t *kit_json(const char *text);
void kit_free_json(json_t **json);
// The packed message; the test fails where the JSON is none.
Buffer kit_pack(const ProtobufCMessageDescriptor *descriptor, const char *text);
Buffer kit_pack_command(const char *text);
// A record of the command topic with the key "shop".
Record kit_record(const Buffer *value);
// Rules under which the record above is decoded.
CommandRules kit_rules(void);
// Decodes a command in JSON; the test fails where it is refused.
Command *kit_decode(const char *text);

// A command in JSON, and why it is refused; no code: it isn't.
typedef struct KitCommandCase {
    const char *command;
    const char *code;
    const char *field;
} KitCommandCase;

void kit_check_commands(const KitCommandCase *cases, size_t count);

#endif

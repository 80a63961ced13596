#include <string.h>

#include "contract/command.h"
#include "contract/framing.h"
#include "contract/wire_format.h"

// Numbers of provisioning/v1/command.proto.
enum { CONNECT_ACCOUNT_FIELD = 21, PLAINTEXT_FIELD = 4, DEPTH_MAX = 16 };

typedef enum Sight {
    SIGHT_NONE,
    SIGHT_KEY,
    SIGHT_BROKEN, // and no key before the broken place
} Sight;

static Sight look(Bytes message, bool is_connect, unsigned depth);

static Sight look_into(Bytes value, uint32_t number, bool is_connect, unsigned depth)
{
    if (is_connect && number == PLAINTEXT_FIELD) {
        return value.size > 0 ? SIGHT_KEY : SIGHT_NONE;
    }
    bool is_inner_connect = number == CONNECT_ACCOUNT_FIELD;
    Sight sight = depth == DEPTH_MAX ? SIGHT_BROKEN : look(value, is_inner_connect, depth + 1);
    // most values of other fields are texts and no messages
    bool is_certain = sight == SIGHT_KEY || (sight == SIGHT_BROKEN && is_inner_connect);
    return is_certain ? SIGHT_KEY : SIGHT_NONE;
}

static Sight look(Bytes message, bool is_connect, unsigned depth)
{
    while (message.size > 0) {
        uint32_t number = 0;
        uint32_t wire_type = 0;
        uint64_t varint = 0;
        Bytes value = {NULL, 0};
        if (!wire_take_tag(&message, &number, &wire_type) ||
            !wire_take_value(&message, wire_type, &varint, &value)) {
            return SIGHT_BROKEN;
        }
        if (wire_type == WIRE_LENGTH && look_into(value, number, is_connect, depth) == SIGHT_KEY) {
            return SIGHT_KEY;
        }
    }
    return SIGHT_NONE;
}

static bool has_tag_somewhere(Bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        Bytes rest = {bytes.data + i, bytes.size - i};
        uint32_t number = 0;
        uint32_t wire_type = 0;
        if (wire_take_tag(&rest, &number, &wire_type) && number == CONNECT_ACCOUNT_FIELD &&
            wire_type == WIRE_LENGTH) {
            return true;
        }
    }
    return false;
}

// A command in JSON that was sent as it is.
static bool has_json_name(Bytes bytes)
{
    static const char NAME[] = "\"plaintext\"";
    return bytes.size > 0 && memmem(bytes.data, bytes.size, NAME, sizeof NAME - 1) != NULL;
}

bool command_holds_plaintext(Bytes value)
{
    Bytes message = value;
    Sight sight = framing_open(value, &message, NULL) ? look(message, false, 1) : SIGHT_BROKEN;
    bool is_suspect = sight == SIGHT_BROKEN && (has_tag_somewhere(value) || has_json_name(value));
    return sight == SIGHT_KEY || is_suspect;
}

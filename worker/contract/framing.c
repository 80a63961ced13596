#include "contract/framing.h"

// The message index path [0], the first message of a schema, in its short and its long form.
static const uint8_t FIRST_MESSAGE = 0x00;
static const uint8_t FIRST_MESSAGE_LONG[2] = {0x02, 0x00};

enum { SCHEMA_HEADER_BYTES = 5 };

static bool refuse(const char *text, Error *err)
{
    return error_set(err, ERROR_INVALID, "FRAMING_UNREADABLE", "%s", text);
}

bool framing_open(Bytes value, Bytes *ret_message, Error *err)
{
    if (value.size == 0 || value.data[0] != 0x00) {
        *ret_message = value;
        return true;
    }
    if (value.size <= SCHEMA_HEADER_BYTES) {
        return refuse("the value begins like the Confluent wire format, but ends inside its header",
                      err);
    }
    Bytes rest = {value.data + SCHEMA_HEADER_BYTES, value.size - SCHEMA_HEADER_BYTES};
    size_t path_bytes = 0;
    if (rest.data[0] == FIRST_MESSAGE) {
        path_bytes = 1;
    } else if (rest.size >= 2 && rest.data[0] == FIRST_MESSAGE_LONG[0] &&
               rest.data[1] == FIRST_MESSAGE_LONG[1]) {
        path_bytes = 2;
    } else {
        return refuse("the Confluent header names another message than the first of its schema; "
                      "Command must be the first one",
                      err);
    }
    *ret_message = (Bytes){rest.data + path_bytes, rest.size - path_bytes};
    return true;
}

size_t framing_header(const Framing *framing, uint8_t ret_header[6])
{
    if (!framing->confluent) {
        return 0;
    }
    ret_header[0] = 0x00;
    for (unsigned i = 0; i < 4; i++) {
        ret_header[1 + i] = (uint8_t)(framing->schema_id >> (24 - 8 * i));
    }
    ret_header[5] = FIRST_MESSAGE;
    return 6;
}

#include "ctl/event_type.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "provisioning/v1/event.pb-c.h"

enum { NEAREST = 3 };

// The member names of the bodies; NULL behind the last.
static const char *name_at(size_t *index)
{
    const ProtobufCMessageDescriptor *event = &provisioning__v1__event__descriptor;
    for (; *index < event->n_fields; (*index)++) {
        const ProtobufCFieldDescriptor *field = &event->fields[*index];
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
            return ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
        }
    }
    return NULL;
}

bool event_type_is_known(const char *name)
{
    const char *known = NULL;
    for (size_t i = 0; (known = name_at(&i)) != NULL; i++) {
        if (strcasecmp(known, name) == 0) {
            return true;
        }
    }
    return false;
}

// How many pairs of letters of `a` stand in `b`: cheap, and enough for CreatedEnvironment.
static size_t likeness(const char *a, const char *b)
{
    size_t pairs = 0;
    for (; a[0] != '\0' && a[1] != '\0'; a++) {
        for (const char *c = b; c[0] != '\0' && c[1] != '\0'; c++) {
            if (tolower((unsigned char)a[0]) == tolower((unsigned char)c[0]) &&
                tolower((unsigned char)a[1]) == tolower((unsigned char)c[1])) {
                pairs++;
                break;
            }
        }
    }
    return pairs;
}

static const char *nearest_of(const char *name, uint64_t *told)
{
    const char *known = NULL;
    const char *best = "";
    size_t most = 0;
    uint64_t bit = 0;
    for (size_t i = 0; (known = name_at(&i)) != NULL; i++) {
        size_t pairs = likeness(known, name) + 1;
        if ((*told & UINT64_C(1) << i) == 0 && pairs > most) {
            best = known;
            most = pairs;
            bit = UINT64_C(1) << i;
        }
    }
    *told |= bit;
    return best;
}

const char *event_type_nearest(const char *name, char ret_names[EVENT_TYPE_NAMES_BYTES])
{
    uint64_t told = 0;
    size_t size = 0;
    for (int i = 0; i < NEAREST; i++) {
        int added = snprintf(ret_names + size, EVENT_TYPE_NAMES_BYTES - size, "%s%s",
                             i == 0 ? "" : ", ", nearest_of(name, &told));
        size += (size_t)added;
    }
    return ret_names;
}

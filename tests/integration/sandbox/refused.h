/* Calls that have to be refused for their shape, at a project with a branch and an endpoint. */
#pragma once

#include "box.h"

typedef struct RefusedPlace {
    const Box *box;
    const char *project; /* paths */
    const char *branch;
    const char *endpoint;
} RefusedPlace;

typedef struct Refused {
    const char *method;
    /* $P stands for the project, $B its branch, $E its endpoint, $O the organization. */
    const char *path;
    const char *body;
} Refused;

/* A wrong value at a place in a body ("project.settings.quota"). */
typedef struct RefusedValue {
    const char *place;
    const char *value;
} RefusedValue;

RefusedPlace refused_make_place(const Box *box);
/* Each is answered 400, for its shape. */
void refused_assert(const RefusedPlace *place, const Refused *cases, size_t count);
/* Likewise each value, and null in its stead. */
void refused_assert_values(const RefusedPlace *place, const char *method, const char *path,
                           const RefusedValue *cases, size_t count);

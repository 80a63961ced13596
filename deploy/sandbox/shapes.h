/* The shapes of queries and bodies as Neon's OpenAPI gives them (its npm package
 * @neondatabase/api-client): one table that every call is held against before its handler runs, as
 * Neon's server decodes a request before it looks for what it is about. */
#pragma once

#include "exchange.h"

typedef enum ShapeType {
    SHAPE_OBJECT,  /* with the members named; others are let pass */
    SHAPE_TEXTS,   /* an object of strings, `most` at most */
    SHAPE_LIST,    /* each item is members[0] */
    SHAPE_STRING,  /* `least` to `most` characters */
    SHAPE_ID,      /* ^[a-z0-9-]{1,60}$ */
    SHAPE_UUID,    /* as an operation's id */
    SHAPE_TIME,    /* RFC 3339 */
    SHAPE_INTEGER, /* `least` to `most` */
    SHAPE_NUMBER,  /* `least` to `most` */
    SHAPE_BOOLEAN,
} ShapeType;

typedef struct ShapeMember {
    const char *name; /* NULL ends a list of members */
    ShapeType type;
    bool is_required;
    bool may_be_null;
    bool may_be_empty; /* an id or a time that may be "" */
    double least;
    double most;                /* 0: no limit */
    const char *const *choices; /* NULL: any; NULL-terminated */
    const struct ShapeMember *members;
} ShapeMember;

typedef struct Shape {
    const char *route;        /* Route.name */
    const ShapeMember *query; /* NULL: nothing is read */
    const ShapeMember *body;  /* likewise */
} Shape;

/* The row of a route, or NULL: it takes neither a query nor a body. (shapes_table.c) */
const Shape *shapes_find(const char *route);
/* Whether a body is read at all; one that isn't may be anything. */
bool shapes_has_body(const char *route);
/* Checks path, query and body of a call that has its route. False: answered 400. */
bool shapes_check(Exchange *exchange);

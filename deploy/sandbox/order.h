/* What listings of a project go through: its branches, sorted by each member that Neon sorts by,
 * and its operations. A page costs what it shows, not what there is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* store.h */
typedef struct Branch Branch;
typedef struct Operation Operation;

typedef enum OrderKey { ORDER_NAME, ORDER_CREATED, ORDER_UPDATED, ORDER_KEYS } OrderKey;

enum { ORDER_HINT_WORDS = 2 };

/* Which pairs of letters a text has: a text without all those of another can't hold it. */
typedef struct OrderHint {
    uint64_t words[ORDER_HINT_WORDS];
} OrderHint;

typedef struct OrderEntry {
    Branch *branch;
    OrderHint hint; /* of id and name */
} OrderEntry;

typedef struct Order {
    OrderEntry *entries; /* ascending, equal ones by id */
    size_t count;
    size_t capacity;
} Order;

typedef struct Orders {
    Order by[ORDER_KEYS];
    bool is_closed;
} Orders;

typedef struct History {
    Operation **list; /* oldest first */
    size_t count;
    size_t capacity;
} History;

/* A place in an order: where a page ended. */
typedef struct OrderPlace {
    const char *id;
    const char *name;
    int64_t time_ms; /* of the other keys */
} OrderPlace;

/* A new branch or one just deleted goes where its project has such ones. */
void order_link_branch(Branch *branch);
/* The newest of its project. */
void order_link_operation(Operation *operation);
/* How many of the operations were created before. */
size_t order_count_operations(const History *history, int64_t before_us);

/* While a branch is in, its name and its times don't change. */
void order_add(Orders *orders, OrderKey key, Branch *branch);
void order_remove(Orders *orders, OrderKey key, const Branch *branch);
void order_add_all(Orders *orders, Branch *branch);
void order_remove_all(Orders *orders, const Branch *branch);
/* Nobody lists these branches any more: what is added or removed from now on doesn't count. */
void order_close(Orders *orders);

OrderPlace order_place(const Branch *branch, OrderKey key);
int order_compare(const Branch *branch, OrderKey key, const OrderPlace *place);
/* How many entries come before the place; with `inclusive` also what is there. */
size_t order_count_before(const Order *order, OrderKey key, const OrderPlace *place,
                          bool inclusive);

/* Ignores the case of ASCII letters, as does order_has_part. */
OrderHint order_hint(const char *text);
/* Whether the branch's name or id has `part`; `hint` is that of part. */
bool order_has_part(const OrderEntry *entry, const char *part, const OrderHint *hint);

/*
 * A doubly linked list whose links stand inside its elements: no allocation, removal in one step.
 * An element is in at most one list for each link it has, and leaves it before it is freed.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ListLink {
    struct ListLink *previous;
    struct ListLink *next;
} ListLink;

typedef struct List {
    ListLink head; // a ring through head; linked to itself when empty
} List;

// The element that `link` is the `member` of.
#define LIST_ENTRY(link, Type, member) ((Type *)(void *)((char *)(link)-offsetof(Type, member)))

// NOLINTBEGIN(bugprone-macro-parentheses): `link` is declared here.
// Every link of `list`, first to last; the body may remove `link` itself.
#define LIST_EACH(list, link)                                                                      \
    for (ListLink *link = (list)->head.next, *link##_next = link->next; link != &(list)->head;     \
         link = link##_next, link##_next = link->next)
// NOLINTEND(bugprone-macro-parentheses)

static inline void list_init(List *list)
{
    list->head = (ListLink){&list->head, &list->head};
}

// A link that is in no list.
static inline void list_link_init(ListLink *link)
{
    *link = (ListLink){link, link};
}

static inline bool list_is_empty(const List *list)
{
    return list->head.next == &list->head;
}

static inline bool list_is_linked(const ListLink *link)
{
    return link->next != link;
}

// NULL when empty.
static inline ListLink *list_first(const List *list)
{
    return list_is_empty(list) ? NULL : list->head.next;
}

static inline void list_append(List *list, ListLink *link)
{
    *link = (ListLink){list->head.previous, &list->head};
    list->head.previous->next = link;
    list->head.previous = link;
}

// Nothing happens to a link that is in no list.
static inline void list_remove(ListLink *link)
{
    // the analyzer takes every element of a ring for the one that was freed last
    // NOLINTBEGIN(clang-analyzer-unix.Malloc)
    link->previous->next = link->next;
    link->next->previous = link->previous;
    // NOLINTEND(clang-analyzer-unix.Malloc)
    list_link_init(link);
}

#endif

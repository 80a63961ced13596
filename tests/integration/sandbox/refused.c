#include "refused.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

RefusedPlace refused_make_place(const Box *box)
{
    REPLY made = box_create_project(box, "{\"project\":{\"name\":\"shapes\"}}");
    RefusedPlace place = {.box = box};
    place.project = box_text("/projects/%s", box_string(made.json, "project.id"));
    place.branch = box_text("%s/branches/%s", place.project, box_string(made.json, "branch.id"));
    place.endpoint =
        box_text("%s/endpoints/%s", place.project, box_string(made.json, "endpoints.0.id"));
    return place;
}

static const char *expand(const RefusedPlace *place, const char *path)
{
    const struct {
        const char *mark;
        const char *text;
    } marks[] = {{"$P", place->project},
                 {"$B", place->branch},
                 {"$E", place->endpoint},
                 {"$O", "/organizations/org-sandbox-one"}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (strncmp(path, marks[i].mark, 2) == 0) {
            return box_text("%s%s", marks[i].text, path + 2);
        }
    }
    return path;
}

void refused_assert(const RefusedPlace *place, const Refused *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        REPLY reply = box_call_as(place->box, "sandbox-personal-key", NULL, cases[i].method,
                                  expand(place, cases[i].path), cases[i].body);
        if (reply.status != 400 || strstr(reply.text, "invalid request: decode ") == NULL) {
            fail_msg("%s %s %s gave %ld: %s", cases[i].method, cases[i].path,
                     cases[i].body == NULL ? "" : cases[i].body, reply.status,
                     reply.text == NULL ? "" : reply.text);
        }
    }
}

/* Puts a member with a wrong value at a place in a body: "project.settings.quota" and `value`. */
static const char *nest(const char *place, const char *value)
{
    const char *body = value;
    char *copy = strdup(place);
    for (char *dot = strrchr(copy, '.'); dot != NULL; dot = strrchr(copy, '.')) {
        body = box_text("{\"%s\":%s}", dot + 1, body);
        *dot = '\0';
    }
    body = box_text("{\"%s\":%s}", copy, body);
    free(copy);
    return body;
}

void refused_assert_values(const RefusedPlace *place, const char *method, const char *path,
                           const RefusedValue *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *values[] = {cases[i].value, "null"};
        for (size_t j = 0; j < 2; j++) {
            bool may_be_null = j == 1 && strcmp(cases[i].place, "branch.expires_at") == 0 &&
                               strcmp(method, "PATCH") == 0;
            const Refused refused = {method, path, nest(cases[i].place, values[j])};
            if (!may_be_null) {
                refused_assert(place, &refused, 1);
            }
        }
    }
}

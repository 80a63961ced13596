#include "crash/covered.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "box.h"
#include "support/cmocka.h"
#include "support/process.h"

static bool is_line(const char *text, const char *found, const char *line)
{
    return (found == text || found[-1] == '\n') && found[strlen(line)] == '\n';
}

bool covered_has_line(const char *text, const char *line)
{
    const char *found = strstr(text, line);
    while (found != NULL && !is_line(text, found, line)) {
        found = strstr(found + 1, line);
    }
    return found != NULL;
}

// In one write, so that those of several processes don't mix.
void covered_note(const char *file, const char *what, const char *way)
{
    FILE *out = fopen(file, "ae");
    assert_non_null(out);
    (void)fprintf(out, "%s=%s\n", what, way);
    assert_int_equal(fclose(out), 0);
}

static bool was_covered(const char *covered, const char *what, const char *way)
{
    return covered_has_line(covered, box_text("%s=%s", what, way));
}

// "call.before/OpenPreview/create_branch" is the point call.before of what stands behind it.
static const char *subject_of(const char *point)
{
    const char *slash = strchr(point, '/');
    return slash == NULL ? "" : slash + 1;
}

// The points of one step or command in a line, which follow each other in the list or don't.
static void print_subject(const Points *points, size_t first, const char *covered)
{
    const char *subject = subject_of(points->names[first]);
    (void)printf("%s:", subject[0] == '\0' ? "publication" : subject);
    for (size_t i = first; i < points->count; i++) {
        const char *point = points->names[i];
        if (strcmp(subject_of(point), subject) == 0 && was_covered(covered, point, COVERED_ABORT)) {
            (void)printf(" %.*s%s", (int)strcspn(point, "/"), point,
                         was_covered(covered, point, COVERED_STOP) ? "*" : "");
        }
    }
    (void)printf("\n");
}

void covered_print(const char *file, const Points *points)
{
    char *covered = process_read_log(file);
    (void)printf("covered by abort (*: by SIGSTOP, too):\n");
    for (size_t i = 0; i < points->count; i++) {
        size_t first = 0;
        while (strcmp(subject_of(points->names[first]), subject_of(points->names[i])) != 0) {
            first++;
        }
        if (first == i) {
            print_subject(points, i, covered);
        }
    }
    free(covered);
}

void covered_print_names(const char *file, const char *const *names, size_t count, const char *way)
{
    char *covered = process_read_log(file);
    size_t found = 0;
    (void)printf("%s:", way);
    for (size_t i = 0; i < count; i++) {
        if (was_covered(covered, names[i], way)) {
            (void)printf("%s %s", found++ > 0 ? ";" : "", names[i]);
        }
    }
    (void)printf("\n");
    free(covered);
}

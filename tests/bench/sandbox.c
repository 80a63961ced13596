/*
 * How large a neon-sandbox may get: pages of listings in one with many branches and no clusters,
 * and many branches with clusters that sleep. BOX_FOLDER says where the clusters are (/tmp).
 */
#include <argp.h>
#include <stdlib.h>

#include "bench/clusters.h"
#include "bench/meter.h"
#include "bench/pages.h"

typedef struct Sizes {
    size_t branches;
    size_t projects;
    size_t clusters;
    const char *major;
} Sizes;

static const struct argp_option OPTIONS[] = {
    {"branches", 'b', "N", 0, "branches without clusters (50000); 0 leaves pages out", 0},
    {"projects", 'p', "N", 0, "projects that they are spread over, too (5000); 0: none", 0},
    {"clusters", 'c', "N", 0, "branches with clusters (200); 0 leaves them out", 0},
    {"postgres", 'v', "MAJOR", 0, "PostgreSQL's version (17)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    enum { MOST = 1000000 };
    Sizes *sizes = state->input;
    size_t *number = key == 'b'   ? &sizes->branches
                     : key == 'p' ? &sizes->projects
                     : key == 'c' ? &sizes->clusters
                                  : NULL;
    if (key == 'v') {
        sizes->major = argument;
        return 0;
    }
    if (number == NULL) {
        return ARGP_ERR_UNKNOWN;
    }
    char *end = NULL;
    *number = strtoul(argument, &end, 10);
    if (*end != '\0' || *number > MOST) {
        argp_error(state, "'%s' is not a number up to %d", argument, MOST);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct argp parser = {OPTIONS, parse, NULL, "Measures large neon-sandboxes.",
                                       NULL,    NULL,  NULL};
    Sizes sizes = {50000, 5000, 200, "17"};
    argp_parse(&parser, argc, argv, 0, NULL, &sizes);
    meter_print_machine();
    if (sizes.branches > 0) {
        pages_measure_project(sizes.branches);
    }
    if (sizes.branches > 0 && sizes.projects > 0) {
        pages_measure_projects(sizes.branches, sizes.projects);
    }
    if (sizes.clusters > 0) {
        clusters_measure(sizes.clusters, sizes.major);
    }
    return 0;
}

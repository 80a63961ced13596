/* The difference of two schemas, told by diff(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "instance.h"

enum { COMPARE_PATH_BYTES = CLUSTER_PATH_BYTES + 64, COMPARE_MOST_BYTES = 16 << 20 };

/* The texts are the submitter's copies; `diff` becomes the answer. */
typedef struct Comparison {
    Compute *compute;
    char stem[CLUSTER_PATH_BYTES]; /* of the files it takes */
    char database[STORE_SQL_NAME_BYTES];
    char *base;
    char *text;
    char *diff;
    json_t *result; /* the submitter's, for the end alone */
    ComputeFunction then;
    void *argument;
} Comparison;

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    char block[4096];
    size_t got = 0;
    while (file != NULL && bytes < COMPARE_MOST_BYTES &&
           (got = fread(block, 1, sizeof(block), file)) > 0) {
        fwrite(block, 1, got, memory);
        fflush(memory);
    }
    fclose(memory);
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/* diff ends with 1 where the texts differ; what it says then begins with the label. */
static bool run_diff(Job *job)
{
    Comparison *comparison = job->context;
    const SpawnUser *user = &comparison->compute->versions.user;
    char paths[3][COMPARE_PATH_BYTES];
    char labels[2][STORE_SQL_NAME_BYTES + 8];
    static const char *const ENDS[] = {"base", "text", "diff"};
    for (int i = 0; i < 3; i++) {
        text_build(paths[i], sizeof(paths[i]), "%s.%s", comparison->stem, ENDS[i]);
    }
    text_build(labels[0], sizeof(labels[0]), "a/%s", comparison->database);
    text_build(labels[1], sizeof(labels[1]), "b/%s", comparison->database);
    const char *const argv[] = {"/usr/bin/diff", "-u",     "--label", labels[0], "--label",
                                labels[1],       paths[0], paths[1],  NULL};
    bool written = files_write(paths[0], comparison->base, strlen(comparison->base), 0600, user) &&
                   files_write(paths[1], comparison->text, strlen(comparison->text), 0600, user);
    if (written) {
        spawn_run(user, argv, paths[2]);
        comparison->diff = read_text(paths[2]);
    }
    for (int i = 0; i < 3; i++) {
        unlink(paths[i]);
    }
    bool is_told = comparison->diff != NULL && strncmp(comparison->diff, "--- a/", 6) == 0;
    if (!is_told) {
        text_format(job->error, sizeof(job->error), "diff failed: %.300s",
                    comparison->diff == NULL ? "" : comparison->diff);
    }
    return is_told;
}

static void end_diff(Job *job)
{
    Comparison *comparison = job->context;
    /* At the end the calls that wait are gone already. */
    if (!comparison->compute->is_closing) {
        json_t *text = json_string(job->is_ok ? comparison->diff : job->error);
        json_object_set_new(comparison->result, job->is_ok ? "diff" : "error", text);
        comparison->then(comparison->argument);
    }
    free(comparison->base);
    free(comparison->text);
    free(comparison->diff);
    free(comparison);
}

void compute_compare(Compute *compute, Branch *branch, const ComputeTexts *texts, json_t *ret,
                     ComputeFunction done, void *argument)
{
    if (branch->instance == NULL || compute->is_closing || strcmp(texts->base, texts->text) == 0) {
        json_object_set_new(ret, "diff", json_string(""));
        done(argument);
        return;
    }
    Comparison *comparison = calloc(1, sizeof(*comparison));
    if (comparison == NULL) {
        abort();
    }
    *comparison = (Comparison){
        .compute = compute,
        .base = strdup(texts->base),
        .text = strdup(texts->text),
        .result = ret,
        .then = done,
        .argument = argument,
    };
    if (comparison->base == NULL || comparison->text == NULL) {
        abort();
    }
    text_build(comparison->stem, sizeof(comparison->stem), "%s/scratch/compare-%u",
               compute->state_dir, ++compute->comparisons);
    text_build(comparison->database, sizeof(comparison->database), "%s", texts->database);
    jobs_submit(&branch->instance->jobs, run_diff, end_diff, comparison);
}

/*
 * What a test lets something print to, and reads.
 */
#ifndef PRODUCER_PAPER_H
#define PRODUCER_PAPER_H

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "ctl/screen.h"
#include "unit.h"

typedef struct Paper {
    char *text;
    size_t size;
    FILE *file;
} Paper;

static inline void paper_open(Paper *paper)
{
    *paper = (Paper){.text = NULL};
    paper->file = open_memstream(&paper->text, &paper->size);
    assert_non_null(paper->file);
}

static inline const char *paper_read(Paper *paper)
{
    assert_int_equal(fclose(paper->file), 0);
    paper->file = NULL;
    return paper->text;
}

static inline void paper_clear(Paper *paper)
{
    if (paper->file != NULL) {
        (void)fclose(paper->file);
    }
    free(paper->text);
}

#endif

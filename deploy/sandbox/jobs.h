/* Work on clusters, on libuv's threads: the jobs of one queue run one after another, those of
 * different queues at once. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

enum { JOBS_ERROR_BYTES = 512 };

typedef struct Job Job;
typedef struct JobQueue JobQueue;

typedef bool (*JobRun)(Job *job);  /* on a thread; false with job->error set */
typedef void (*JobDone)(Job *job); /* on the loop; the job is freed after it */

struct Job {
    uv_work_t work;
    JobQueue *queue;
    JobRun run;
    JobDone done;
    void *context; /* the submitter's; it frees it in `done` */
    bool is_ok;
    char error[JOBS_ERROR_BYTES];
    Job *next;
};

/* What all queues share. */
typedef struct JobPool {
    uv_loop_t *loop;
    int pending; /* jobs submitted and not done */
    atomic_bool is_stopping;
} JobPool;

struct JobQueue {
    JobPool *pool;
    Job *first; /* the one that runs */
};

void jobs_init(JobQueue *queue, JobPool *pool);
/* From here on jobs that have not begun fail at once. Returns when none is pending. */
void jobs_stop(JobPool *pool);
void jobs_submit(JobQueue *queue, JobRun run, JobDone done, void *context);
bool jobs_is_idle(const JobQueue *queue);

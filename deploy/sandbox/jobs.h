/* Work on clusters, on libuv's threads: the jobs of one queue run one after another, those of
 * different queues at once. */
#pragma once

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

struct JobQueue {
    uv_loop_t *loop;
    Job *first;   /* the one that runs */
    int *running; /* counts jobs of all queues that share it */
};

void jobs_init(JobQueue *queue, uv_loop_t *loop, int *running);
void jobs_submit(JobQueue *queue, JobRun run, JobDone done, void *context);
bool jobs_is_idle(const JobQueue *queue);

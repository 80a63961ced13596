#include "jobs.h"

#include <stdlib.h>

void jobs_init(JobQueue *queue, uv_loop_t *loop, int *running)
{
    *queue = (JobQueue){.loop = loop, .running = running};
}

bool jobs_is_idle(const JobQueue *queue)
{
    return queue->first == NULL;
}

static void on_work(uv_work_t *work)
{
    Job *job = work->data;
    job->is_ok = job->run(job);
}

static void start(JobQueue *queue);

static void on_done(uv_work_t *work, int status)
{
    (void)status;
    Job *job = work->data;
    JobQueue *queue = job->queue;
    queue->first = job->next;
    --*queue->running;
    start(queue);
    job->done(job);
    free(job);
}

static void start(JobQueue *queue)
{
    if (queue->first != NULL) {
        uv_queue_work(queue->loop, &queue->first->work, on_work, on_done);
    }
}

void jobs_submit(JobQueue *queue, JobRun run, JobDone done, void *context)
{
    Job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        abort();
    }
    *job = (Job){.queue = queue, .run = run, .done = done, .context = context};
    job->work.data = job;
    ++*queue->running;
    Job **last = &queue->first;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = job;
    if (queue->first == job) {
        start(queue);
    }
}

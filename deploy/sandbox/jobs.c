#include "jobs.h"

#include <stdlib.h>

#include "text.h"

void jobs_init(JobQueue *queue, JobPool *pool)
{
    *queue = (JobQueue){.pool = pool};
}

bool jobs_is_idle(const JobQueue *queue)
{
    return queue->first == NULL;
}

static void on_work(uv_work_t *work)
{
    Job *job = work->data;
    if (atomic_load(&job->queue->pool->is_stopping)) {
        text_build(job->error, sizeof(job->error), "the sandbox stops");
        return;
    }
    job->is_ok = job->run(job);
}

static void start(JobQueue *queue);

static void on_done(uv_work_t *work, int status)
{
    (void)status;
    Job *job = work->data;
    JobQueue *queue = job->queue;
    queue->first = job->next;
    queue->pool->pending--;
    start(queue);
    job->done(job);
    free(job);
}

static void start(JobQueue *queue)
{
    if (queue->first != NULL) {
        uv_queue_work(queue->pool->loop, &queue->first->work, on_work, on_done);
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
    queue->pool->pending++;
    Job **last = &queue->first;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = job;
    if (queue->first == job) {
        start(queue);
    }
}

void jobs_stop(JobPool *pool)
{
    atomic_store(&pool->is_stopping, true);
    while (pool->pending > 0) {
        uv_run(pool->loop, UV_RUN_ONCE);
    }
}

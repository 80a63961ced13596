/*
 * ThreadSanitizer knows POSIX threads only; librdkafka starts its threads with C11's, and a thread
 * that the sanitizer has not seen starting crashes in it. In builds with that sanitizer these stand
 * in for glibc's, whose mtx_t and cnd_t are POSIX mutexes and conditions as well. <threads.h> is
 * left out: it would declare them with types of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

typedef int ThreadFunction(void *argument);

// Values of glibc's <threads.h>.
enum { SUCCESS = 0, FAILURE = 2, TIMED_OUT = 4, RECURSIVE = 1 };

int thrd_create(pthread_t *ret_thread, ThreadFunction *function, void *argument);
int thrd_join(pthread_t thread, int *ret_result);
int mtx_init(pthread_mutex_t *mutex, int type);
int mtx_lock(pthread_mutex_t *mutex);
int mtx_unlock(pthread_mutex_t *mutex);
void mtx_destroy(pthread_mutex_t *mutex);
int cnd_init(pthread_cond_t *condition);
int cnd_signal(pthread_cond_t *condition);
int cnd_broadcast(pthread_cond_t *condition);
int cnd_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int cnd_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until);
void cnd_destroy(pthread_cond_t *condition);

typedef struct Start {
    ThreadFunction *function;
    void *argument;
} Start;

static int result_of(int failed)
{
    if (failed == 0) {
        return SUCCESS;
    }
    return failed == ETIMEDOUT ? TIMED_OUT : FAILURE;
}

// What librdkafka's threads return means nothing.
static void *start(void *argument)
{
    Start call = *(Start *)argument;
    free(argument);
    (void)call.function(call.argument);
    return NULL;
}

int thrd_create(pthread_t *ret_thread, ThreadFunction *function, void *argument)
{
    Start *call = malloc(sizeof(*call));
    if (call == NULL) {
        abort();
    }
    *call = (Start){function, argument};
    return result_of(pthread_create(ret_thread, NULL, start, call));
}

int thrd_join(pthread_t thread, int *ret_result)
{
    if (ret_result != NULL) {
        *ret_result = 0;
    }
    return result_of(pthread_join(thread, NULL));
}

int mtx_init(pthread_mutex_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if ((type & RECURSIVE) != 0) {
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    }
    int failed = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result_of(failed);
}

int mtx_lock(pthread_mutex_t *mutex)
{
    return result_of(pthread_mutex_lock(mutex));
}

int mtx_unlock(pthread_mutex_t *mutex)
{
    return result_of(pthread_mutex_unlock(mutex));
}

void mtx_destroy(pthread_mutex_t *mutex)
{
    pthread_mutex_destroy(mutex);
}

int cnd_init(pthread_cond_t *condition)
{
    return result_of(pthread_cond_init(condition, NULL));
}

int cnd_signal(pthread_cond_t *condition)
{
    return result_of(pthread_cond_signal(condition));
}

int cnd_broadcast(pthread_cond_t *condition)
{
    return result_of(pthread_cond_broadcast(condition));
}

int cnd_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return result_of(pthread_cond_wait(condition, mutex));
}

int cnd_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    return result_of(pthread_cond_timedwait(condition, mutex, until));
}

void cnd_destroy(pthread_cond_t *condition)
{
    pthread_cond_destroy(condition);
}

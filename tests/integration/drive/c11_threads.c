/*
 * ThreadSanitizer knows POSIX threads only; librdkafka starts its threads with C11's, and a thread
 * that the sanitizer has not seen starting crashes in it. In builds with that sanitizer these stand
 * in for glibc's: the types are the same there (mtx_t and cnd_t hold a POSIX mutex and condition).
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a C11 mutex is a POSIX mutex");
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a C11 condition is a POSIX condition");

typedef struct Start {
    thrd_start_t function;
    void *argument;
} Start;

static int result_of(int failed)
{
    if (failed == 0) {
        return thrd_success;
    }
    return failed == ETIMEDOUT ? thrd_timedout : thrd_error;
}

static void *start(void *argument)
{
    Start call = *(Start *)argument;
    free(argument);
    return (void *)(intptr_t)call.function(call.argument);
}

int thrd_create(thrd_t *ret_thread, thrd_start_t function, void *argument)
{
    Start *call = malloc(sizeof(*call));
    *call = (Start){function, argument};
    return result_of(pthread_create(ret_thread, NULL, start, call));
}

int thrd_join(thrd_t thread, int *ret_result)
{
    void *result = NULL;
    int failed = pthread_join(thread, &result);
    if (ret_result != NULL) {
        *ret_result = (int)(intptr_t)result;
    }
    return result_of(failed);
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if ((type & mtx_recursive) != 0) {
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    }
    int failed = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result_of(failed);
}

int mtx_lock(mtx_t *mutex)
{
    return result_of(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return result_of(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition)
{
    return result_of(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int cnd_signal(cnd_t *condition)
{
    return result_of(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition)
{
    return result_of(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result_of(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    return result_of(
        pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}

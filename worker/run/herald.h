/*
 * Tells the service manager (sys/notify) that the worker is ready, what it does in one line, that
 * its loop turns, and that it stops. Nothing where nobody wants to know.
 */
#ifndef RUN_HERALD_H
#define RUN_HERALD_H

#include "run/sight.h"

typedef struct Herald Herald;

Herald *herald_new(Worker *worker, const Sight *sight);
void herald_free(Herald *herald);
// "STOPPING=1", once; fine for NULL.
void herald_leaving(Herald *herald);

#endif

/*
 * A watch, as the client sees it.
 */
#ifndef LIB_WATCH_H
#define LIB_WATCH_H

#include "provision/provision.h"

void watch_end_at(ProvisionWatch **watch); // for CLEANUP

#endif

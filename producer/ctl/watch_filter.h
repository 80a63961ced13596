/*
 * Which events `watch` shows. A filter that is not given lets everything through; of one that is
 * given several times, one has to fit.
 */
#ifndef CTL_WATCH_FILTER_H
#define CTL_WATCH_FILTER_H

#include <argp.h>
#include <stdbool.h>

#include "provision/provision.h"

enum { WATCH_FILTER_MAX = 16 };

typedef struct WatchTexts {
    const char *texts[WATCH_FILTER_MAX];
    size_t count;
} WatchTexts;

typedef struct WatchFilter {
    WatchTexts types;        // EnvironmentCreated
    WatchTexts environments; // by name
    WatchTexts accounts;
    WatchTexts commands; // by id, in any case
    WatchTexts codes;    // of rejections and failures
    unsigned outcomes;   // bits of ProvisionOutcome; 0: not given
    bool hides_replayed;
} WatchFilter;

// A child parser; its input is the WatchFilter.
extern const struct argp WATCH_FILTER_ARGP;

bool watch_filter_passes(const WatchFilter *filter, const ProvisionEvent *event);

#endif

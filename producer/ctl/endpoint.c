#include "ctl/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/span.h"

enum { OPTION_MIN_CU = 0x500, OPTION_MAX_CU, OPTION_SUSPEND, NEVER = -1, MS_PER_SECOND = 1000 };

static const struct argp_option OPTIONS[] = {
    {NULL, 0, NULL, 0, "The endpoint (what isn't given stays as Neon has it):", 30},
    {"min-cu", OPTION_MIN_CU, "UNITS", 0, "Fewest compute units: 0.25, 0.5, or whole", 30},
    {"max-cu", OPTION_MAX_CU, "UNITS", 0, "Most compute units: 0.25, 0.5, or whole", 30},
    {"suspend-timeout", OPTION_SUSPEND, "DURATION", 0,
     "Time without a connection until it is suspended: 60s to 7d, never, or default", 30},
    {0},
};

static double parse_units(const char *name, const char *text, struct argp_state *state)
{
    char *rest = NULL;
    double units = strtod(text, &rest);
    if (rest == text || *rest != '\0' || !(units > 0)) {
        argp_error(state, "--%s takes 0.25, 0.5 or a whole number", name);
    }
    return units;
}

static int64_t parse_suspend(const char *text, struct argp_state *state)
{
    int64_t span_ms = 0;
    if (strcmp(text, "never") == 0) {
        return NEVER;
    }
    if (strcmp(text, "default") == 0) {
        return 0;
    }
    if (!span_parse(text, &span_ms) || span_ms == 0 || span_ms % MS_PER_SECOND != 0) {
        argp_error(
            state,
            "--suspend-timeout takes whole seconds such as 300s, 2h or 7d, never, or default");
    }
    return span_ms / MS_PER_SECOND;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    EndpointOptions *endpoint = state->input;
    switch (key) {
    case OPTION_MIN_CU:
        endpoint->settings.min_cu = parse_units("min-cu", text, state);
        return 0;
    case OPTION_MAX_CU:
        endpoint->settings.max_cu = parse_units("max-cu", text, state);
        return 0;
    case OPTION_SUSPEND:
        endpoint->settings.suspend_timeout_seconds = parse_suspend(text, state);
        endpoint->has_suspend_timeout = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp ENDPOINT_ARGP = {.options = OPTIONS, .parser = parse};

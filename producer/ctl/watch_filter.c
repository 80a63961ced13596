#include "ctl/watch_filter.h"

#include <string.h>
#include <strings.h>

#include "base/uuid.h"
#include "ctl/event_type.h"

enum {
    OPTION_TYPE = 0x400,
    OPTION_ENVIRONMENT = 'e',
    OPTION_ACCOUNT = 0x401,
    OPTION_COMMAND = 0x402,
    OPTION_OUTCOME = 0x403,
    OPTION_CODE = 0x404,
    OPTION_NO_REPLAYED = 0x405,
};

static const struct argp_option OPTIONS[] = {
    {NULL, 0, NULL, 0, "Only events (each may be repeated, one has to fit):", 40},
    {"type", OPTION_TYPE, "TYPE", 0, "Of this type, such as EnvironmentCreated", 40},
    {"outcome", OPTION_OUTCOME, "OUTCOME", 0,
     "That end a command so: succeeded, rejected, failed, cancelled, superseded", 40},
    {"code", OPTION_CODE, "CODE", 0, "With this code of a rejection or failure", 40},
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "About this environment", 40},
    {"account", OPTION_ACCOUNT, "NAME", 0, "About this account", 40},
    {"command", OPTION_COMMAND, "UUID", 0, "Of this command", 40},
    {"no-replayed", OPTION_NO_REPLAYED, NULL, 0,
     "Published for the first time: none that answers a command sent again", 40},
    {0},
};

static const ProvisionOutcome OUTCOMES[] = {
    PROVISION_OUTCOME_SUCCEEDED, PROVISION_OUTCOME_REJECTED,   PROVISION_OUTCOME_FAILED,
    PROVISION_OUTCOME_CANCELLED, PROVISION_OUTCOME_SUPERSEDED,
};

static void add_outcome(WatchFilter *filter, const char *text, struct argp_state *state)
{
    for (size_t i = 0; i < sizeof OUTCOMES / sizeof OUTCOMES[0]; i++) {
        if (strcmp(provision_outcome_name(OUTCOMES[i]), text) == 0) {
            filter->outcomes |= 1U << OUTCOMES[i];
            return;
        }
    }
    argp_error(state, "--outcome takes succeeded, rejected, failed, cancelled or superseded");
}

static void add(WatchTexts *texts, const char *text, struct argp_state *state)
{
    if (texts->count == WATCH_FILTER_MAX) {
        argp_error(state, "a filter may be repeated %d times", WATCH_FILTER_MAX);
        return;
    }
    texts->texts[texts->count++] = text;
}

// As events have it, with the package or without.
static void add_type(WatchFilter *filter, const char *text, struct argp_state *state)
{
    static const char PREFIX[] = "provisioning.v1.";
    const char *name = text;
    if (strncasecmp(name, PREFIX, sizeof PREFIX - 1) == 0) {
        name += sizeof PREFIX - 1;
    }
    if (!event_type_is_known(name)) {
        char nearest[EVENT_TYPE_NAMES_BYTES];
        argp_error(state, "there is no event type %s; the nearest are %s", name,
                   event_type_nearest(name, nearest));
        return;
    }
    add(&filter->types, name, state);
}

static void add_command(WatchFilter *filter, const char *text, struct argp_state *state)
{
    if (!uuid_is_valid(text)) {
        argp_error(state, "--command takes a UUID");
        return;
    }
    add(&filter->commands, text, state);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    WatchFilter *filter = state->input;
    switch (key) {
    case OPTION_TYPE:
        add_type(filter, text, state);
        return 0;
    case OPTION_CODE:
        add(&filter->codes, text, state);
        return 0;
    case OPTION_ENVIRONMENT:
        add(&filter->environments, text, state);
        return 0;
    case OPTION_ACCOUNT:
        add(&filter->accounts, text, state);
        return 0;
    case OPTION_COMMAND:
        add_command(filter, text, state);
        return 0;
    case OPTION_OUTCOME:
        add_outcome(filter, text, state);
        return 0;
    case OPTION_NO_REPLAYED:
        filter->hides_replayed = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp WATCH_FILTER_ARGP = {.options = OPTIONS, .parser = parse};

static bool fits(const WatchTexts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (strcasecmp(texts->texts[i], text) == 0) {
            return true;
        }
    }
    return texts->count == 0;
}

// The name behind `kind` in applications/A/environments/E, or "": names hold no slash.
static const char *name_in(const char *subject, const char *kind)
{
    const char *found = strstr(subject, kind);
    return found != NULL ? found + strlen(kind) : "";
}

// An event about an environment passes a filter of environments, one about an account a filter of
// accounts; with both given, either.
static bool fits_subject(const WatchFilter *filter, const char *subject)
{
    const char *environment = name_in(subject, "/environments/");
    const char *account = name_in(subject, "/accounts/");
    if (filter->environments.count == 0 && filter->accounts.count == 0) {
        return true;
    }
    return (filter->environments.count > 0 && environment[0] != '\0' &&
            fits(&filter->environments, environment)) ||
           (filter->accounts.count > 0 && account[0] != '\0' && fits(&filter->accounts, account));
}

bool watch_filter_passes(const WatchFilter *filter, const ProvisionEvent *event)
{
    return fits(&filter->types, event->type) && fits(&filter->codes, event->code) &&
           fits(&filter->commands, event->command_id) && fits_subject(filter, event->subject) &&
           (filter->outcomes == 0 || (filter->outcomes & (1U << event->outcome)) != 0) &&
           !(filter->hides_replayed && event->replayed);
}

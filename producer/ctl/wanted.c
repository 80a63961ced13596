#include "ctl/wanted.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"

enum { OPTION_DATABASE = 0x600, OPTION_SERVICE };

#define SERVICE_HELP                                                                               \
    "A service and the databases it uses, separated by commas; ACCESS is write (default), read "   \
    "or "                                                                                          \
    "admin, which is for services that run their own migrations. May be repeated"

static const struct argp_option OPTIONS[] = {
    {"database", OPTION_DATABASE, "NAME", 0, "A database of the environment; may be repeated", 0},
    {"service", OPTION_SERVICE, "NAME[=DATABASE[:ACCESS],…]", 0, SERVICE_HELP, 0},
    {0},
};

static const struct argp_option SERVICES[] = {
    {"service", OPTION_SERVICE, "NAME[=DATABASE[:ACCESS],…]", 0, SERVICE_HELP, 0},
    {0},
};

static const struct {
    const char *suffix;
    ProvisionAccess access;
} ACCESSES[] = {
    {":write", PROVISION_ACCESS_WRITE},
    {":read", PROVISION_ACCESS_READ},
    {":admin", PROVISION_ACCESS_ADMIN},
};

static const char *keep(Wanted *wanted, const char *text)
{
    wanted->texts = alloc_resize(wanted->texts, (wanted->text_count + 1) * sizeof(*wanted->texts));
    wanted->texts[wanted->text_count] = alloc_text(text);
    return wanted->texts[wanted->text_count++];
}

void wanted_add_database(Wanted *wanted, const char *database)
{
    wanted->databases =
        alloc_resize(wanted->databases, (wanted->database_count + 1) * sizeof(*wanted->databases));
    wanted->databases[wanted->database_count++] = keep(wanted, database);
}

static size_t index_of(Wanted *wanted, const char *name)
{
    size_t count = wanted->service_count;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(wanted->services[i].name, name) == 0) {
            return i;
        }
    }
    wanted->services = alloc_resize(wanted->services, (count + 1) * sizeof(*wanted->services));
    wanted->accesses =
        alloc_resize(wanted->accesses, (count + 1) * sizeof(ProvisionDatabaseAccess *));
    wanted->services[count] = (ProvisionService){.name = keep(wanted, name)};
    wanted->accesses[count] = NULL;
    wanted->service_count++;
    return count;
}

void wanted_add_service(Wanted *wanted, const char *service, const char *database,
                        ProvisionAccess access)
{
    size_t index = index_of(wanted, service);
    if (database == NULL) {
        return;
    }
    ProvisionService *found = &wanted->services[index];
    ProvisionDatabaseAccess **list = &wanted->accesses[index];
    *list = alloc_resize(*list, (found->database_count + 1) * sizeof(**list));
    (*list)[found->database_count++] = (ProvisionDatabaseAccess){keep(wanted, database), access};
    found->databases = *list;
}

void wanted_clear(Wanted *wanted)
{
    for (size_t i = 0; i < wanted->service_count; i++) {
        free(wanted->accesses[i]);
    }
    for (size_t i = 0; i < wanted->text_count; i++) {
        free(wanted->texts[i]);
    }
    free(wanted->accesses);
    free(wanted->texts);
    free(wanted->databases);
    free(wanted->services);
    *wanted = (Wanted){.databases = NULL};
}

// Without a known ":ACCESS" behind it, all of it is the database's name.
static void add_access(Wanted *wanted, const char *service, char *database)
{
    ProvisionAccess access = PROVISION_ACCESS_WRITE;
    size_t length = strlen(database);
    for (size_t i = 0; i < sizeof(ACCESSES) / sizeof(ACCESSES[0]); i++) {
        size_t suffix = strlen(ACCESSES[i].suffix);
        if (length > suffix && strcmp(database + length - suffix, ACCESSES[i].suffix) == 0) {
            database[length - suffix] = '\0';
            access = ACCESSES[i].access;
            break;
        }
    }
    wanted_add_service(wanted, service, database, access);
}

static void free_copy(char **text)
{
    free(*text);
}

static void parse_service(Wanted *wanted, const char *text, struct argp_state *state)
{
    char *copy CLEANUP(free_copy) = alloc_text(text);
    char *databases = strchr(copy, '=');
    if (databases != NULL) {
        *databases++ = '\0';
    }
    if (copy[0] == '\0' || (databases != NULL && databases[0] == '\0')) {
        argp_error(state, "--service takes NAME, or NAME=DATABASE[:ACCESS],…");
        return;
    }
    wanted_add_service(wanted, copy, NULL, PROVISION_ACCESS_WRITE);
    while (databases != NULL) {
        add_access(wanted, copy, strsep(&databases, ","));
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Wanted *wanted = state->input;
    switch (key) {
    case OPTION_DATABASE:
        wanted_add_database(wanted, text);
        return 0;
    case OPTION_SERVICE:
        parse_service(wanted, text, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp WANTED_ARGP = {.options = OPTIONS, .parser = parse};
const struct argp WANTED_SERVICES_ARGP = {.options = SERVICES, .parser = parse};

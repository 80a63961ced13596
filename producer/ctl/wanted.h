/*
 * The options that say which databases and services an environment has: --database and --service,
 * each as often as needed.
 */
#ifndef CTL_WANTED_H
#define CTL_WANTED_H

#include <argp.h>

#include "provision/provision.h"

typedef struct Wanted {
    const char **databases; // their texts are among `texts`
    size_t database_count;
    ProvisionService *services; // in the order of their first naming
    size_t service_count;
    ProvisionDatabaseAccess **accesses; // the lists of the services
    char **texts;
    size_t text_count;
} Wanted;

// Child parsers; their input is the Wanted. WANTED_ARGP takes both options, WANTED_SERVICES_ARGP
// only --service.
extern const struct argp WANTED_ARGP;
extern const struct argp WANTED_SERVICES_ARGP;

// Each copies its texts.
void wanted_add_database(Wanted *wanted, const char *database);
// Adds the service where it isn't there yet; `database` NULL: no access.
void wanted_add_service(Wanted *wanted, const char *service, const char *database,
                        ProvisionAccess access);
void wanted_clear(Wanted *wanted);

#endif

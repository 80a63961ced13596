#include "lib/services.h"

#include <string.h>

#include "contract/allocator.h"
#include "lib/command.h"

char **services_names(const char *const *names, size_t count)
{
    if (count == 0) {
        return NULL;
    }
    char **copies = allocator_zeroed(count * sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        const char *name = names[i] == NULL ? "" : names[i];
        copies[i] = allocator_copy(name, strlen(name));
    }
    return copies;
}

static Provisioning__V1__Access access_of(ProvisionAccess access)
{
    switch (access) {
    case PROVISION_ACCESS_READ:
        return PROVISIONING__V1__ACCESS__ACCESS_READ;
    case PROVISION_ACCESS_ADMIN:
        return PROVISIONING__V1__ACCESS__ACCESS_ADMIN;
    case PROVISION_ACCESS_WRITE:
    default:
        return PROVISIONING__V1__ACCESS__ACCESS_WRITE;
    }
}

static Provisioning__V1__DatabaseAccess *access_new(const ProvisionDatabaseAccess *access)
{
    Provisioning__V1__DatabaseAccess *message = allocator_zeroed(sizeof(*message));
    provisioning__v1__database_access__init(message);
    draft_set_text(&message->database, access->database);
    message->access = access_of(access->access);
    return message;
}

static Provisioning__V1__Service *service_new(const ProvisionService *service)
{
    Provisioning__V1__Service *message = allocator_zeroed(sizeof(*message));
    provisioning__v1__service__init(message);
    draft_set_text(&message->name, service->name);
    if (service->database_count > 0) {
        message->databases =
            allocator_zeroed(service->database_count * sizeof(Provisioning__V1__DatabaseAccess *));
    }
    for (size_t i = 0; i < service->database_count; i++) {
        message->databases[i] = access_new(&service->databases[i]);
    }
    message->n_databases = service->database_count;
    return message;
}

Provisioning__V1__Service **services_new(const ProvisionService *services, size_t count)
{
    if (count == 0) {
        return NULL;
    }
    Provisioning__V1__Service **messages =
        allocator_zeroed(count * sizeof(Provisioning__V1__Service *));
    for (size_t i = 0; i < count; i++) {
        messages[i] = service_new(&services[i]);
    }
    return messages;
}

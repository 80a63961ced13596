// Services, databases and whose credentials: what the commands about roles name.
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "contract/command_parts.h"

enum {
    PATH_MAX_BYTES = sizeof((Error *)NULL)->field - 1,
    // Roles of a branch: https://neon.com/docs/reference/neon-limitations
    BRANCH_ROLES_MAX = 500,
    ROLES_OVER_ALL = 4,    // platform, reader, writer, admin
    ROLES_OF_DATABASE = 3, // reader, writer, admin
    DATABASES_MAX = (BRANCH_ROLES_MAX - ROLES_OVER_ALL) / ROLES_OF_DATABASE,
};

typedef Provisioning__V1__Service Service;
typedef Provisioning__V1__DatabaseAccess DatabaseAccess;

static bool refuse(const char *path, const char *problem, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", path, "%s %s", path, problem);
}

static bool has_before(char *const *names, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(names[i], names[index]) == 0) {
            return true;
        }
    }
    return false;
}

bool command_check_databases(CommandNames databases, const char *path, Error *err)
{
    if (databases.count > DATABASES_MAX) {
        return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", path,
                               "%s must be at most %d: Neon keeps %d roles a branch, and each "
                               "database takes %d",
                               path, DATABASES_MAX, BRANCH_ROLES_MAX, ROLES_OF_DATABASE);
    }
    for (size_t i = 0; i < databases.count; i++) {
        Text field CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
        text_printf(&field, "%s[%zu]", path, i);
        if (!name_check_database(databases.list[i], text_get(&field), err)) {
            return false;
        }
        if (has_before(databases.list, i)) {
            return refuse(text_get(&field), "names a database again: leave it out", err);
        }
    }
    return true;
}

// All roles of the wanted set must fit, whatever else is on the branch.
static bool check_room(size_t services, size_t databases, const char *path, Error *err)
{
    size_t taken = ROLES_OVER_ALL + ROLES_OF_DATABASE * (databases == 0 ? 1 : databases);
    return services <= BRANCH_ROLES_MAX - taken ||
           error_set_field(err, ERROR_INVALID, "INVALID_VALUE", path,
                           "%s must be at most %zu: Neon keeps %d roles a branch, and %zu are the "
                           "platform's and the databases'",
                           path, BRANCH_ROLES_MAX - taken, BRANCH_ROLES_MAX, taken);
}

static bool is_known(CommandNames known, const char *database)
{
    for (size_t i = 0; i < known.count; i++) {
        if (strcmp(known.list[i], database) == 0) {
            return true;
        }
    }
    return known.count == 0;
}

static bool is_again(const Service *service, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(service->databases[i]->database, service->databases[index]->database) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_access(const Service *service, size_t index, CommandNames known,
                         const char *service_path, Error *err)
{
    const DatabaseAccess *access = service->databases[index];
    Text field CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
    text_printf(&field, "%s.databases[%zu].database", service_path, index);
    const char *path = text_get(&field);
    if (!command_check_required(access->database, path, err) ||
        !name_check_database(access->database, path, err)) {
        return false;
    }
    if (is_again(service, index)) {
        return refuse(path, "names a database again: give one access to each", err);
    }
    if (!is_known(known, access->database)) {
        return refuse(path, "is not among the command's databases: list it there", err);
    }
    if (protobuf_c_enum_descriptor_get_value(&provisioning__v1__access__descriptor,
                                             (int)access->access) != NULL) {
        return true;
    }
    text_clear(&field);
    text_printf(&field, "%s.databases[%zu].access", service_path, index);
    return refuse(text_get(&field), "must be ACCESS_WRITE, ACCESS_READ or ACCESS_ADMIN", err);
}

static bool check_service(const Service *service, CommandNames known, const char *path, Error *err)
{
    Text field CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
    text_printf(&field, "%s.name", path);
    if (!command_check_required(service->name, text_get(&field), err) ||
        !name_check_service(service->name, text_get(&field), err)) {
        return false;
    }
    text_clear(&field);
    text_printf(&field, "%s.databases", path);
    if (service->n_databases > DATABASES_MAX) {
        return refuse(text_get(&field), "are more than an environment can have", err);
    }
    for (size_t i = 0; i < service->n_databases; i++) {
        if (!check_access(service, i, known, path, err)) {
            return false;
        }
    }
    return true;
}

static bool is_named_before(Service *const *services, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(services[i]->name, services[index]->name) == 0) {
            return true;
        }
    }
    return false;
}

bool command_check_services(Service *const *services, size_t count, CommandNames known,
                            const char *path, Error *err)
{
    if (!check_room(count, known.count, path, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        Text field CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
        text_printf(&field, "%s[%zu]", path, i);
        if (!check_service(services[i], known, text_get(&field), err)) {
            return false;
        }
        if (is_named_before(services, i)) {
            text_append(&field, ".name");
            return refuse(text_get(&field), "names a service again: give all its databases at once",
                          err);
        }
    }
    return true;
}

bool command_check_setup_roles(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__SetupRoles *action = message->setup_roles;
    CommandNames databases = {action->databases, action->n_databases};
    if (!command_check_any_environment(action->environment, "setup_roles.environment", err) ||
        !command_check_databases(databases, "setup_roles.databases", err) ||
        !command_check_services(action->services, action->n_services, databases,
                                "setup_roles.services", err)) {
        return false;
    }
    if (protobuf_c_enum_descriptor_get_value(&provisioning__v1__roles_mode__descriptor,
                                             (int)action->mode) == NULL) {
        return refuse("setup_roles.mode", "must be ROLES_MODE_APPLY or ROLES_MODE_PLAN", err);
    }
    return protobuf_c_enum_descriptor_get_value(&provisioning__v1__roles_policy__descriptor,
                                                (int)action->policy) != NULL ||
           refuse("setup_roles.policy",
                  "must be ROLES_POLICY_AUTHORITATIVE or ROLES_POLICY_ADDITIVE", err);
}

static bool check_role(const char *role, const char *path, Error *err)
{
    return command_check_required(role, path, err) && name_check_role(role, path, err);
}

static bool check_named_service(const char *service, const char *path, Error *err)
{
    return command_check_required(service, path, err) && name_check_service(service, path, err);
}

bool command_check_rotate(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__RotateCredentials *action = message->rotate_credentials;
    if (!command_check_any_environment(action->environment, "rotate_credentials.environment",
                                       err)) {
        return false;
    }
    switch ((int)action->target_case) {
    case PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_ROLE:
        return check_role(action->role, "rotate_credentials.role", err);
    case PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_SERVICE:
        return check_named_service(action->service, "rotate_credentials.service", err);
    case PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_ALL:
        return action->all || refuse("rotate_credentials.all", "must be true where it is set", err);
    default:
        return error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", "rotate_credentials.target",
                               "rotate_credentials.target is missing: set role, service or all");
    }
}

static bool check_revealed(const Provisioning__V1__RevealCredentials *action, Error *err)
{
    switch ((int)action->target_case) {
    case PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_ROLE:
        return check_role(action->role, "reveal_credentials.role", err);
    case PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_SERVICE:
        return check_named_service(action->service, "reveal_credentials.service", err);
    default:
        return true;
    }
}

bool command_check_reveal(const Provisioning__V1__Command *message, Error *err)
{
    static const char KEY[] = "reveal_credentials.reply_public_key";
    const Provisioning__V1__RevealCredentials *action = message->reveal_credentials;
    if (!command_check_any_environment(action->environment, "reveal_credentials.environment",
                                       err) ||
        !check_revealed(action, err)) {
        return false;
    }
    if (action->reply_public_key.len == 0) {
        return command_check_required("", KEY, err);
    }
    return action->reply_public_key.len == CRYPTO_KEY_BYTES ||
           refuse(KEY, "must be an X25519 public key, 32 bytes", err);
}

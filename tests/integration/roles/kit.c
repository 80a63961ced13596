#include "kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/secret.h"
#include "base/unconst.h"
#include "driver.h"

typedef struct Passwords {
    Secret *texts;
    RolesSecret *secrets;
    size_t count;
    json_t *roles;
} Passwords;

void kit_password(const Kit *kit, const char *role, char ret_password[KIT_PASSWORD_BYTES])
{
    char generation[16];
    uint8_t digest[CRYPTO_SHA256_BYTES];
    (void)snprintf(generation, sizeof(generation), "%d", kit->generation);
    const Bytes parts[] = {{(const uint8_t *)generation, strlen(generation)},
                           {(const uint8_t *)role, strlen(role)}};
    crypto_sha256(parts, 2, digest);
    Text hex = TEXT_INIT(2 * sizeof(digest));
    crypto_hex_append(&hex, (Bytes){digest, 16});
    (void)snprintf(ret_password, KIT_PASSWORD_BYTES, "%s%s",
                   kit->password_begin == NULL ? "Pw" : kit->password_begin, text_get(&hex));
    text_clear(&hex);
}

static bool is_listed(const json_t *roles, const char *role)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(roles); i++) {
        found = found || strcmp(json_string_value(json_array_get(roles, i)), role) == 0;
    }
    return found;
}

static void add_more(json_t *roles, const json_t *more)
{
    for (size_t i = 0; i < json_array_size(more); i++) {
        const char *role = json_string_value(json_array_get(more, i));
        if (!is_listed(roles, role)) {
            json_array_append_new(roles, json_string(role));
        }
    }
}

static void make_passwords(const Kit *kit, Passwords *ret)
{
    ret->roles = roles_spec_logins(kit->spec);
    add_more(ret->roles, kit->more_logins);
    ret->count = json_array_size(ret->roles);
    ret->texts = alloc_zeroed(ret->count, sizeof(*ret->texts));
    ret->secrets = alloc_zeroed(ret->count, sizeof(*ret->secrets));
    for (size_t i = 0; i < ret->count; i++) {
        char password[KIT_PASSWORD_BYTES];
        const char *role = json_string_value(json_array_get(ret->roles, i));
        kit_password(kit, role, password);
        secret_set_text(&ret->texts[i], password);
        ret->secrets[i] =
            (RolesSecret){.role = role, .password = &ret->texts[i], .set = kit->renew};
    }
}

static void clear_passwords(Passwords *passwords)
{
    for (size_t i = 0; i < passwords->count; i++) {
        secret_clear(&passwords->texts[i]);
    }
    free(passwords->texts);
    free(passwords->secrets);
    json_decref(passwords->roles);
}

void kit_wish(Kit *kit, const char *spec_json)
{
    json_error_t problem;
    json_decref(kit->spec);
    kit->spec = json_loads(spec_json, JSON_REJECT_DUPLICATES, &problem);
    if (kit->spec == NULL) {
        fail_msg("%s: %s", spec_json, problem.text);
    }
    Error err = ERROR_INIT;
    if (!roles_spec_check(kit->spec, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

void kit_start(Kit *kit, const char *spec_json)
{
    *kit = (Kit){.generation = 1, .fence = {.branch_id = "br-test-1", .number = 1}};
    kit_wish(kit, spec_json);
    cluster_start(&kit->cluster);
}

void kit_stop(Kit *kit)
{
    cluster_stop(&kit->cluster);
    json_decref(kit->spec);
    kit->spec = NULL;
}

PGconn *kit_try_login(const Kit *kit, const char *database, const char *role)
{
    char password[KIT_PASSWORD_BYTES];
    kit_password(kit, role, password);
    return cluster_login(&kit->cluster, database, role, password, NULL);
}

PGconn *kit_login(const Kit *kit, const char *database, const char *role)
{
    PGconn *connection = kit_try_login(kit, database, role);
    if (connection == NULL) {
        fail_msg("%s can't log in to %s", role, database);
    }
    return connection;
}

void kit_run_as(const Kit *kit, RolesMode mode, const char *user, const char *password,
                KitRun *ret_run)
{
    CLEANUP(clear_passwords) Passwords passwords = {.count = 0};
    make_passwords(kit, &passwords);
    const RolesDriverTarget target = {
        .host = kit->cluster.dir, .port = "5432", .user = user, .password = password};
    const RolesTask task = {.mode = mode,
                            .spec = kit->spec,
                            .secrets = passwords.secrets,
                            .secret_count = passwords.count,
                            .fence = kit->fence};
    *ret_run = KIT_RUN_INIT;
    ret_run->done = roles_driver_run(&target, &task, &ret_run->report, &ret_run->err);
}

void kit_run(const Kit *kit, RolesMode mode, KitRun *ret_run)
{
    kit_run_as(kit, mode, "neondb_owner", CLUSTER_PASSWORD, ret_run);
}

void kit_run_clear(KitRun *run)
{
    roles_report_clear(&run->report);
}

void kit_print(const char *title, const KitRun *run)
{
    print_message("%s: %s %s %s%s\n", title, run->done ? "done" : "failed", run->err.code,
                  run->err.text, run->report.remains ? ", something remains" : "");
    for (size_t i = 0; i < run->report.count; i++) {
        const RolesChange *change = &run->report.changes[i];
        print_message("  %s%s | %s | %s | %s\n", change->blocked ? "blocked: " : "",
                      change->database, change->object, change->change, change->reason);
    }
}

static void hand_over(const Kit *kit, const json_t *owners)
{
    size_t i;
    const json_t *owner;
    json_array_foreach((json_t *)unconst(owners), i, owner)
    {
        CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
        kit_run_as(kit, ROLES_MODE_OWNER, json_string_value(json_object_get(owner, "owner")),
                   CLUSTER_PASSWORD, &run);
        if (!run.done) {
            kit_print("hand-over", &run);
            fail();
        }
    }
}

void kit_converge(const Kit *kit)
{
    CLEANUP(kit_run_clear) KitRun first = KIT_RUN_INIT;
    kit_run(kit, ROLES_MODE_APPLY, &first);
    if (!first.done) {
        kit_print("apply", &first);
        fail();
    }
    if (json_array_size(first.report.owners) > 0) {
        hand_over(kit, first.report.owners);
        CLEANUP(kit_run_clear) KitRun second = KIT_RUN_INIT;
        kit_run(kit, ROLES_MODE_APPLY, &second);
        if (!second.done || second.report.remains) {
            kit_print("second apply", &second);
            fail();
        }
    } else if (first.report.remains) {
        kit_print("apply", &first);
        fail();
    }
    kit_assert_converged(kit);
}

size_t kit_count_changes(const RolesReport *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        count += report->changes[i].change[0] != '\0';
    }
    return count;
}

void kit_assert_converged(const Kit *kit)
{
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    kit_run(kit, ROLES_MODE_PLAN, &run);
    if (!run.done || run.report.remains || kit_count_changes(&run.report) > 0) {
        kit_print("plan", &run);
        fail();
    }
}

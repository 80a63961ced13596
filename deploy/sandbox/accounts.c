#include <string.h>

#include "handlers.h"
#include "plans.h"

typedef struct Region {
    const char *id;
    const char *name;
    const char *latitude;
    const char *longitude;
} Region;

static const Region REGIONS[] = {
    {"aws-us-east-1", "AWS US East 1 (N. Virginia)", "38.13", "-78.45"},
    {"aws-us-east-2", "AWS US East 2 (Ohio)", "39.96", "-83"},
    {"aws-us-west-2", "AWS US West 2 (Oregon)", "46.15", "-123.88"},
    {"aws-eu-central-1", "AWS Europe Central 1 (Frankfurt)", "50", "8"},
    {"aws-eu-west-2", "AWS Europe West 2 (London)", "51.5", "-0.12"},
    {"aws-ap-southeast-1", "AWS Asia Pacific 1 (Singapore)", "1.37", "103.8"},
    {"aws-ap-southeast-2", "AWS Asia Pacific 2 (Sydney)", "-33.86", "151.2"},
    {"aws-sa-east-1", "AWS South America East 1 (Sao Paulo)", "-23.55", "-46.63"},
    {"azure-eastus2", "Azure East US 2 (Virginia)", "36.66", "-78.38"},
    {"azure-westus3", "Azure West US 3 (Arizona)", "33.44", "-112.07"},
};

enum { REGION_COUNT = sizeof(REGIONS) / sizeof(REGIONS[0]), REGION_DEFAULT = 1 };

bool accounts_is_region(const char *region_id)
{
    for (int i = 0; i < REGION_COUNT; i++) {
        if (strcmp(REGIONS[i].id, region_id) == 0) {
            return true;
        }
    }
    return false;
}

void accounts_get_auth(Exchange *exchange)
{
    const Key *key = exchange->key;
    exchange_reply(exchange, 200,
                   json_pack("{s:s, s:s}", "account_id", key->account_id, "auth_method",
                             key->kind == KEY_PERSONAL ? "api_key_user" : "api_key_org"));
}

static json_t *render_billing_account(void)
{
    return json_pack("{s:s, s:{s:s}, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
                     "state", "active", "payment_source", "type", "", "subscription_type", "launch",
                     "payment_method", "none", "quota_reset_at_last", "2026-11-01T00:00:00Z",
                     "name", "Sandbox", "email", "sandbox@example.com", "address_city", "",
                     "address_country", "", "address_line1", "", "address_line2", "",
                     "address_postal_code", "", "address_state", "");
}

void accounts_get_me(Exchange *exchange)
{
    if (exchange->key->kind != KEY_PERSONAL) {
        exchange_fail(exchange, 404, "", "not allowed for organization API keys");
        return;
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:[], s:s}", "id",
                             exchange->key->account_id, "email", "sandbox@example.com", "login",
                             "sandbox", "name", "Sandbox", "last_name", "User", "image", "",
                             "active_seconds_limit", 0, "projects_limit", 100, "branches_limit",
                             5000, "max_autoscaling_limit", 16, "auth_accounts", "plan", "launch");
    json_object_set_new(json, "billing_account", render_billing_account());
    exchange_reply(exchange, 200, json);
}

static const char *plan_name(const Exchange *exchange)
{
    const Plan *plan = exchange->sandbox->options.plan;
    return plan == NULL ? "launch" : plan->name;
}

static json_t *render_organization(const Exchange *exchange, const char *id)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", id, "name", id, "handle", id,
                     "plan", plan_name(exchange), "managed_by", "console", "created_at",
                     "2026-01-01T00:00:00Z", "updated_at", "2026-01-01T00:00:00Z");
}

void accounts_get_organization(Exchange *exchange)
{
    const char *id = exchange->parameters[0];
    if (!keys_has_organization(exchange->key, id)) {
        exchange_fail(exchange, 404, "", "organization not found");
        return;
    }
    exchange_reply(exchange, 200, render_organization(exchange, id));
}

void accounts_list_organizations(Exchange *exchange)
{
    json_t *list = json_array();
    for (int i = 0; i < exchange->key->organization_count; i++) {
        json_array_append_new(list, render_organization(exchange, exchange->key->organizations[i]));
    }
    exchange_reply(exchange, 200, json_pack("{s:o}", "organizations", list));
}

void accounts_list_regions(Exchange *exchange)
{
    const char *org_id = exchange_query(exchange, "org_id");
    if (org_id == NULL && exchange->key->kind != KEY_PERSONAL) {
        exchange_fail(exchange, 404, "", "not allowed for organization API keys");
        return;
    }
    if (org_id != NULL && !keys_has_organization(exchange->key, org_id)) {
        exchange_fail(exchange, 404, "", "organization not found");
        return;
    }
    json_t *list = json_array();
    for (int i = 0; i < REGION_COUNT; i++) {
        const Region *region = &REGIONS[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:s}", "region_id", region->id,
                                              "name", region->name, "default", i == REGION_DEFAULT,
                                              "geo_lat", region->latitude, "geo_long",
                                              region->longitude));
    }
    exchange_reply(exchange, 200, json_pack("{s:o}", "regions", list));
}

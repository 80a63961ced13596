#include "rules/rule.h"

#include <assert.h>

typedef RuleTable TableFunction(void);

static TableFunction *const BY_API[] = {
    table_accounts, table_records, table_values, table_names,     table_creations,
    table_branches, table_imports, table_edits,  table_deletions, table_resets,
    table_previews, table_reveals, table_lost,   table_sweeps,
};
static TableFunction *const BY_SQL[] = {table_roles, table_restored};

static size_t add_all(TableFunction *const *tables, size_t count, const Rule **ret_rules)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        RuleTable table = tables[i]();
        for (size_t k = 0; k < table.count; k++) {
            assert(used < RULES_MAX);
            ret_rules[used++] = &table.rules[k];
        }
    }
    return used;
}

size_t rules_by_api(const Rule *ret_rules[RULES_MAX])
{
    return add_all(BY_API, sizeof(BY_API) / sizeof(BY_API[0]), ret_rules);
}

size_t rules_by_sql(const Rule *ret_rules[RULES_MAX])
{
    return add_all(BY_SQL, sizeof(BY_SQL) / sizeof(BY_SQL[0]), ret_rules);
}

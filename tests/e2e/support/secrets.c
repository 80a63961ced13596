#include "support/secrets.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/crypto.h"
#include "support/cmocka.h"
#include "support/forms.h"
#include "support/topic_bytes.h"

typedef struct Search {
    World *world;
    Forms *forms; // of each secret
    bool is_commands;
    size_t bytes; // searched
} Search;

static void look(Search *search, Bytes bytes, const char *place)
{
    search->bytes += bytes.size;
    if (bytes.size == 0) {
        return;
    }
    for (size_t i = 0; i < search->world->secret_count; i++) {
        if (search->is_commands && search->world->secrets[i].in_commands) {
            continue;
        }
        const char *form = forms_find(&search->forms[i], bytes);
        if (form != NULL) {
            fail_msg("secret %zu stands in %s (%s)", i, place, form);
        }
    }
}

static void look_at_record(void *context, Bytes bytes, const char *place)
{
    look(context, bytes, place);
}

static void look_at_topics(Search *search)
{
    for (size_t i = 0; i < 4; i++) {
        size_t before = search->bytes;
        search->is_commands = i == 0;
        topic_bytes_read(search->world->bootstrap, search->world->topics[i], look_at_record,
                         search);
        // a search of nothing would find nothing
        assert_true(search->bytes > before || i > 0);
    }
    search->is_commands = false;
}

// Files of /proc and logs: their size isn't known before.
static void look_at_file(Search *search, const char *path)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return; // a process that has ended
    }
    char *text = NULL;
    size_t size = 0;
    char piece[8192];
    size_t count = 0;
    FILE *out = open_memstream(&text, &size);
    while ((count = fread(piece, 1, sizeof(piece), in)) > 0) {
        (void)fwrite(piece, 1, count, out);
    }
    (void)fclose(in);
    (void)fclose(out);
    look(search, (Bytes){(const uint8_t *)text, size}, path);
    free(text);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void look_at_logs(Search *search)
{
    size_t logs = 0;
    DIR *folder = opendir(search->world->dir);
    assert_non_null(folder);
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        bool is_ours = ends_with(entry->d_name, ".key") || ends_with(entry->d_name, ".uri");
        if (entry->d_name[0] != '.' && !is_ours) {
            look_at_file(search, box_text("%s/%s", search->world->dir, entry->d_name));
            logs += ends_with(entry->d_name, ".log");
        }
    }
    (void)closedir(folder);
    assert_true(logs > 0);
    look_at_file(search, search->world->box.log);
}

static void look_at_command_lines(Search *search)
{
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
            look_at_file(search, box_text("/proc/%s/cmdline", entry->d_name));
        }
    }
    (void)closedir(folder);
}

static void look_at_column(Search *search, const PGresult *rows, int column, const char *place)
{
    enum { BYTEA_OID = 17 };
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *value = PQgetvalue(rows, row, column);
        look(search, bytes_of(value), place);
        if (PQftype(rows, column) == BYTEA_OID) {
            size_t size = 0;
            unsigned char *raw = PQunescapeBytea((const unsigned char *)value, &size);
            look(search, (Bytes){raw, size}, place);
            PQfreemem(raw);
        }
    }
}

static size_t look_at_table(Search *search, const char *table)
{
    PGresult *rows = PQexec(search->world->ledger, box_text("SELECT * FROM provision.%s", table));
    assert_int_equal(PQresultStatus(rows), PGRES_TUPLES_OK);
    for (int column = 0; column < PQnfields(rows); column++) {
        look_at_column(search, rows, column,
                       box_text("ledger %s.%s", table, PQfname(rows, column)));
    }
    size_t count = (size_t)PQntuples(rows);
    PQclear(rows);
    return count;
}

static void look_at_ledger(Search *search)
{
    size_t count = 0;
    PGresult *tables = PQexec(search->world->ledger,
                              "SELECT tablename FROM pg_tables WHERE schemaname = 'provision'");
    assert_int_equal(PQresultStatus(tables), PGRES_TUPLES_OK);
    for (int row = 0; row < PQntuples(tables); row++) {
        count += look_at_table(search, PQgetvalue(tables, row, 0));
    }
    PQclear(tables);
    assert_true(count > 0);
}

void secrets_search(World *world)
{
    Search search = {.world = world};
    search.forms = alloc_zeroed(world->secret_count + 1, sizeof(Forms));
    assert_true(world->secret_count > 0);
    for (size_t i = 0; i < world->secret_count; i++) {
        forms_make(world->secrets[i].text, &search.forms[i]);
    }
    look_at_topics(&search);
    look_at_logs(&search);
    look_at_ledger(&search);
    look_at_command_lines(&search);
    print_message("%zu secrets in none of %zu bytes\n", world->secret_count, search.bytes);
    free(search.forms);
}

static void learn_branch(World *world, const char *project_id, const json_t *branch)
{
    size_t i = 0;
    const json_t *role = NULL;
    json_array_foreach(box_find(branch, "roles"), i, role)
    {
        (void)sandbox_password(world, project_id, box_string(branch, "id"),
                               json_string_value(role));
    }
}

static void learn_passwords(World *world)
{
    REPLY reply = sandbox_state(world);
    size_t i = 0;
    size_t b = 0;
    const json_t *project = NULL;
    const json_t *branch = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        json_array_foreach(box_find(project, "branches"), b, branch)
        {
            learn_branch(world, box_string(project, "id"), branch);
        }
    }
}

void secrets_are_found_nowhere(void **state)
{
    learn_passwords(*state);
    secrets_search(*state);
}

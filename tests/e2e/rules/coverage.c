#include "rules/coverage.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "box.h"
#include "rules/elsewhere.h"
#include "support/cmocka.h"
#include "support/process.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"

enum { CODE_BYTES = 48, ROWS_MAX = 40, CODES_MAX = 40, COMMANDS_BYTES = 200 };

// One row of the README's table of refusals.
typedef struct Row {
    char commands[COMMANDS_BYTES]; // "EditProject, EditEndpoint", "any command"
    char codes[CODES_MAX][CODE_BYTES];
    size_t count;
} Row;

static const char *path_of(const char *file)
{
    return box_text("%s/%s", RULES_PROJECT, file);
}

// ---- the README's table

static void read_codes(const char *line, Row *ret_row)
{
    for (const char *tick = strchr(line, '`'); tick != NULL; tick = strchr(tick, '`')) {
        size_t length = strspn(tick + 1, LETTERS);
        bool is_code = length > 3 && tick[1 + length] == '`';
        if (is_code) {
            assert_true(ret_row->count < CODES_MAX && length < CODE_BYTES);
            (void)snprintf(ret_row->codes[ret_row->count++], CODE_BYTES, "%.*s", (int)length,
                           tick + 1);
        }
        tick += length + 1;
    }
}

// "| commands | codes |"
static Row read_row(const char *line)
{
    Row row = {.count = 0};
    const char *codes = strstr(line + 1, " | ");
    assert_non_null(codes);
    (void)snprintf(row.commands, sizeof(row.commands), "%.*s", (int)(codes - line - 2), line + 2);
    assert_null(strstr(codes, "those of ")); // each row names its own
    read_codes(codes, &row);
    return row;
}

static size_t read_table(const char *readme, Row ret_rows[ROWS_MAX])
{
    static const char HEAD[] = "| refused | codes |\n|---|---|\n";
    const char *line = strstr(readme, HEAD);
    size_t count = 0;
    assert_non_null(line);
    line += strlen(HEAD);
    for (; *line == '|'; line += strcspn(line, "\n") + 1) {
        assert_true(count < ROWS_MAX - 1);
        ret_rows[count++] = read_row(box_text("%.*s", (int)strcspn(line, "\n"), line));
    }
    return count;
}

// All codes under "What happens on failure".
static Row read_failures(const char *readme)
{
    Row row = {.commands = "any command's failures"};
    const char *line = strstr(readme, "\n## What happens on failure\n");
    assert_non_null(line);
    line += 1 + strcspn(line + 1, "\n") + 1;
    for (; strncmp(line, "## ", 3) != 0; line += strcspn(line, "\n") + 1) {
        read_codes(box_text("%.*s", (int)strcspn(line, "\n"), line), &row);
    }
    return row;
}

// ---- rules

// "CreateEnvironment", of which the members are.
static const char *command_of(const Rule *rule)
{
    const char *brace = strstr(rule->command, "': {");
    while (brace != NULL) {
        const char *start = brace;
        while (start > rule->command && isalnum((unsigned char)start[-1])) {
            start--;
        }
        bool is_action = start[0] != '\0' && start > rule->command && brace - start > 8 &&
                         strncmp(start, "sourceBranch", 12) != 0;
        if (is_action) {
            return box_text("%c%.*s", toupper((unsigned char)start[0]), (int)(brace - start - 1),
                            start + 1);
        }
        brace = strstr(brace + 1, "': {");
    }
    return "";
}

static bool is_any(const char *commands)
{
    return strncmp(commands, "any command", strlen("any command")) == 0;
}

// "EditProject" of "EditProject, EditEndpoint"; NULL: there are no more.
static const char *next_command(const char **commands)
{
    size_t length = is_any(*commands) ? strlen(*commands) : strcspn(*commands, ",");
    const char *command = length == 0 ? NULL : box_text("%.*s", (int)length, *commands);
    *commands += length;
    *commands += strspn(*commands, ", ");
    return command;
}

static bool is_about(const Row *row, const char *command)
{
    const char *rest = row->commands;
    for (const char *one = next_command(&rest); one != NULL; one = next_command(&rest)) {
        if (is_any(one) || strcmp(one, command) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_rule(const Rule *const *rules, size_t count, const char *command, const char *code)
{
    for (size_t i = 0; i < count; i++) {
        if (rules[i]->code != NULL && strcmp(rules[i]->code, code) == 0 &&
            (is_any(command) || strcmp(command_of(rules[i]), command) == 0)) {
            return true;
        }
    }
    return false;
}

static size_t find_missing_of(const Rule *const *rules, size_t count, const Row *row,
                              const char *command)
{
    size_t missing = 0;
    for (size_t i = 0; i < row->count; i++) {
        if (!has_rule(rules, count, command, row->codes[i]) &&
            !elsewhere_has(row->codes[i], command)) {
            print_message("no rule shows %s of %s\n", row->codes[i], command);
            missing++;
        }
    }
    return missing;
}

// One command doesn't stand for another that the row names with it.
static size_t find_missing(const Rule *const *rules, size_t count, const Row *row)
{
    size_t missing = 0;
    const char *rest = row->commands;
    for (const char *one = next_command(&rest); one != NULL; one = next_command(&rest)) {
        missing += find_missing_of(rules, count, row, one);
    }
    return missing;
}

static bool has_code(const Row *row, const char *code)
{
    for (size_t i = 0; i < row->count; i++) {
        if (strcmp(row->codes[i], code) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_told(const Row *rows, size_t count, const Rule *rule)
{
    // refusals of Neon's are told of by its own words
    bool told = strncmp(rule->code, "NEON_", 5) == 0;
    for (size_t i = 0; i < count && !told; i++) {
        told = is_about(&rows[i], command_of(rule)) && has_code(&rows[i], rule->code);
    }
    return told;
}

static size_t find_untold(const Row *rows, size_t row_count, const Rule *const *rules, size_t count)
{
    size_t untold = 0;
    for (size_t i = 0; i < count; i++) {
        if (rules[i]->code != NULL && !is_told(rows, row_count, rules[i])) {
            print_message("the README doesn't tell of %s of %s (%s)\n", rules[i]->code,
                          command_of(rules[i]), rules[i]->what);
            untold++;
        }
    }
    return untold;
}

// ---- the sources

static bool is_shown(const Rule *const *rules, size_t count, const char *code)
{
    for (size_t i = 0; i < count; i++) {
        if (rules[i]->code != NULL && strcmp(rules[i]->code, code) == 0) {
            return true;
        }
    }
    return elsewhere_has_any(code);
}

// Texts such as "HAS_DEPENDENTS".
static size_t find_codes(const char *file, const Rule *const *rules, size_t count)
{
    char *text = process_read_log(file);
    size_t unshown = 0;
    for (const char *quote = strchr(text, '"'); quote != NULL; quote = strchr(quote + 1, '"')) {
        size_t length = strspn(quote + 1, LETTERS);
        const char *code = box_text("%.*s", (int)length, quote + 1);
        const char *underscore = strchr(code, '_');
        bool is_code = quote[1 + length] == '"' && underscore != NULL && underscore > code;
        if (is_code && !is_shown(rules, count, code)) {
            print_message("no rule, and no test elsewhere, shows %s of %s\n", code, file);
            unshown++;
        }
    }
    free(text);
    return unshown;
}

static size_t find_unshown(const Rule *const *rules, size_t count)
{
    static const char *const SOURCES[] = {
        "worker/contract/command_*.c",
        "worker/contract/wire.c",
        "worker/contract/framing.c",
        "worker/contract/signature.c",
        "worker/contract/outcome.c",
        "worker/neon/reply.c",
        "worker/roles/*.c",
        "worker/saga/*.c",
        "worker/run/flight*.c",
    };
    size_t unshown = 0;
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(SOURCES[0]); i++) {
        glob_t found;
        assert_int_equal(glob(path_of(SOURCES[i]), 0, NULL, &found), 0);
        for (size_t k = 0; k < found.gl_pathc; k++) {
            unshown += find_codes(found.gl_pathv[k], rules, count);
        }
        globfree(&found);
    }
    return unshown;
}

void coverage_assert(void)
{
    static Row rows[ROWS_MAX];
    const Rule *rules[2 * RULES_MAX];
    char *readme = process_read_log(path_of("README.md"));
    size_t row_count = read_table(readme, rows);
    rows[row_count++] = read_failures(readme);
    free(readme);
    size_t count = rules_by_api(rules);
    count += rules_by_sql(rules + count);
    size_t wrong = find_untold(rows, row_count, rules, count) + find_unshown(rules, count) +
                   elsewhere_find_lost();
    for (size_t i = 0; i < row_count; i++) {
        wrong += find_missing(rules, count, &rows[i]);
    }
    if (wrong > 0) {
        fail_msg("%zu of what the README tells and what is tried don't fit", wrong);
    }
}

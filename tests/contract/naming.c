#include <stdio.h>
#include <string.h>

#include "descriptor_set.h"

// buf's STANDARD rules, https://buf.build/docs/lint/rules/ — what can be told from descriptors.
// Each rule that is broken is a line "RULE what".
typedef struct Report {
    const File *file;
    Text problems;
} Report;

static void complain(Report *report, const char *rule, const char *what)
{
    text_printf(&report->problems, "%s %s\n", rule, what);
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Words of letters (of one case) and digits, a letter first, with one '_' between them.
static bool is_snake(const char *name, size_t length, bool upper)
{
    for (size_t i = 0; i < length; i++) {
        bool letter = upper ? is_upper(name[i]) : is_lower(name[i]);
        bool inside = i > 0 && name[i - 1] != '_' && i + 1 < length;
        if (!letter && !(i > 0 && is_digit(name[i])) && !(inside && name[i] == '_')) {
            return false;
        }
    }
    return length > 0;
}

static bool is_pascal(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_lower(*c) && !is_upper(*c) && !is_digit(*c)) {
            return false;
        }
    }
    return is_upper(name[0]);
}

// RolesMode → ROLES_MODE
static void append_upper_snake(Text *text, const char *pascal)
{
    for (const char *c = pascal; *c != '\0'; c++) {
        if (is_upper(*c) && c != pascal) {
            text_append_char(text, '_');
        }
        char upper = *c;
        if (is_lower(*c)) {
            upper = (char)(*c - 'a' + 'A');
        }
        text_append_char(text, upper);
    }
}

static void check_enum(Report *report, const Enum *declared)
{
    if (!is_pascal(declared->name)) {
        complain(report, "ENUM_PASCAL_CASE", declared->name);
    }
    if (declared->options != NULL && declared->options->allow_alias) {
        complain(report, "ENUM_NO_ALLOW_ALIAS", declared->name);
    }
    if (declared->value[0]->number != 0) {
        complain(report, "ENUM_FIRST_VALUE_ZERO", declared->name);
    }
    Text prefix CLEANUP(text_clear) = TEXT_INIT(256);
    append_upper_snake(&prefix, declared->name);
    text_append_char(&prefix, '_');
    for (size_t i = 0; i < declared->n_value; i++) {
        const char *name = declared->value[i]->name;
        if (!is_snake(name, strlen(name), true)) {
            complain(report, "ENUM_VALUE_UPPER_SNAKE_CASE", name);
        }
        if (strncmp(name, text_get(&prefix), prefix.length) != 0) {
            complain(report, "ENUM_VALUE_PREFIX", name);
        }
        if (declared->value[i]->number == 0 &&
            (strlen(name) < 12 || strcmp(name + strlen(name) - 12, "_UNSPECIFIED") != 0)) {
            complain(report, "ENUM_ZERO_VALUE_SUFFIX", name);
        }
    }
}

static void check_field(Report *report, const Field *field)
{
    if (!is_snake(field->name, strlen(field->name), false)) {
        complain(report, "FIELD_LOWER_SNAKE_CASE", field->name);
    }
    if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED) {
        complain(report, "FIELD_NOT_REQUIRED", field->name);
    }
}

static void check_message(Report *report, const Message *message)
{
    if (!is_pascal(message->name)) {
        complain(report, "MESSAGE_PASCAL_CASE", message->name);
    }
    for (size_t i = 0; i < message->n_field; i++) {
        check_field(report, message->field[i]);
    }
    for (size_t i = 0; i < message->n_oneof_decl; i++) {
        const char *name = message->oneof_decl[i]->name;
        if (!is_snake(name, strlen(name), false)) {
            complain(report, "ONEOF_LOWER_SNAKE_CASE", name);
        }
    }
    for (size_t i = 0; i < message->n_enum_type; i++) {
        check_enum(report, message->enum_type[i]);
    }
    for (size_t i = 0; i < message->n_nested_type; i++) {
        check_message(report, message->nested_type[i]);
    }
}

static bool is_version(const char *word)
{
    return word[0] == 'v' && word[1] >= '1' && word[1] <= '9' &&
           strspn(word + 2, "0123456789") == strlen(word + 2);
}

static void check_package(Report *report)
{
    const char *package = report->file->package;
    const char *last = strrchr(package, '.');
    if (last == NULL || !is_version(last + 1)) {
        complain(report, "PACKAGE_VERSION_SUFFIX", package);
    }
    Text folder CLEANUP(text_clear) = TEXT_INIT(256);
    for (const char *word = package; *word != '\0';) {
        size_t length = strcspn(word, ".");
        if (!is_snake(word, length, false)) {
            complain(report, "PACKAGE_LOWER_SNAKE_CASE", package);
        }
        text_append_bytes(&folder, word, length);
        text_append_char(&folder, '/');
        word += length + (word[length] == '.' ? 1 : 0);
    }
    const char *slash = strrchr(report->file->name, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash + 1 - report->file->name);
    if (length != folder.length || strncmp(report->file->name, text_get(&folder), length) != 0) {
        complain(report, "PACKAGE_DIRECTORY_MATCH", package);
    }
}

static bool message_uses(const Message *message, const char *type)
{
    for (size_t i = 0; i < message->n_field; i++) {
        if (message->field[i]->type_name != NULL &&
            strcmp(message->field[i]->type_name, type) == 0) {
            return true;
        }
    }
    return false;
}

static bool file_uses(const File *file, const char *type)
{
    for (size_t i = 0; i < file->n_message_type; i++) {
        if (message_uses(file->message_type[i], type)) {
            return true;
        }
    }
    return false;
}

static bool import_is_used(const File *file, const File *imported)
{
    for (size_t i = 0; i < imported->n_message_type + imported->n_enum_type; i++) {
        const char *name = i < imported->n_message_type
                               ? imported->message_type[i]->name
                               : imported->enum_type[i - imported->n_message_type]->name;
        Text type CLEANUP(text_clear) = TEXT_INIT(256);
        text_printf(&type, ".%s.%s", imported->package, name);
        if (file_uses(file, text_get(&type))) {
            return true;
        }
    }
    return false;
}

static void check_imports(Report *report, const FileSet *set)
{
    const File *file = report->file;
    for (size_t i = 0; i < file->n_public_dependency; i++) {
        complain(report, "IMPORT_NO_PUBLIC", file->dependency[file->public_dependency[i]]);
    }
    for (size_t i = 0; i < file->n_weak_dependency; i++) {
        complain(report, "IMPORT_NO_WEAK", file->dependency[file->weak_dependency[i]]);
    }
    for (size_t i = 0; i < file->n_dependency; i++) {
        for (size_t j = 0; j < set->n_file; j++) {
            if (strcmp(set->file[j]->name, file->dependency[i]) == 0 &&
                !import_is_used(file, set->file[j])) {
                complain(report, "IMPORT_USED", file->dependency[i]);
            }
        }
    }
}

static void check_file(Report *report, const FileSet *set)
{
    const File *file = report->file;
    const char *slash = strrchr(file->name, '/');
    const char *base = slash == NULL ? file->name : slash + 1;
    if (!is_snake(base, strcspn(base, "."), false)) {
        complain(report, "FILE_LOWER_SNAKE_CASE", file->name);
    }
    if (file->syntax == NULL || strcmp(file->syntax, "proto3") != 0) {
        complain(report, "SYNTAX_SPECIFIED", file->name);
    }
    check_package(report);
    check_imports(report, set);
    for (size_t i = 0; i < file->n_message_type; i++) {
        check_message(report, file->message_type[i]);
    }
    for (size_t i = 0; i < file->n_enum_type; i++) {
        check_enum(report, file->enum_type[i]);
    }
}

static void check_set(const FileSet *set, Text *problems)
{
    for (size_t i = 0; i < set->n_file; i++) {
        Report report = {.file = set->file[i], .problems = TEXT_INIT(DESCRIPTOR_TEXT_MAX)};
        if (descriptor_is_own(set->file[i])) {
            check_file(&report, set);
        }
        text_append(problems, text_get(&report.problems));
        text_clear(&report.problems);
    }
}

static void the_contract_keeps_the_standard_names(void **state)
{
    (void)state;
    FileSet *set CLEANUP(descriptor_free_set) = descriptor_read_set(DESCRIPTOR_SET);
    size_t own = 0;
    for (size_t i = 0; i < set->n_file; i++) {
        own += descriptor_is_own(set->file[i]) ? 1 : 0;
    }
    assert_int_equal(own, 6);
    Text problems CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    check_set(set, &problems);
    assert_string_equal(text_get(&problems), "");
}

static void each_mistake_is_found(void **state)
{
    (void)state;
    static const char *const EXPECTED = "FILE_LOWER_SNAKE_CASE Wrong-File.proto\n"
                                        "SYNTAX_SPECIFIED Wrong-File.proto\n"
                                        "PACKAGE_VERSION_SUFFIX wrong.Names\n"
                                        "PACKAGE_LOWER_SNAKE_CASE wrong.Names\n"
                                        "PACKAGE_DIRECTORY_MATCH wrong.Names\n"
                                        "IMPORT_NO_PUBLIC google/protobuf/timestamp.proto\n"
                                        "IMPORT_USED google/protobuf/timestamp.proto\n"
                                        "MESSAGE_PASCAL_CASE lower_message\n"
                                        "FIELD_LOWER_SNAKE_CASE camelField\n"
                                        "FIELD_NOT_REQUIRED camelField\n"
                                        "ONEOF_LOWER_SNAKE_CASE WrongOneof\n"
                                        "ENUM_FIRST_VALUE_ZERO Inner\n"
                                        "MESSAGE_PASCAL_CASE inner_message\n"
                                        "ENUM_PASCAL_CASE colour\n"
                                        "ENUM_NO_ALLOW_ALIAS colour\n"
                                        "ENUM_VALUE_PREFIX RED\n"
                                        "ENUM_ZERO_VALUE_SUFFIX RED\n"
                                        "ENUM_VALUE_UPPER_SNAKE_CASE COLOUR_rouge\n"
                                        "ENUM_ZERO_VALUE_SUFFIX COLOUR_rouge\n"
                                        "PACKAGE_DIRECTORY_MATCH wrong.v1\n";
    FileSet *set CLEANUP(descriptor_free_set) = descriptor_read_set(WRONG_SET);
    Text problems CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    check_set(set, &problems);
    assert_string_equal(text_get(&problems), EXPECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_contract_keeps_the_standard_names),
        cmocka_unit_test(each_mistake_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor_set.h"

// What a message or enum promises, a line each: "field MESSAGE NUMBER NAME TYPE [repeated] [in
// ONEOF]" and "value ENUM NUMBER NAME". What was released stays; lines may only be added.
// `released.desc.txt` is what this program prints with the argument "print".
static void describe_field(Text *text, const char *scope, const Message *message,
                           const Field *field)
{
    const ProtobufCEnumValue *type = protobuf_c_enum_descriptor_get_value(
        &google__protobuf__field_descriptor_proto__type__descriptor, (int)field->type);
    assert_non_null(type);
    text_printf(text, "field %s.%s %d %s %s", scope, message->name, field->number, field->name,
                field->type_name != NULL ? field->type_name : type->name);
    if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED) {
        text_append(text, " repeated");
    }
    if (field->has_oneof_index) {
        text_printf(text, " in %s", message->oneof_decl[field->oneof_index]->name);
    }
    text_append(text, "\n");
}

static void describe_enum(Text *text, const char *scope, const Enum *declared)
{
    for (size_t i = 0; i < declared->n_value; i++) {
        text_printf(text, "value %s.%s %d %s\n", scope, declared->name, declared->value[i]->number,
                    declared->value[i]->name);
    }
}

static void describe(const FileSet *set, Text *text)
{
    for (size_t i = 0; i < set->n_file; i++) {
        const File *file = set->file[i];
        if (!descriptor_is_own(file)) {
            continue;
        }
        for (size_t j = 0; j < file->n_message_type; j++) {
            const Message *message = file->message_type[j];
            for (size_t k = 0; k < message->n_field; k++) {
                describe_field(text, file->package, message, message->field[k]);
            }
        }
        for (size_t j = 0; j < file->n_enum_type; j++) {
            describe_enum(text, file->package, file->enum_type[j]);
        }
    }
    assert_true(text_ok(text));
}

static bool has_line(const char *text, const char *line, size_t length)
{
    for (const char *here = text; *here != '\0';) {
        size_t size = strcspn(here, "\n");
        if (size == length && strncmp(here, line, length) == 0) {
            return true;
        }
        here += size + (here[size] == '\n' ? 1 : 0);
    }
    return false;
}

// Number of released lines; the first that is missing stands in ret_missing.
static size_t compare(const char *released, const char *current, Text *ret_missing)
{
    size_t count = 0;
    for (const char *line = released; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (ret_missing->length == 0 && !has_line(current, line, length)) {
            text_append_bytes(ret_missing, line, length);
        }
        count++;
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    return count;
}

static void what_was_released_stays(void **state)
{
    (void)state;
    FileSet *set CLEANUP(descriptor_free_set) = descriptor_read_set(DESCRIPTOR_SET);
    Text current CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    Text released CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    Text missing CLEANUP(text_clear) = TEXT_INIT(1024);
    describe(set, &current);
    descriptor_read_file(RELEASED, &released);
    size_t count = compare(text_get(&released), text_get(&current), &missing);
    assert_string_equal(text_get(&missing), "");
    assert_true(count > 200);
}

static void what_is_missing_is_found(void **state)
{
    (void)state;
    Text missing CLEANUP(text_clear) = TEXT_INIT(1024);
    assert_int_equal(compare("a\nb\n", "b\nc\na\n", &missing), 2);
    assert_string_equal(text_get(&missing), "");
    assert_int_equal(compare("a\nb 1\nc\n", "a\nb 2\n", &missing), 3);
    assert_string_equal(text_get(&missing), "b 1");
}

static int print(void)
{
    FileSet *set CLEANUP(descriptor_free_set) = descriptor_read_set(DESCRIPTOR_SET);
    Text current CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    describe(set, &current);
    return fputs(text_get(&current), stdout) < 0 ? 1 : 0;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "print") == 0) {
        return print();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_released_stays),
        cmocka_unit_test(what_is_missing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

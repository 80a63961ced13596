#include "base/settings.h"

#include <string.h>

#include "base/settings_kafka.h"
#include "base/settings_value.h"

static const char MASK[] = "***";

typedef struct KafkaPrinter {
    Text *text;
    KafkaClient client;
} KafkaPrinter;

static void print_kafka(void *context, const char *property, const char *value, bool is_secret)
{
    const KafkaPrinter *printer = context;
    bool masked = is_secret && value[0] != '\0';
    text_printf(printer->text, "%s%s = %s\n", settings_kafka_prefix(printer->client), property,
                masked ? MASK : value);
}

// On one line: lists may have several.
static void append_value(Text *text, const char *value)
{
    for (; *value != '\0'; value++) {
        text_append_char(text, (char)((unsigned char)*value < ' ' ? ' ' : *value));
    }
}

void settings_print(const Settings *settings, Text *text)
{
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        text_printf(text, "%s = ", settings_name(id));
        if (settings_row(id)->type == SETTING_TYPE_SECRET) {
            text_append(text, secret_is_empty(settings_secret(settings, id)) ? "" : MASK);
        } else {
            append_value(text, settings_text(settings, id));
        }
        text_append_char(text, '\n');
    }
    for (KafkaClient client = KAFKA_CLIENT_BOTH; client <= KAFKA_CLIENT_PRODUCER; client++) {
        settings_each_own_kafka(settings, client, print_kafka, &(KafkaPrinter){text, client});
    }
}

// A bar would end the cell.
static void append_cell(Text *text, const char *cell)
{
    for (; *cell != '\0'; cell++) {
        if (*cell == '|') {
            text_append_char(text, '\\');
        }
        text_append_char(text, *cell);
    }
}

static void print_row(SettingId id, Text *text)
{
    const SettingRow *row = settings_row(id);
    Text values = TEXT_INIT(200);
    settings_value_describe(row, &values);
    text_printf(text, "| `%s` | ", row->name);
    append_cell(text, text_get(&values));
    text_append(text, " | ");
    if (row->value[0] != '\0') {
        text_printf(text, "`%s`", row->value);
    }
    text_append(text, " | `");
    settings_environment_name(row->name, text);
    text_append(text, "` | ");
    append_cell(text, row->help);
    text_append(text, " |\n");
    text_clear(&values);
}

void settings_print_markdown(Text *text)
{
    text_append(text, "| setting | value | default | environment variable | what it is |\n"
                      "|---|---|---|---|---|\n");
    for (SettingId id = 0; id < SETTING_COUNT_OF; id++) {
        print_row(id, text);
    }
}

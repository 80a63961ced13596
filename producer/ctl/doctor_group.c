#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ctl/doctor.h"
#include "ctl/kafka_free.h"
#include "ctl/progress_map.h"
#include "lib/broker.h"

enum { REQUEST_MS = 10000 };

typedef struct Group {
    Doctor *doctor;
    Broker *broker;
    const char *id;
    const char *topic;
    int partitions;
} Group;

// ---- members

static int count_owned(const Group *group, const rd_kafka_ConsumerGroupDescription_t *described)
{
    int owned = 0;
    for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(described); i++) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(described, i);
        const rd_kafka_topic_partition_list_t *list =
            rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member));
        for (int p = 0; list != NULL && p < list->cnt; p++) {
            owned += strcmp(list->elems[p].topic, group->topic) == 0;
        }
    }
    return owned;
}

static void judge_members(const Group *group, const rd_kafka_ConsumerGroupDescription_t *described)
{
    Checklist *list = &group->doctor->list;
    size_t members = rd_kafka_ConsumerGroupDescription_member_count(described);
    const char *state =
        rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(described));
    int owned = count_owned(group, described);
    if (members == 0) {
        checklist_add(list, CHECK_FAILED, "group",
                      "%s has no member: no provision-worker runs, or its group.id or "
                      "kafka.bootstrap.servers is another one",
                      group->id);
    } else if (owned < group->partitions) {
        checklist_add(list, CHECK_WARNING, "group",
                      "%s (%s): %d of %d partitions have no owner: it is being rebalanced; if that "
                      "stays, look at the workers' logs",
                      group->id, state, group->partitions - owned, group->partitions);
    } else {
        checklist_add(list, CHECK_OK, "group",
                      "%s (%s): members: %zu; all %d partitions have an owner", group->id, state,
                      members, group->partitions);
    }
}

static const rd_kafka_ConsumerGroupDescription_t *described_in(rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    return count == 1 && rd_kafka_ConsumerGroupDescription_error(groups[0]) == NULL ? groups[0]
                                                                                    : NULL;
}

static void check_members(const Group *group)
{
    char reason[128];
    rd_kafka_t *client = group->broker->kafka;
    const char *ids[] = {group->id};
    rd_kafka_AdminOptions_t *options CLEANUP(kafka_free_admin_options_at) =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS, reason, sizeof(reason));
    rd_kafka_queue_t *answers CLEANUP(kafka_free_queue_at) = rd_kafka_queue_new(client);
    rd_kafka_DescribeConsumerGroups(client, ids, 1, options, answers);
    rd_kafka_event_t *event CLEANUP(kafka_free_event_at) =
        rd_kafka_queue_poll(answers, REQUEST_MS + 1000);
    const rd_kafka_ConsumerGroupDescription_t *described =
        event != NULL && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR
            ? described_in(event)
            : NULL;
    if (described == NULL) {
        checklist_add(&group->doctor->list, CHECK_SKIPPED, "group",
                      "%s: this broker doesn't tell of its members", group->id);
    } else {
        judge_members(group, described);
    }
}

// ---- backlog

typedef struct Backlog {
    int64_t records;
    int voids;
    int unknown;
} Backlog;

static void add_partition(const Group *group, const rd_kafka_topic_partition_t *committed,
                          Backlog *backlog)
{
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        group->broker->kafka, group->topic, committed->partition, &low, &high, REQUEST_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || committed->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        backlog->unknown++;
        return;
    }
    ProgressMap map CLEANUP(progress_map_clear) = {.committed = -1};
    progress_map_read(committed, &map);
    backlog->voids += map.void_reason != NULL;
    backlog->records += progress_map_backlog(&map, low, high);
}

static void check_backlog(const Group *group)
{
    Checklist *list = &group->doctor->list;
    rd_kafka_topic_partition_list_t *offsets CLEANUP(kafka_free_list_at) =
        rd_kafka_topic_partition_list_new(group->partitions);
    for (int i = 0; i < group->partitions; i++) {
        (void)rd_kafka_topic_partition_list_add(offsets, group->topic, i);
    }
    rd_kafka_resp_err_t code = rd_kafka_committed(group->broker->kafka, offsets, REQUEST_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        checklist_add(list, CHECK_WARNING, "backlog", "what %s has committed isn't known: %s",
                      group->id, rd_kafka_err2str(code));
        return;
    }
    Backlog backlog = {.records = 0};
    for (int i = 0; i < offsets->cnt; i++) {
        add_partition(group, &offsets->elems[i], &backlog);
    }
    if (backlog.voids > 0 || backlog.unknown > 0) {
        checklist_add(list, CHECK_WARNING, "backlog",
                      "%" PRId64 " records; %d partitions have a completion map that can't be read "
                      "(committed by another program of this group.id, or the topic was made "
                      "anew), %d don't answer",
                      backlog.records, backlog.voids, backlog.unknown);
    } else {
        checklist_add(list, CHECK_OK, "backlog", "%" PRId64 " records of %s wait or are under way",
                      backlog.records, group->topic);
    }
}

void doctor_check_group(Doctor *doctor, struct Broker *broker, const char *commands_topic,
                        int partitions)
{
    Group group = {doctor, broker, settings_text(doctor->settings, SETTING_GROUP_ID),
                   commands_topic, partitions};
    check_members(&group);
    check_backlog(&group);
}

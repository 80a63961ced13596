/*
 * The crash point between the sending of EndTxn and its answer, in builds that have crash points
 * (sys/crash.h): librdkafka's call begins and ends outside of that moment.
 */
#ifndef DRIVE_PUBLISHER_CRASH_H
#define DRIVE_PUBLISHER_CRASH_H

#include <librdkafka/rdkafka.h>

void publisher_crash_watch(rd_kafka_conf_t *conf);

#endif

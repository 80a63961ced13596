/* The embedded Kafka: librdkafka's mock cluster, listening on loopback on ports of its own choice.
 * It throws transactional offsets away, so nothing about exactly-once can be tried on it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

typedef struct Kafka Kafka;

/* Opens it with the options' brokers and topics. NULL with a sentence in ret_error. */
Kafka *kafka_open(const Options *options, char *ret_error, size_t error_bytes);
void kafka_close(Kafka *kafka);
const char *kafka_bootstrap(const Kafka *kafka);

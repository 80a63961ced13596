#include "drive/publisher_crash.h"

#include "sys/crash.h"

#ifdef PROVISION_CRASH_POINTS

enum { API_KEY_END_TXN = 26 }; // https://kafka.apache.org/protocol#protocol_api_keys

static rd_kafka_resp_err_t on_request_sent(rd_kafka_t *client, int fd, const char *broker,
                                           int32_t broker_id, int16_t api_key, int16_t version,
                                           int32_t correlation, size_t size, void *context)
{
    (void)client, (void)fd, (void)broker, (void)broker_id, (void)version, (void)correlation;
    (void)size, (void)context;
    if (api_key == API_KEY_END_TXN) {
        crash_point(CRASH_END_SENT, NULL, NULL);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *client, const rd_kafka_conf_t *conf, void *context,
                                  char *text, size_t size)
{
    (void)conf, (void)context, (void)text, (void)size;
    return rd_kafka_interceptor_add_on_request_sent(client, "crash", on_request_sent, NULL);
}

void publisher_crash_watch(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_interceptor_add_on_new(conf, "crash", on_new, NULL);
}

#else

void publisher_crash_watch(rd_kafka_conf_t *conf)
{
    (void)conf;
}

#endif

/*
 * Whatever the ledger holds: an outcome whose records can be published, or NULL.
 */
#include "check.h"
#include "contract/outcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OutcomeMessage *message = outcome_unpack((Bytes){data, size});
    for (size_t i = 0; message != NULL && i < message->n_records; i++) {
        const Provisioning__Internal__V1__OutcomeRecord *record = message->records[i];
        CHECK(record->topic >= PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS &&
              record->topic <= PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_COMMANDS);
        for (size_t j = 0; j < record->n_headers; j++) {
            CHECK(record->headers[j]->name != NULL);
        }
    }
    outcome_message_free(message);
    return 0;
}

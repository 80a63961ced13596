#include "run/intent.h"

IntentTimes intent_times(const Settings *settings)
{
    return (IntentTimes){
        .send_window_ms = settings_number(settings, SETTING_NEON_SEND_WINDOW),
        .settle_after_ms = settings_number(settings, SETTING_NEON_REQUEST_TIMEOUT) +
                           settings_number(settings, SETTING_NEON_LISTING_LAG),
    };
}

int64_t intent_send_limit_ms(const IntentTimes *times, int64_t handed_boot_ms)
{
    return handed_boot_ms + times->send_window_ms;
}

int64_t intent_settled_ms(const IntentTimes *times, int64_t answered_boot_ms)
{
    return answered_boot_ms + times->send_window_ms + times->settle_after_ms;
}

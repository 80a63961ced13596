#include "contract/account_key.h"

#include <string.h>

void account_key_associate(const char *application_id, const char *account, Text *ret_text)
{
    text_append_bytes(ret_text, application_id, strlen(application_id) + 1);
    text_append(ret_text, account);
}

void role_password_associate(const char *application_id, const char *environment, const char *role,
                             Text *ret_text)
{
    text_append_bytes(ret_text, application_id, strlen(application_id) + 1);
    text_append_bytes(ret_text, environment, strlen(environment) + 1);
    text_append(ret_text, role);
}

// Commands about the environments of pull requests.
#include "base/attr.h"
#include "contract/allocator.h"
#include "lib/command.h"
#include "lib/services.h"
#include "lib/values.h"

ProvisionCommand *provision_set_preview_base(const char *application_id,
                                             const ProvisionSetPreviewBase *spec,
                                             ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__SetPreviewBase *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__set_preview_base__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_SET_PREVIEW_BASE;
    command->message->set_preview_base = action;
    draft_set_text(&action->environment, spec->environment);
    return draft_finish(&command, err);
}

ProvisionCommand *provision_open_preview(const char *application_id,
                                         const ProvisionOpenPreview *spec, ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__OpenPreview *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__open_preview__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_OPEN_PREVIEW;
    command->message->open_preview = action;
    action->pull_request = spec->pull_request;
    draft_set_text(&action->repository, spec->repository);
    draft_set_text(&action->git_ref, spec->git_ref);
    draft_set_text(&action->git_sha, spec->git_sha);
    if (spec->expires_in_seconds != 0) {
        action->expires_in = values_span(spec->expires_in_seconds);
    }
    action->reset = spec->reset;
    action->services = services_new(spec->services, spec->service_count);
    action->n_services = spec->service_count;
    return draft_finish(&command, err);
}

ProvisionCommand *provision_close_preview(const char *application_id,
                                          const ProvisionClosePreview *spec, ProvisionError *err)
{
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_begin(application_id);
    Provisioning__V1__ClosePreview *action = allocator_zeroed(sizeof(*action));
    provisioning__v1__close_preview__init(action);
    command->message->action_case = PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW;
    command->message->close_preview = action;
    action->pull_request = spec->pull_request;
    draft_set_text(&action->repository, spec->repository);
    action->if_expired = spec->if_expired;
    return draft_finish(&command, err);
}

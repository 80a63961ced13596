"""Commands and events in protobuf's JSON form: what is what in them."""
EVENTS = {"connectAccount": "accountConnected", "disconnectAccount": "accountDisconnected",
          "discoverAccount": "accountInventory", "createEnvironment": "environmentCreated",
          "branchEnvironment": "environmentBranched", "importEnvironment": "environmentImported",
          "editProject": "projectEdited", "editEndpoint": "endpointEdited",
          "rotateCredentials": "credentialsRotated", "revealCredentials": "credentialsIssued",
          "setPreviewBase": "previewBaseSet", "openPreview": "environmentBranched",
          "closePreview": "environmentDeleted", "resetEnvironment": "environmentReset",
          "deleteEnvironment": "environmentDeleted", "setupRoles": "rolesConfigured",
          "cancelCommand": "cancelAccepted"}
ENVELOPE = {"commandId", "applicationId", "requestedBy", "requestedAt", "deadline", "replayOf", "labels"}
EVENT_ENVELOPE = {"eventId", "commandId", "applicationId", "subject", "sequence", "occurredAt", "attempts"}


def action_of(command):
    return next(name for name in command if name not in ENVELOPE)


def body_of(event):
    return next(name for name in event if name not in EVENT_ENVELOPE)


def target_of(command):
    """The environment that a command is about, or None."""
    action = action_of(command)
    body = command[action]
    if action in ("openPreview", "closePreview"):
        return f"pr:{body['pullRequest']}"
    return body.get("environment")

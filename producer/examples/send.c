/*
 * A backend service of yours: creates an environment and says what became of it.
 *
 *     cc send.c $(pkg-config --cflags --libs provision) -o send
 *     ./send localhost:9092 shop production main-account aws-eu-central-1
 */
#include <stdio.h>
#include <stdlib.h>

#include <provision/provision.h>

enum { WAIT_MS = 5 * 60 * 1000 };

static int fail(const ProvisionError *error)
{
    fprintf(stderr, "%s: %s\n", error->code, error->text);
    return EXIT_FAILURE;
}

static ProvisionClient *connect_to(const char *servers, ProvisionError *error)
{
    ProvisionOptions *options = provision_options_new();
    ProvisionClient *client = NULL;
    if (provision_options_set(options, "bootstrap.servers", servers, error)) {
        client = provision_client_new(options, error);
    }
    provision_options_free(options);
    return client;
}

static int run(ProvisionClient *client, const ProvisionCommand *command)
{
    ProvisionError error;
    ProvisionEvent *event = NULL;
    printf("command %s\n", provision_command_id(command));
    if (!provision_client_run(client, command, WAIT_MS, &event, &error)) {
        return fail(&error);
    }
    printf("%s %s %s\n%s\n", provision_outcome_name(event->outcome), event->type, event->message,
           event->json);
    int status = event->outcome == PROVISION_OUTCOME_SUCCEEDED ? EXIT_SUCCESS : EXIT_FAILURE;
    provision_event_free(event);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: send SERVERS APPLICATION ENVIRONMENT ACCOUNT REGION\n");
        return EXIT_FAILURE;
    }
    ProvisionCreateEnvironment spec = {
        .environment = argv[3],
        .account = argv[4],
        .region_id = argv[5],
    };
    ProvisionError error;
    ProvisionCommand *command = provision_create_environment(argv[2], &spec, &error);
    ProvisionClient *client = command == NULL ? NULL : connect_to(argv[1], &error);
    int status = client == NULL ? fail(&error) : run(client, command);
    provision_client_free(client);
    provision_command_free(command);
    return status;
}

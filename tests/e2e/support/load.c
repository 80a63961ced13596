#include "support/load.h"

#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/wait.h"

#define CREATE_REFUSED                                                                             \
    "'createEnvironment': {'environment': '%s', 'account': 'nobody', 'regionId': '" WORLD_REGION   \
    "'}"

void load_init(Load *load)
{
    *load = (Load){.by_id = table_new()};
}

void load_clear(Load *load)
{
    table_free(load->by_id);
    load->by_id = NULL;
}

static LoadItem *add(Load *load, const char *application, const char *ends_as)
{
    assert_true(load->count < LOAD_MAX);
    assert_non_null(load->by_id);
    LoadItem *item = &load->items[load->count++];
    *item = (LoadItem){.application = application, .ends_as = ends_as};
    return item;
}

void load_create(World *world, Load *load, const char *application)
{
    LoadItem *item = add(load, application, "EnvironmentCreated");
    item->environment = world_fresh("e");
    item->id = command_send(world, application,
                            "'createEnvironment': {'environment': '%s', 'account': 'main', "
                            "'regionId': '" WORLD_REGION "'}",
                            item->environment);
    table_put(load->by_id, item->id, item);
}

void load_delete(World *world, Load *load, const char *application, const char *environment)
{
    LoadItem *item = add(load, application, "CommandRejected");
    item->id =
        command_send(world, application, "'deleteEnvironment': {'environment': '%s'}", environment);
    table_put(load->by_id, item->id, item);
}

void load_refused(World *world, Load *load, const char *application)
{
    LoadItem *item = add(load, application, "CommandRejected");
    item->id = command_send(world, application, CREATE_REFUSED, world_fresh("none"));
    table_put(load->by_id, item->id, item);
}

void load_refused_large(World *world, Load *load, const char *application, size_t header_bytes)
{
    LoadItem *item = add(load, application, "CommandRejected");
    item->id = command_new_id();
    Buffer packed = command_pack("'commandId': '%s', 'applicationId': '%s', " CREATE_REFUSED,
                                 item->id, application, world_fresh("none"));
    (void)command_send_padded(world, application, -1, buffer_view(&packed), header_bytes);
    buffer_clear(&packed);
    table_put(load->by_id, item->id, item);
}

void load_create_nowhere(World *world, Load *load, const char *application)
{
    LoadItem *item = add(load, application, "CommandRejected");
    item->id = command_send(world, application,
                            "'createEnvironment': {'environment': '%s', 'account': 'main', "
                            "'regionId': 'aws-nowhere-1'}",
                            world_fresh("none"));
    table_put(load->by_id, item->id, item);
}

void load_connect(World *world, Load *load, const char *application)
{
    LoadItem *item = add(load, application, "AccountConnected");
    item->id = command_connect(world, application, "main", world->api_key);
    table_put(load->by_id, item->id, item);
}

// Looks at what was read since it looked last.
static void take_outcomes(World *world, Load *load)
{
    for (; load->looked_at < reader_count(world->reader); load->looked_at++) {
        const Seen *seen = reader_at(world->reader, load->looked_at);
        bool is_outcome = seen_is_outcome(seen) && !seen_is_replayed(seen);
        LoadItem *item = is_outcome ? table_get(load->by_id, seen_text(seen, "commandId")) : NULL;
        if (item != NULL) {
            load->ended += item->outcomes == 0;
            item->outcomes++;
            item->type = seen_type(seen);
        }
    }
}

size_t load_ended(World *world, Load *load)
{
    reader_poll(world->reader, 10);
    take_outcomes(world, load);
    return load->ended;
}

static void expect_projects(World *world, const Load *load)
{
    REPLY reply = sandbox_state(world);
    const json_t *projects = box_find(reply.json, "projects");
    for (size_t i = 0; i < load->count; i++) {
        const LoadItem *item = &load->items[i];
        size_t found = 0;
        size_t p = 0;
        const json_t *project = NULL;
        if (item->environment == NULL) {
            continue;
        }
        const char *name = box_text("%s-%s", item->application, item->environment);
        json_array_foreach(projects, p, project)
        {
            found += strcmp(box_string(project, "name"), name) == 0;
        }
        assert_int_equal(found, 1);
    }
}

typedef struct Awaited {
    World *world;
    Load *load;
} Awaited;

static bool have_all_ended(void *context)
{
    const Awaited *awaited = context;
    return load_ended(awaited->world, awaited->load) == awaited->load->count;
}

void load_expect_ends(World *world, Load *load, int seconds)
{
    Awaited awaited = {world, load};
    wait_until(have_all_ended, &awaited, seconds, "the end of %zu commands", load->count);
    reader_read_to_end(world->reader);
    take_outcomes(world, load);
    for (size_t i = 0; i < load->count; i++) {
        const LoadItem *item = &load->items[i];
        assert_int_equal(item->outcomes, 1);
        assert_string_equal(item->type, item->ends_as);
    }
    expect_projects(world, load);
    reader_assert_sequences(world->reader);
}

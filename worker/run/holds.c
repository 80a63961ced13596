#include "run/holds.h"

#include <assert.h>

Holds holds_of(Hold limit)
{
    Holds holds = {.limit = limit};
    holds_divide(&holds, 1);
    return holds;
}

static size_t share_of(size_t limit, size_t partitions)
{
    size_t share = limit / 2 / partitions;
    return share > 0 ? share : 1;
}

static size_t less(size_t whole, size_t part)
{
    return whole > part ? whole - part : 0;
}

void holds_divide(Holds *holds, size_t partitions)
{
    size_t count = partitions > 0 ? partitions : 1;
    holds->share.commands = share_of(holds->limit.commands, count);
    holds->share.bytes = share_of(holds->limit.bytes, count);
    holds->common.commands = less(holds->limit.commands, holds->share.commands * count);
    holds->common.bytes = less(holds->limit.bytes, holds->share.bytes * count);
    holds->beyond = (Hold){0};
    holds->all = (Hold){0};
}

static Hold beyond_of(const Holds *holds, const Hold *partition)
{
    return (Hold){less(partition->commands, holds->share.commands),
                  less(partition->bytes, holds->share.bytes)};
}

static void add(Hold *to, Hold more)
{
    to->commands += more.commands;
    to->bytes += more.bytes;
}

static void subtract(Hold *from, Hold part)
{
    assert(from->commands >= part.commands && from->bytes >= part.bytes);
    from->commands -= part.commands;
    from->bytes -= part.bytes;
}

void holds_adopt(Holds *holds, const Hold *partition)
{
    add(&holds->beyond, beyond_of(holds, partition));
    add(&holds->all, *partition);
}

static void leave_out(Holds *holds, const Hold *partition)
{
    subtract(&holds->beyond, beyond_of(holds, partition));
    subtract(&holds->all, *partition);
}

void holds_take(Holds *holds, Hold *partition, size_t bytes)
{
    leave_out(holds, partition);
    add(partition, (Hold){1, bytes});
    holds_adopt(holds, partition);
}

void holds_give(Holds *holds, Hold *partition, size_t bytes)
{
    leave_out(holds, partition);
    subtract(partition, (Hold){1, bytes});
    holds_adopt(holds, partition);
}

bool holds_is_full(const Holds *holds, const Hold *partition)
{
    bool has_many = partition->commands >= holds->share.commands &&
                    holds->beyond.commands >= holds->common.commands;
    bool has_much =
        partition->bytes >= holds->share.bytes && holds->beyond.bytes >= holds->common.bytes;
    return partition->commands > 0 && (has_many || has_much);
}

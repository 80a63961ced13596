/*
 * Publish once: three commands and one repeat on one partition, two workers, the ledger, and Kafka
 * with its group, its transactions and its read_committed readers. Is each outcome visible once and
 * in order, and is the state topic never taken back?
 *
 *   offset 0  command 0, subject T        (keeps the committed offset low, so the map matters)
 *   offset 1  command 1, subject S
 *   offset 2  command 2, subject S
 *   offset 3  command 1 again: the producer sent it twice
 *
 * What a command does is left out (effect.pml): to execute is to claim and to conclude. The group
 * is the classic one with an eager assignor: all members revoke, join, and the generation grows when
 * all have joined or the missing ones are out. Offsets that an open transaction has accepted are
 * pending until it ends; a lost map keeps the committed offset. A freeze is a worker that takes no
 * step; the group may then go on without it, and the coordinator may abort its transaction.
 */
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef REBALANCES
#define REBALANCES 0
#endif
#ifndef OUTS                   /* members the group gives up (freeze, or a lost network) */
#define OUTS 0
#endif
#ifndef ABORTS                 /* transactions that abort for another reason */
#define ABORTS 0
#endif
#ifndef MAP_LOSSES
#define MAP_LOSSES 0
#endif
#ifndef RECORDS
#define RECORDS 3
#endif

#define W 2
#define O 4
#define AT(w, o) ((w) * O + (o))
#define COMMAND(o) ((o) == 3 -> 1 : (o))
#define BIT(o) (1 << (o))

mtype:life = { No, Waiting, Running, Queued, Published };
mtype:kind = { First, NoState, Replayed, Silent };
mtype:pub = { Ready, Begun, Accepted, Ended, Fatal };

/* ledger */
bool done[3];
bool published_at[3];
byte at[3] = 9;                /* coordinates of the first claim */
byte epoch[3];
byte sequence[3];
byte subject_sequence;         /* subject S */

/* Kafka: the group and the partition */
byte generation = 1;
byte owner = 9;
bool member[W];                /* known to the group in this generation */
bool joined[W];
bool rebalancing = 1;
byte committed;                /* finished offsets, as committed offset and map tell */
bool pending[W];               /* offset and map accepted by an open transaction */
byte offered[W];               /* ... their content */
/* Kafka: what read_committed readers saw */
byte events[3];                /* not marked replayed */
byte last_sequence;
byte state_sequence;

/* workers: the loop */
bool assigned[W];
byte gen[W];                   /* generation of the assignment */
byte knows[W];                 /* generation the consumer is in now */
byte tracker[W];               /* finished offsets of the assignment */
byte next[W];                  /* next offset to be delivered */
mtype:life life[W * O] = No;
bool attached[W * O];          /* delivered in the current assignment */
byte ep[W * O];
mtype:kind kind[W * O] = First;
byte to_mark[W];               /* commands whose published_at is to be set */
/* workers: the publisher */
mtype:pub pub[W] = Ready;
byte batch[W];                 /* offsets in the open transaction */
byte line[W * O] = 9;          /* outcomes that wait, in order */
byte line_gen[W * O];          /* ... and the generation of the assignment each belongs to */
byte length[W];

byte crashes = CRASHES, rebalances = REBALANCES, outs = OUTS, aborts = ABORTS;
byte losses = MAP_LOSSES;
bool crashed_unmarked;         /* a crash between Kafka commit and published_at */

#define FREED(w, o) (life[AT(w, o)] == Published || life[AT(w, o)] == Queued || \
                     (tracker[w] & BIT(o)))
#ifdef NO_HANDSHAKE
#define PUBLISHER_ANSWERED(w) true
#else
#define PUBLISHER_ANSWERED(w) (pub[w] == Ready)
#endif
#ifdef READ_UNSTABLE
#define STABLE true
#else
#define STABLE (!pending[0] && !pending[1])
#endif
#ifdef STATE_ALWAYS
#define IS_CURRENT(c) true
#else
#define IS_CURRENT(c) ((c) == 0 || sequence[c] == subject_sequence)
#endif
#define OF(w, i) (batch[w] <= (i) || line_gen[AT(w, i)] == generation)
#define OF_THIS_GENERATION(w) (OF(w, 0) && OF(w, 1) && OF(w, 2) && OF(w, 3))
/* lanes: offsets 1, 2 and 3 write the same subject */
#define LANE(w, o) ((o) < 2 || (FREED(w, 1) && ((o) < 3 || FREED(w, 2))))

inline outbox_put(w, o, k)
{
    kind[AT(w, o)] = k;
    line[AT(w, length[w])] = o;
    line_gen[AT(w, length[w])] = gen[w];
    length[w]++;
    life[AT(w, o)] = Queued
}

inline drop_revoked(w)
{
    line[AT(w, 0)] = 9; line[AT(w, 1)] = 9; line[AT(w, 2)] = 9; line[AT(w, 3)] = 9;
    line_gen[AT(w, 0)] = 0; line_gen[AT(w, 1)] = 0; line_gen[AT(w, 2)] = 0; line_gen[AT(w, 3)] = 0;
    length[w] = 0; batch[w] = 0
}

inline flight_detach(w, o)     /* at revoke: only a running command stays in memory */
{
    if
    :: life[AT(w, o)] == Running -> skip
    :: else -> life[AT(w, o)] = No; ep[AT(w, o)] = 0
    fi;
    attached[AT(w, o)] = 0; kind[AT(w, o)] = First
}

inline intake_revoked(w)
{
    assigned[w] = 0; gen[w] = 0; next[w] = 0;
#ifndef META_AT_SEND
    tracker[w] = 0;
#endif
    flight_detach(w, 0); flight_detach(w, 1); flight_detach(w, 2); flight_detach(w, 3)
}

inline flight_claim(w, o)
{
    c = COMMAND(o);
    if
    :: done[c] && at[c] == o && !published_at[c] && IS_CURRENT(c) -> outbox_put(w, o, First)
    :: done[c] && at[c] == o && !published_at[c] && !IS_CURRENT(c) -> outbox_put(w, o, NoState)
    :: done[c] && at[c] == o && published_at[c] -> outbox_put(w, o, Silent)
#ifdef PUBLISHED_AT_FIRST
    :: done[c] && at[c] != o && !published_at[c] -> outbox_put(w, o, First)
    :: done[c] && at[c] != o && published_at[c] -> outbox_put(w, o, Replayed)
#else
    :: done[c] && at[c] != o -> outbox_put(w, o, Replayed)
#endif
    :: !done[c] ->
        epoch[c]++;
        ep[AT(w, o)] = epoch[c];
        at[c] = (at[c] == 9 -> o : at[c]);
        life[AT(w, o)] = Running
    fi;
    c = 0
}

inline flight_conclude(w, o)
{
    c = COMMAND(o);
    if
    :: epoch[c] == ep[AT(w, o)] && !done[c] ->
        done[c] = 1;
        if
        :: c > 0 -> subject_sequence++; sequence[c] = subject_sequence
        :: else -> skip
        fi
    :: else -> skip
    fi;
    ep[AT(w, o)] = 0;
    if
#ifdef META_AT_SEND
    :: done[c] && length[w] < O && epoch[c] > 0 -> outbox_put(w, o, First)
    :: else -> life[AT(w, o)] = No
#else
    /* still its owner: flight_claim again, the row says what to publish, or it is claimed anew */
    :: attached[AT(w, o)] && (done[c] || gen[w] == generation) -> life[AT(w, o)] = Waiting
    :: !(attached[AT(w, o)] && (done[c] || gen[w] == generation)) -> life[AT(w, o)] = No
#endif
    fi;
    c = 0
}

inline the_outcome_appears(o, w)  /* one outcome becomes visible */
{
    c = COMMAND(o);
    if
    :: kind[AT(w, o)] == First || kind[AT(w, o)] == NoState ->
#if MAP_LOSSES == 0
        assert(events[c] == 0);                            /* exactly once */
#else
#ifdef ONLY_AFTER_CRASH
        assert(events[c] == 0 || crashed_unmarked);
#endif
#endif
        if
        :: c > 0 && events[c] == 0 ->
            assert(sequence[c] == last_sequence + 1);      /* in order, no gap */
            last_sequence = sequence[c]
        :: else -> skip
        fi;
        events[c] = (events[c] < 2 -> events[c] + 1 : 2);
        if
        :: c > 0 && kind[AT(w, o)] == First ->
#ifndef STATE_MAY_GO_BACK
            assert(sequence[c] >= state_sequence);         /* the state topic never goes back */
#endif
            state_sequence = sequence[c]
        :: else -> skip
        fi
    :: else -> skip
    fi;
    c = 0
}

inline the_transaction_ends(w)
{
    i = 0;
    do
    :: i < O && i < batch[w] -> the_outcome_appears(line[AT(w, i)], w); i++
    :: else -> break
    od;
    assert((offered[w] & committed) == committed);         /* offset and map never go back */
    committed = offered[w];
    pending[w] = 0;
    offered[w] = 0;
    i = 0
}

inline send_offsets(w)         /* TxnOffsetCommit: what is finished once this batch is out */
{
    i = 0;
    offered[w] = tracker[w];
    do
    :: i < O && i < batch[w] -> offered[w] = offered[w] | BIT(line[AT(w, i)]); i++
    :: else -> break
    od;
    i = 0;
    pending[w] = 1;
    pub[w] = Accepted
}

inline outbox_published(w)     /* the loop hears that the batch is out */
{
    i = 0;
    do
    :: i < O && i < batch[w] ->
        life[AT(w, line[AT(w, i)])] = Published;
        tracker[w] = tracker[w] | BIT(line[AT(w, i)]);
        if
        :: kind[AT(w, line[AT(w, i)])] == First || kind[AT(w, line[AT(w, i)])] == NoState ->
            to_mark[w] = to_mark[w] | BIT(COMMAND(line[AT(w, i)]))
        :: else -> skip
        fi;
        i++
    :: else -> break
    od;
    i = 0;
    do
    :: i + batch[w] < O ->
        line[AT(w, i)] = line[AT(w, i + batch[w])];
        line_gen[AT(w, i)] = line_gen[AT(w, i + batch[w])];
        i++
    :: else -> break
    od;
    do
    :: i < O -> line[AT(w, i)] = 9; line_gen[AT(w, i)] = 0; i++
    :: else -> break
    od;
    length[w] = length[w] - batch[w];
    batch[w] = 0;
    i = 0
}

#define DELIVER(o) atomic { assigned[w] && next[w] == o && o < RECORDS -> \
        next[w] = o + 1; \
        if \
        :: tracker[w] & BIT(o) -> skip \
        :: !(tracker[w] & BIT(o)) && life[AT(w, o)] == No -> \
            life[AT(w, o)] = Waiting; attached[AT(w, o)] = 1 \
        :: !(tracker[w] & BIT(o)) && life[AT(w, o)] != No -> attached[AT(w, o)] = 1 \
        fi }
#define START(o) atomic { life[AT(w, o)] == Waiting && LANE(w, o) && length[w] < O -> \
        flight_claim(w, o) }
#define CONCLUDE(o) atomic { life[AT(w, o)] == Running -> flight_conclude(w, o) }

inline the_process_ends(w)     /* memory is gone; the process starts and joins again */
{
    crashed_unmarked = crashed_unmarked || to_mark[w] != 0 || pub[w] == Ended;
    drop_revoked(w);
    intake_revoked(w);
    tracker[w] = 0;
    life[AT(w, 0)] = No; life[AT(w, 1)] = No; life[AT(w, 2)] = No; life[AT(w, 3)] = No;
    ep[AT(w, 0)] = 0; ep[AT(w, 1)] = 0; ep[AT(w, 2)] = 0; ep[AT(w, 3)] = 0;
    to_mark[w] = 0; knows[w] = 0; member[w] = 0; joined[w] = 0;
    rebalancing = 1
}

proctype Worker(byte w)
{
    byte c, i;
end:
    do
    /* join: what was assigned is given back first, and the publisher has answered */
    :: atomic { rebalancing && !joined[w] && PUBLISHER_ANSWERED(w) ->
#ifndef NO_HANDSHAKE
        drop_revoked(w);
#endif
        intake_revoked(w); joined[w] = 1 }

    /* the new owner reads committed offset and map, then assigns */
    :: atomic { !rebalancing && owner == w && member[w] && !assigned[w] &&
                knows[w] == generation && STABLE ->
        assigned[w] = 1; gen[w] = generation; tracker[w] = committed; next[w] = 0 }

    /* a member that is out notices that its assignment is lost */
    :: atomic { !member[w] && assigned[w] && pub[w] == Ready -> drop_revoked(w); intake_revoked(w) }

    :: DELIVER(0) :: DELIVER(1) :: DELIVER(2) :: DELIVER(3)
    :: START(0) :: START(1) :: START(2) :: START(3)
    :: CONCLUDE(0) :: CONCLUDE(1) :: CONCLUDE(2) :: CONCLUDE(3)

    /* publisher */
    :: atomic { pub[w] == Ready && length[w] > 0 -> batch[w] = length[w]; pub[w] = Begun }
    :: atomic { pub[w] == Begun ->
        if
#ifdef META_AT_SEND
        :: member[w] && knows[w] == generation -> send_offsets(w)
        :: !(member[w] && knows[w] == generation) ->
            drop_revoked(w); pub[w] = Ready; intake_revoked(w)
#else
        :: member[w] && OF_THIS_GENERATION(w) -> send_offsets(w)
        :: !(member[w] && OF_THIS_GENERATION(w)) ->   /* ILLEGAL_GENERATION: drop_generation */
            drop_revoked(w); pub[w] = Ready;
            intake_revoked(w)
#endif
        fi }
    :: atomic { (pub[w] == Begun || (pub[w] == Accepted && pending[w])) && aborts > 0 ->
        aborts--; pending[w] = 0; offered[w] = 0; batch[w] = 0; pub[w] = Ready }
    :: atomic { pub[w] == Accepted && pending[w] -> the_transaction_ends(w); pub[w] = Ended }
    /* aborted by the coordinator */
    :: atomic { pub[w] == Accepted && !pending[w] -> pub[w] = Fatal }
    :: atomic { pub[w] == Ended -> outbox_published(w); pub[w] = Ready }
    :: atomic { pub[w] == Fatal -> the_process_ends(w); pub[w] = Ready }
    :: atomic { to_mark[w] != 0 ->
        published_at[0] = published_at[0] || (to_mark[w] & 1);
        published_at[1] = published_at[1] || (to_mark[w] & 2);
        published_at[2] = published_at[2] || (to_mark[w] & 4);
        to_mark[w] = 0 }
    od
}

proctype Group()
{
end:
    do
    :: atomic { rebalancing && (joined[0] || !member[0]) && (joined[1] || !member[1]) &&
                (joined[0] || joined[1]) ->
        rebalancing = 0;
        generation++;
        member[0] = joined[0]; member[1] = joined[1];
        if
        :: member[0] -> owner = 0
        :: member[1] -> owner = 1
        fi;
        if
        :: joined[0] -> knows[0] = generation
        :: else -> skip
        fi;
        if
        :: joined[1] -> knows[1] = generation
        :: else -> skip
        fi;
        joined[0] = 0; joined[1] = 0 }
    :: atomic { !rebalancing && rebalances > 0 -> rebalances--; rebalancing = 1 }
    :: atomic { outs > 0 && member[0] && !joined[0] -> outs--; member[0] = 0; rebalancing = 1 }
    :: atomic { outs > 0 && member[1] && !joined[1] -> outs--; member[1] = 0; rebalancing = 1 }
    /* an open transaction whose holder is away, or started again, is aborted */
    :: atomic { pending[0] && (!member[0] || pub[0] != Accepted) -> pending[0] = 0; offered[0] = 0 }
    :: atomic { pending[1] && (!member[1] || pub[1] != Accepted) -> pending[1] = 0; offered[1] = 0 }
    od
}

proctype Chaos()
{
end:
    do
    :: atomic { crashes > 0 -> crashes--; the_process_ends(0); pub[0] = Ready }
    :: atomic { crashes > 0 -> crashes--; the_process_ends(1); pub[1] = Ready }
    :: atomic { losses > 0 && committed != 0 -> losses--;
        committed = (committed == 15 -> 15 :
                    ((committed & 7) == 7 -> 7 : ((committed & 3) == 3 -> 3 : (committed & 1)))) }
    od
}

proctype Judge()
{
    atomic { committed == (1 << RECORDS) - 1 && length[0] == 0 && length[1] == 0 &&
             pub[0] == Ready && pub[1] == Ready ->
        assert(events[0] > 0 && events[1] > 0 && events[2] > 0);
        assert(state_sequence == subject_sequence) }
}

init
{
    atomic { run Worker(0); run Worker(1); run Group(); run Chaos(); run Judge() }
}

/*
 * Several partitions, one producer each, follow-up commands. Two workers; partition 0 carries
 * command 0, whose outcome holds a follow-up (command 2) for an application on partition 1;
 * partition 1 carries command 1, then each follow-up that was ever published. One transaction of a
 * worker takes outcomes of both partitions, each with its partition's offset. Is each outcome
 * visible once, is the follow-up executed once, and does no partition's offset go back?
 *
 * With SAME_ID both processes were given one transactional.id: whoever starts fences the other, whose
 * open transaction aborts; a process that is fenced ends (status 75) and starts again. A commit whose
 * reply is lost is fatal, too. Group, transactions and ledger as in publish.pml, smaller: a rebalance
 * is one step that takes all partitions back and gives out each anew.
 */
#ifndef REBALANCES
#define REBALANCES 0
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef LOST_COMMITS           /* commits whose reply is lost */
#define LOST_COMMITS 0
#endif
#ifndef MAP_LOSSES             /* committed offsets of a partition are lost */
#define MAP_LOSSES 0
#endif
#define W 2
#define PARTITIONS 2
#define C 3
#define LENGTH 2               /* of partition 1, at most: beyond it a follow-up counts as a fault */

mtype:txn = { None, Open, Offered, Fatal };

/* the ledger */
bool done[C];
bool published_at[C];
byte executed[C];

/* Kafka */
byte owner[PARTITIONS];
byte generation = 1;
byte committed[PARTITIONS];
byte follow_ups;               /* on partition 1, behind command 1 */
byte events[C];                /* read_committed, not marked as replayed */
byte producer_epoch[W];        /* as the broker knows them; with SAME_ID the first counts for both */

/* workers */
bool assigned[W * PARTITIONS];
byte gen[W * PARTITIONS];
byte position[W * PARTITIONS]; /* next record of the assignment */
mtype:txn txn[W] = None;
byte my_epoch[W];
bool in_batch[W * PARTITIONS]; /* the record at `position` of that partition is in the batch */
bool offers[W * PARTITIONS];   /* ... and its offset */
byte carries[W];               /* generation of the metadata that goes with the offsets */

byte rebalances = REBALANCES, crashes = CRASHES, lost = LOST_COMMITS, losses = MAP_LOSSES;

#define AT(w, p) ((w) * PARTITIONS + (p))
#ifdef SAME_ID
#define ID(w) 0
#else
#define ID(w) (w)
#endif
#define COMMAND(p, offset) ((p) == 0 -> 0 : ((offset) == 0 -> 1 : 2))
#define END(p) ((p) == 0 -> 1 : 1 + follow_ups)
#define PENDING(p) ((txn[0] == Offered && offers[AT(0, p)]) || \
                    (txn[1] == Offered && offers[AT(1, p)]))

inline drop_revoked(w)
{
    in_batch[AT(w, 0)] = 0; in_batch[AT(w, 1)] = 0; offers[AT(w, 0)] = 0; offers[AT(w, 1)] = 0;
    carries[w] = 0;
    txn[w] = (txn[w] == Fatal -> Fatal : None)
}

inline intake_revoked(w, p)
{
    assigned[AT(w, p)] = 0; gen[AT(w, p)] = 0; position[AT(w, p)] = 0
}

/* rd_kafka_init_transactions: fences whoever has the id, and aborts what is open */
inline txn_prepare(w)
{
    producer_epoch[ID(w)]++;
    my_epoch[w] = producer_epoch[ID(w)];
#ifdef SAME_ID
    if
    :: txn[1 - w] == Offered || txn[1 - w] == Open -> txn[1 - w] = Fatal
    :: else -> skip
    fi
#endif
}

inline the_process_ends(w)
{
    txn[w] = None;
    drop_revoked(w);
    intake_revoked(w, 0); intake_revoked(w, 1);
    my_epoch[w] = 0
}

/* Executes the record whose turn it is: claims and concludes, or finds it finished. */
inline flight_claim(w, p)
{
    c = COMMAND(p, position[AT(w, p)]);
#ifdef FRESH_ID                /* each copy of the follow-up is a command of its own */
    executed[c] = (done[c] && !(p == 1 && position[AT(w, 1)] == 2) -> executed[c] : executed[c] + 1);
#else
    executed[c] = (done[c] -> executed[c] : executed[c] + 1);
#endif
    done[c] = 1;
    c = 0
}

inline take_batch(w)
{
    txn[w] = Open;
    carries[w] = (in_batch[AT(w, 0)] -> gen[AT(w, 0)] : gen[AT(w, 1)])
}

inline send_offsets(w)
{
    if
    :: my_epoch[w] != producer_epoch[ID(w)] -> txn[w] = Fatal          /* fenced */
    :: my_epoch[w] == producer_epoch[ID(w)] && carries[w] != generation -> drop_revoked(w)
    :: my_epoch[w] == producer_epoch[ID(w)] && carries[w] == generation ->
        offers[AT(w, 0)] = in_batch[AT(w, 0)];
#ifdef ONE_OFFSET
        offers[AT(w, 1)] = in_batch[AT(w, 1)] && !in_batch[AT(w, 0)];
#else
        offers[AT(w, 1)] = in_batch[AT(w, 1)];
#endif
        txn[w] = Offered
    fi
}

inline the_record_appears(w, p)
{
    c = COMMAND(p, position[AT(w, p)]);
    if
    :: !published_at[c] ->
#if MAP_LOSSES == 0
        assert(events[c] == 0);
#endif
        events[c] = 1;
#ifndef FOLLOW_UP_ASIDE
        follow_ups = (c == 0 && follow_ups < LENGTH -> follow_ups + 1 : follow_ups)
#endif
    :: else -> skip
    fi;
    c = 0
}

inline outbox_published(w, p)
{
    if
    :: in_batch[AT(w, p)] ->
        published_at[COMMAND(p, position[AT(w, p)])] = 1;
        position[AT(w, p)]++;
        in_batch[AT(w, p)] = 0
    :: else -> skip
    fi
}

inline the_transaction_ends(w)
{
    p = 0;
    do
    :: p < PARTITIONS ->
        if
        :: in_batch[AT(w, p)] -> the_record_appears(w, p)
        :: else -> skip
        fi;
        if
        :: offers[AT(w, p)] ->
            assert(position[AT(w, p)] + 1 > committed[p]);             /* never back */
            committed[p] = position[AT(w, p)] + 1
        :: else -> skip
        fi;
        p++
    :: else -> break
    od;
    p = 0;
    offers[AT(w, 0)] = 0; offers[AT(w, 1)] = 0
}

inline txn_run(w)              /* rd_kafka_commit_transaction */
{
    if
    :: my_epoch[w] != producer_epoch[ID(w)] -> txn[w] = Fatal
    :: my_epoch[w] == producer_epoch[ID(w)] ->
        the_transaction_ends(w);
        if
        :: outbox_published(w, 0); outbox_published(w, 1); txn[w] = None; carries[w] = 0
        :: lost > 0 -> lost--; txn[w] = Fatal
        fi
    fi
}

/* A fatal error ends the process, and nothing is published again from memory. */
inline on_fatal(w)
{
#ifdef REPUBLISH
    txn_prepare(w);
    txn[w] = Open
#else
    the_process_ends(w)
#endif
}

#define TAKE(p) atomic { assigned[AT(w, p)] && txn[w] == None && !in_batch[AT(w, p)] && \
        position[AT(w, p)] < END(p) && events[2] < 2 -> \
        flight_claim(w, p); \
        in_batch[AT(w, p)] = 1 }
#define READ(p) atomic { owner[p] == w && !assigned[AT(w, p)] && my_epoch[w] > 0 && !PENDING(p) -> \
        assigned[AT(w, p)] = 1; gen[AT(w, p)] = generation; position[AT(w, p)] = committed[p] }

proctype Worker(byte w)
{
    byte c, p;
end:
    do
    :: atomic { my_epoch[w] == 0 && producer_epoch[ID(w)] < 4 -> txn_prepare(w) }
    :: READ(0) :: READ(1)
    :: TAKE(0) :: TAKE(1)
    :: atomic { txn[w] == None && (in_batch[AT(w, 0)] || in_batch[AT(w, 1)]) -> take_batch(w) }
    :: atomic { txn[w] == Open -> send_offsets(w) }
    :: atomic { txn[w] == Offered -> txn_run(w) }
    :: atomic { txn[w] == Fatal && producer_epoch[ID(w)] < 4 -> on_fatal(w) }
#ifdef FOLLOW_UP_ASIDE
    /* sent by itself as soon as its command is done */
    :: atomic { done[0] && in_batch[AT(w, 0)] && follow_ups < LENGTH && txn[w] == None ->
        follow_ups++ }
#endif
    od
}

/* Each worker lets go of all; what is in an open transaction was accepted, or is dropped. */
inline the_group_rebalances()
{
    generation++;
    drop_revoked(0); drop_revoked(1);
    intake_revoked(0, 0); intake_revoked(0, 1); intake_revoked(1, 0); intake_revoked(1, 1);
    if
    :: owner[0] = 0
    :: owner[0] = 1
    fi;
    if
    :: owner[1] = 0
    :: owner[1] = 1
    fi
}

proctype Group()
{
end:
    do
    :: atomic { rebalances > 0 && txn[0] != Offered && txn[1] != Offered ->
        rebalances--;
        the_group_rebalances() }
    :: atomic { losses > 0 && committed[0] > 0 && txn[0] != Offered && txn[1] != Offered ->
        losses--;
        committed[0] = 0;
        the_group_rebalances() }
    :: atomic { crashes > 0 -> crashes--; the_process_ends(0) }
    od
}

proctype Judge()
{
#ifdef SAME_ID
end:                           /* two live processes of one id may fence each other for ever */
#endif
    atomic { committed[0] == 1 && committed[1] == END(1) && follow_ups > 0 &&
             txn[0] == None && txn[1] == None ->
        assert(events[0] == 1 && events[1] == 1 && events[2] == 1);
        assert(executed[0] == 1 && executed[1] == 1 && executed[2] == 1) }
}

init
{
    atomic { run Worker(0); run Worker(1); run Group(); run Judge() }
}

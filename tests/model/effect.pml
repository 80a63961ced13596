/*
 * Effect once: one command, two workers, one ledger row, Neon. Is there exactly one project in the
 * end, and none after an undo? With UNIQUE the name protects the call, as a branch's does.
 *
 * A worker is a row of guarded steps; pc[w] is its position, so a crash is "pc = Idle", and a
 * freeze (SIGSTOP, a paused machine) is a worker that takes no step while Tick goes on. A ledger
 * statement is one atomic step. Time is relative: every bound is a countdown that Tick lowers.
 *
 * One tick is the unit of all bounds. A request is sent while elapsed < SEND (neon.send_window),
 * takes effect within DELIVER of being sent or never (neon.request_timeout), and every listing shows
 * it LAG after it took effect (neon.listing_lag); before that one may or may not. SETTLE is the first
 * moment at which nothing of an intent can still appear; SLACK moves it, to show that it is exact.
 */
#ifndef SLACK
#define SLACK 0
#endif
#define SEND 1
#define DELIVER 2
#define LAG 1
#define SETTLE ((SEND - 1) + (DELIVER - 1) + LAG + SLACK)

#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef REBALANCES
#define REBALANCES 0
#endif
#ifndef LOST_STATEMENTS        /* ledger statements whose reply is lost */
#define LOST_STATEMENTS 0
#endif
#ifndef ZOMBIE_CLAIMS          /* claims by a worker that has not noticed its loss */
#define ZOMBIE_CLAIMS 0
#endif
#ifndef STOPS                  /* stop marks */
#define STOPS 0
#endif
#ifndef FAILURES               /* a later step fails: the command undoes */
#define FAILURES 0
#endif

#define W 2                    /* workers */
#define P 3                    /* projects ever made */
#define R 3                    /* requests on the wire */
#define DELETED 9              /* what an intent may have taught, beside a project's id */

mtype:step = { Idle, Claim, ReadBack, Next, Wait, List, Duplicates, Open, Send, Write, Reply, Close,
               Save, Conclude, Publish, Stale };
mtype:thing = { None, Alive, Gone };
mtype:wire = { Free, Flying, Answered };
mtype:way = { Forward, Undo, Rejected };

/* the ledger's row of the command */
byte epoch;
bool done;                     /* an outcome is concluded */
bool outcome_created;          /* ... and it is "created" (else "cancelled" or "failed") */
bool stop;
bool undo;                     /* direction */
byte journal;                  /* the project it names, 0 = none */
bool had_intent;
bool i_open;                   /* the intent */
byte i_epoch;
bool i_settles;                /* it creates; a deletion by exact id needs no waiting */
byte i_left;                   /* until nothing of it can still appear */
byte i_result;                 /* what its close taught */
byte u_left;                   /* the same, for intents that were passed over while open */

/* Kafka: who owns the partition, as an assignment number; consumed = published and marked */
byte owner;
byte assignment = 1;
bool consumed;

/* workers: what each keeps in memory */
mtype:step pc[W] = Idle;
byte had[W];                   /* assignment that delivered (or delivered again) the record */
byte ep[W];                    /* epoch of its claim */
byte id[W];                    /* its journal */
mtype:way way[W] = Forward;
bool stopped[W];               /* it has heard of the mark */
bool intent[W];                /* open, as far as it knows */
bool passed[W];                /* it went on while one was */
bool creates[W];               /* the call under way: creates, or deletes ... */
byte target[W];                /* ... this project */
byte taught[W];
byte sb[W];                    /* until its sent_before */
byte slot[W];

/* Neon */
mtype:thing p_is[P + 1] = None;
byte p_lag[P + 1];
mtype:wire r_is[R] = Free;
bool r_create[R];
byte r_id[R];                  /* deletion: target. answered creation: id, or 0 for 409 */
byte r_left[R];
byte r_who[R];                 /* who waits, + 1; 0 = nobody any more */

byte crashes = CRASHES, rebalances = REBALANCES, lost = LOST_STATEMENTS;
byte zombie = ZOMBIE_CLAIMS, stops = STOPS, failures = FAILURES;

#ifdef NO_EPOCH_GUARD
#define MINE(w) (!done)
#else
#define MINE(w) (epoch == ep[w] && !done)
#endif
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define UNSETTLED (i_open && i_settles -> i_left : 0)
#define IS_OWNER(w) (owner == w && had[w] == assignment)

#ifdef UNIQUE
#define READS_ON(w) (way[w] == Forward)
#else
#ifdef NO_WAIT
#define READS_ON(w) (i_epoch != ep[w])
#else
#ifdef NO_OWN_WAIT
#define READS_ON(w) (i_epoch == ep[w])
#else
#define READS_ON(w) false
#endif
#endif
#endif
#ifdef UNDO_AT_ONCE
#define UNDO_WAITS(w) false
#else
#ifdef PASS_UNREAD_CLOSE
#define UNDO_WAITS(w) (way[w] == Undo && (u_left > 0 || UNSETTLED > 0))
#else
#define UNDO_WAITS(w) (way[w] == Undo && \
                       (u_left > 0 || ((intent[w] || passed[w]) && i_settles && i_left > 0)))
#endif
#endif
/* saga_next's must_wait */
#define MUST_WAIT(w) ((intent[w] && i_settles && i_left > 0 && !READS_ON(w) && \
                       !(way[w] == Undo && !UNDO_WAITS(w))) || UNDO_WAITS(w))

/* A complete listing: the oldest project with our mark but for `except`; 0 = none seen. */
inline the_listing(w, except)
{
    target[w] = 0;
    i = 1;
    do
    :: i > P -> break
    :: else ->
        if
        :: i != except && target[w] == 0 && p_is[i] == Alive -> target[w] = i
        :: i != except && target[w] == 0 && p_is[i] == Alive && p_lag[i] > 0 -> skip
        :: i != except && target[w] == 0 && p_is[i] == Gone && p_lag[i] > 0 -> target[w] = i
        :: i == except || target[w] != 0 || p_is[i] != Alive -> skip
        fi;
        i++
    od;
    i = 0
}

/* "The younger one is the duplicate", as opposed to "what the journal does not name is". */
inline the_listing_for_younger(w)
{
    target[w] = 0;
    first = 0;
    i = 1;
    do
    :: i > P -> break
    :: else ->
        if
        :: p_is[i] == Alive && first == 0 -> first = i
        :: p_is[i] == Alive && first != 0 -> target[w] = i
        :: p_is[i] == Alive && p_lag[i] > 0 -> skip
        :: p_is[i] != Alive -> skip
        fi;
        i++
    od;
    i = 0;
    first = 0
}

inline the_request(w)
{
    s = 0;
    do
    :: s < R && r_is[s] != Free -> s++
    :: else -> break
    od;
    r_is[s] = Flying;
    r_create[s] = creates[w];
    r_id[s] = target[w];
    r_left[s] = DELIVER;
    r_who[s] = w + 1;
    slot[w] = s;
    s = 0
}

inline the_request_goes(s)
{
    r_is[s] = Free; r_create[s] = 0; r_id[s] = 0; r_left[s] = 0; r_who[s] = 0
}

inline the_caller_goes(w)
{
    if
    :: r_is[slot[w]] == Answered -> the_request_goes(slot[w])
    :: else -> r_who[slot[w]] = 0
    fi;
    slot[w] = 0
}

#define ROOM (r_is[0] == Free || r_is[1] == Free || r_is[2] == Free)

inline flight_drop(w)          /* what a worker keeps when it stops: nothing */
{
    pc[w] = Idle; ep[w] = 0; id[w] = 0; way[w] = Forward; stopped[w] = 0; intent[w] = 0; passed[w] = 0;
    creates[w] = 0; target[w] = 0; taught[w] = 0; sb[w] = 0; slot[w] = 0
}

inline journal_merge(w)        /* a result that its closer could not put into the journal */
{
    if
    :: !i_open && i_result != 0 -> id[w] = (i_result == DELETED -> 0 : i_result)
    :: else -> skip
    fi
}

inline saga_begin(w)
{
    ep[w] = epoch;
    id[w] = journal;
#ifndef NO_DIRECTION
    way[w] = (undo -> Undo : Forward);
#endif
    stopped[w] = stop;
    intent[w] = i_open;
    journal_merge(w);
    pc[w] = Next
}

inline flight_claim(w)
{
    if
    :: done -> pc[w] = Publish
#ifdef CRASH_LOOP_AT_ONCE
    :: !done && epoch > 0 && i_open -> done = 1; pc[w] = Publish
#endif
    :: else ->
        epoch++;
        if
        :: saga_begin(w)
        :: lost > 0 -> lost--;
#ifdef READ_BACK_CLAIM
            pc[w] = ReadBack
#else
            skip                                /* claimed again */
#endif
        fi
    fi
}

inline pass_intent(w)
{
    passed[w] = (passed[w] || intent[w]);
    intent[w] = 0
}

inline ask_steps(w)
{
    pc[w] = (id[w] != 0 -> Duplicates : List)
}

inline ask_undo(w)
{
#ifdef UNDO_FINISHED_STEPS_ONLY
    pc[w] = (id[w] != 0 -> Open : Conclude);
#else
    pc[w] = (id[w] != 0 -> Open : List);
#endif
    target[w] = id[w]
}

inline turn(w)
{
    if
    :: had_intent -> pc[w] = Save
    :: else -> way[w] = Rejected; pc[w] = Conclude
    fi
}

inline saga_next(w)
{
    if
    :: stopped[w] && way[w] == Forward -> turn(w)
    :: !(stopped[w] && way[w] == Forward) && MUST_WAIT(w) -> pc[w] = Wait
    :: !(stopped[w] && way[w] == Forward) && !MUST_WAIT(w) ->
        pass_intent(w);
        if
        :: way[w] == Forward -> ask_steps(w)
        :: else -> ask_undo(w)
        fi
    fi
}

inline on_looked(w)            /* the present owner looks whether a foreign intent was closed */
{
    if
    :: !MINE(w) -> pc[w] = Stale
    :: else ->
        intent[w] = i_open;
        journal_merge(w);
        stopped[w] = stop;
        pc[w] = Next
    fi
}

inline project_learn_find(w)
{
    the_listing(w, 0);
    if
    :: way[w] == Forward ->
        id[w] = target[w];                      /* adopted */
        pc[w] = (target[w] != 0 -> Next : Open);
        creates[w] = 1;
        target[w] = 0
    :: else ->
        id[w] = target[w];
        pc[w] = (target[w] != 0 -> Open : Conclude);
        creates[w] = 0
    fi
}

inline project_learn_duplicates(w)
{
#ifdef NO_LATER_CHECK
    target[w] = 0;
#else
#ifdef YOUNGER_IS_DUPLICATE
    the_listing_for_younger(w);
#else
    the_listing(w, id[w]);
#endif
#endif
    creates[w] = 0;
    pc[w] = (target[w] != 0 -> Open : Conclude)
}

/* Commits the intent, at the ledger: statement OPEN. */
inline open_intent(w)
{
    if
    :: !MINE(w) -> pc[w] = Stale
    :: MINE(w) && stop && !undo && way[w] == Forward -> stopped[w] = 1; pc[w] = Next
    :: MINE(w) && !(stop && !undo && way[w] == Forward) ->
#ifndef FORGET_PASSED_OVER
        u_left = MAX(u_left, UNSETTLED);
#endif
        i_open = 1; i_settles = creates[w]; i_epoch = ep[w]; i_result = 0; had_intent = 1;
        i_left = (creates[w] -> SETTLE : 0);
        journal = id[w];
        if
        :: intent[w] = 1; sb[w] = SEND; pc[w] = Send
        :: lost > 0 -> lost--                   /* sent again */
        fi
    fi
}

inline send_request(w)
{
    if
#ifdef NO_SENT_BEFORE
    :: true ->
#else
    :: sb[w] > 0 || !creates[w] ->
#endif
        assert(epoch > ep[w] || (i_open && i_epoch == ep[w]));   /* no mutation without an intent */
#ifdef GAP_BEFORE_WRITE
        pc[w] = Write
#else
        the_request(w); pc[w] = Reply
#endif
#ifndef NO_SENT_BEFORE
    :: sb[w] == 0 && creates[w] -> taught[w] = 0; pc[w] = Close  /* close_unsent */
#endif
    fi
}

inline on_reply(w)
{
    if
    :: r_is[slot[w]] == Answered ->
        taught[w] = (creates[w] -> r_id[slot[w]] : DELETED);
        pc[w] = Close
    :: true ->                                  /* none, or 5xx: learn_unknown */
        sb[w] = 0;
#ifdef RESEND_BLINDLY
        pc[w] = Open
#else
        creates[w] = 0; target[w] = 0; pc[w] = Next
#endif
    fi;
    the_caller_goes(w)
}

inline saga_learn(w)
{
    if
    :: creates[w] && taught[w] != 0 -> id[w] = taught[w]
    :: !creates[w] && target[w] == id[w] -> id[w] = 0
    :: creates[w] && taught[w] == 0 -> skip
    :: !creates[w] && target[w] != id[w] -> taught[w] = 0
    fi;
    intent[w] = 0
}

/* Closes it at the ledger: statement CLOSE. */
inline close_intent(w)
{
    saga_learn(w);
    if
#ifdef CLOSE_ANY_INTENT
    :: i_open ->
#else
#ifdef NO_CLOSE_AFTER_LOSS
    :: i_open && i_epoch == ep[w] && epoch == ep[w] ->
#else
    :: i_open && i_epoch == ep[w] ->
#endif
#endif
        i_open = 0;
        i_result = taught[w];
        if
        :: epoch == ep[w] -> journal = id[w]; i_left = 0; pc[w] = Next
        :: else -> pc[w] = Stale
        fi
    :: else -> pc[w] = Next                     /* its next write tells */
    fi;
    creates[w] = 0; target[w] = 0; taught[w] = 0; sb[w] = 0
}

inline save(w)
{
    if
    :: MINE(w) ->
        undo = 1; journal = id[w]; way[w] = Undo; pc[w] = Next
    :: else -> pc[w] = Stale
    fi;
    target[w] = 0; creates[w] = 0
}

inline flight_conclude(w)
{
    if
    :: MINE(w) && !(way[w] == Forward && stop && !undo) ->
        done = 1; outcome_created = (way[w] == Forward); journal = id[w];
#ifndef FORGET_PASSED_OVER
        u_left = MAX(u_left, UNSETTLED);
#endif
        if
        :: pc[w] = Publish
        :: lost > 0 -> lost--; pc[w] = Stale    /* sent again, it changes nothing */
        fi
    :: MINE(w) && way[w] == Forward && stop && !undo -> stopped[w] = 1; pc[w] = Next
    :: !MINE(w) -> pc[w] = Stale
    fi;
    target[w] = 0; creates[w] = 0
}

inline flight_stale(w)
{
    if
#ifdef DROP_WHEN_STALE
    :: true -> flight_drop(w)
#else
    :: IS_OWNER(w) -> flight_drop(w); pc[w] = (consumed -> Idle : Claim)
    :: owner == w && had[w] != assignment -> flight_drop(w)
    :: owner != w -> flight_drop(w)
    :: owner != w && zombie > 0 && !consumed -> zombie--; flight_drop(w); pc[w] = Claim
#endif
    fi
}

proctype Worker(byte w)
{
    byte i, s, first;
end:
    do
    /* flight_start, flight_attach: the command may still be in memory */
    :: atomic { owner == w && had[w] != assignment && !(pc[w] == Idle && consumed) ->
        had[w] = assignment; pc[w] = (pc[w] == Idle -> Claim : pc[w]) }
    /* flight_detach at a step boundary; a call in flight is finished first */
    :: atomic { (pc[w] == Claim || pc[w] == Next || pc[w] == Wait || pc[w] == Publish) &&
                !IS_OWNER(w) -> flight_drop(w) }

    :: atomic { pc[w] == Claim -> flight_claim(w) }
#ifdef READ_BACK_CLAIM
    :: atomic { pc[w] == ReadBack -> saga_begin(w) }
#endif
    :: atomic { pc[w] == Next -> saga_next(w) }
    :: atomic { pc[w] == Wait && !MUST_WAIT(w) -> pc[w] = Next }
    :: atomic { pc[w] == Wait && (!i_open || !MINE(w) || (stop && !stopped[w])) -> on_looked(w) }
    :: atomic { pc[w] == List -> project_learn_find(w) }
    :: atomic { pc[w] == Duplicates -> project_learn_duplicates(w) }
    :: atomic { pc[w] == Duplicates && failures > 0 -> failures--; turn(w) }
    :: atomic { pc[w] == Open -> open_intent(w) }
    :: atomic { pc[w] == Send && ROOM -> send_request(w) }
#ifdef GAP_BEFORE_WRITE
    :: atomic { pc[w] == Write && ROOM -> the_request(w); pc[w] = Reply }
#endif
    :: atomic { pc[w] == Reply -> on_reply(w) }
    :: atomic { pc[w] == Close -> close_intent(w) }
    :: atomic { pc[w] == Save -> save(w) }
    :: atomic { pc[w] == Conclude -> flight_conclude(w) }
    /* outbox_put */
    :: atomic { pc[w] == Publish && IS_OWNER(w) -> consumed = 1; flight_drop(w) }
    :: atomic { pc[w] == Stale -> flight_stale(w) }
    od
}

inline the_request_lands(r)
{
    if
    :: r_create[r] ->
        if
#ifdef UNIQUE
        :: p_is[1] == Alive || p_is[2] == Alive || p_is[3] == Alive -> r_id[r] = 0
        :: !(p_is[1] == Alive || p_is[2] == Alive || p_is[3] == Alive) && p_is[3] == None ->
#else
        :: p_is[3] == None ->
#endif
            n = (p_is[1] == None -> 1 : (p_is[2] == None -> 2 : 3));
            p_is[n] = Alive; p_lag[n] = LAG; r_id[r] = n; n = 0
        :: p_is[3] != None -> r_id[r] = 0
        fi
    :: else ->
        assert(undo || r_id[r] != journal);            /* never the survivor */
        if
        :: p_is[r_id[r]] == Alive -> p_is[r_id[r]] = Gone; p_lag[r_id[r]] = LAG
#ifdef LAGGING_404
        :: p_is[r_id[r]] == Alive && p_lag[r_id[r]] > 0 -> skip
#endif
        :: else -> skip
        fi
    fi;
    if
    :: r_who[r] != 0 -> r_is[r] = Answered; r_left[r] = 0
    :: else -> the_request_goes(r)
    fi
}

proctype Neon()
{
    byte n;
end:
    do
    :: atomic { r_is[0] == Flying && r_left[0] > 0 -> the_request_lands(0) }
    :: atomic { r_is[1] == Flying && r_left[1] > 0 -> the_request_lands(1) }
    :: atomic { r_is[2] == Flying && r_left[2] > 0 -> the_request_lands(2) }
    :: atomic { r_is[0] == Flying && r_left[0] == 0 && r_who[0] == 0 -> the_request_goes(0) }
    :: atomic { r_is[1] == Flying && r_left[1] == 0 && r_who[1] == 0 -> the_request_goes(1) }
    :: atomic { r_is[2] == Flying && r_left[2] == 0 && r_who[2] == 0 -> the_request_goes(2) }
    od
}

#define LOWER(x) x = (x > 0 -> x - 1 : 0)

proctype Tick()
{
end:
    do
    :: d_step { i_left + u_left + sb[0] + sb[1] + p_lag[1] + p_lag[2] + p_lag[3] +
                r_left[0] + r_left[1] + r_left[2] > 0 ->
        LOWER(i_left); LOWER(u_left); LOWER(sb[0]); LOWER(sb[1]);
        LOWER(p_lag[1]); LOWER(p_lag[2]); LOWER(p_lag[3]);
        LOWER(r_left[0]); LOWER(r_left[1]); LOWER(r_left[2]) }
    od
}

inline the_crash(w)
{
    crashes--;
    if
    :: pc[w] == Reply -> the_caller_goes(w)
    :: else -> skip
    fi;
    flight_drop(w);
    had[w] = 0;
    assignment++;
    if
    :: owner = 0
    :: owner = 1
    fi
}

proctype Chaos()
{
end:
    do
    :: atomic { crashes > 0 && !consumed && pc[0] != Idle -> the_crash(0) }
    :: atomic { crashes > 0 && !consumed && pc[1] != Idle -> the_crash(1) }
    :: atomic { rebalances > 0 && !consumed -> rebalances--; assignment++; owner = 1 - owner }
    :: atomic { stops > 0 && !done -> stops--; stop = 1 }
    od
}

#ifdef THEN_CLOSE
#ifdef CLOSE_AT_ONCE
#define MAY_CLOSE true
#else
#define MAY_CLOSE (u_left == 0)
#endif
bool closed;

/* a later command of the same subject deletes exactly what the environment's row names */
proctype Closer()
{
    atomic { consumed && MAY_CLOSE ->
        if
        :: outcome_created && p_is[journal] == Alive -> p_is[journal] = Gone
        :: else -> skip
        fi;
        closed = 1 }
}
#endif

#define ALIVE ((p_is[1] == Alive) + (p_is[2] == Alive) + (p_is[3] == Alive))
#define QUIET (pc[0] == Idle && pc[1] == Idle && \
               r_is[0] == Free && r_is[1] == Free && r_is[2] == Free)

proctype Judge()
{
#ifdef THEN_CLOSE
    atomic { closed && QUIET -> assert(ALIVE == 0) }
#else
    atomic { consumed && QUIET ->
        assert(done);
#ifndef ONLY_SURVIVOR
        assert(ALIVE == (outcome_created -> 1 : 0));
#endif
        assert(!outcome_created || p_is[journal] == Alive) }
#endif
}

init
{
    atomic { run Worker(0); run Worker(1); run Neon(); run Tick(); run Chaos(); run Judge();
#ifdef THEN_CLOSE
        run Closer()
#endif
    }
}

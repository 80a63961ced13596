/*
 * Sweeping: SweepAccount finds a branch that carries our mark and that no environment owns, and
 * DeleteOrphan, sent at once or much later, deletes it by its id; two workers may hold that one.
 * Meanwhile the command that made the branch may still come to own it, and another application may
 * import the branch. Is nothing ever deleted that is owned? (For a whole project the brancher
 * stands where the importer stands here: it announces itself, then looks.)
 *
 * The lane of the environment keeps its maker and DeleteOrphan apart, but not from each other's
 * frozen former owners: a request that one of those sends, or that is still on its way, may land
 * when the command has long ended. Time as in effect.pml; a deletion needs an answer, not a listing.
 */
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef REBALANCES
#define REBALANCES 0
#endif
#ifndef FAILURES               /* the deletion is refused, or patience ends */
#define FAILURES 0
#endif
#define SEND 1
#define DELIVER 2
#define SETTLE ((SEND - 1) + DELIVER)
#define W 2

mtype:step = { Idle, Claim, Judge, Read, Condemn, Alone, Open, Send, Reply, Failing, Conclude };
mtype:wire = { Free, Flying, Deleted };
mtype:import = { Away, Announced, IsAlone, Ready, Refused };

/* the branch, and the ledger's rows about it */
bool alive;
bool maker_finished;           /* the command that the mark names */
bool maker_owns;
mtype:import importer = Away;
/* the sweep: what it saw */
bool was_listed, was_orphan, is_sent;
/* the ledger's row of DeleteOrphan */
byte epoch;
bool done;
bool condemned;
bool had_intent;
byte i_left;

byte owner;
byte assignment = 1;
mtype:step pc[W] = Idle;
byte had[W];
byte ep[W];
bool knows_intent[W];
byte sb[W];
mtype:wire wire[W] = Free;
byte r_left[W];
byte crashes = CRASHES, rebalances = REBALANCES, failures = FAILURES;

#define IS_OWNED (maker_owns || importer == Announced || importer == IsAlone || importer == Ready)
#define IS_ORPHAN (maker_finished && !IS_OWNED)
#define MINE(w) (epoch == ep[w] && !done)

inline flight_drop(w)
{
    pc[w] = Idle; ep[w] = 0; knows_intent[w] = 0; sb[w] = 0
}

inline flight_stale(w)
{
    flight_drop(w);
    had[w] = (owner == w -> 0 : had[w])
}

inline flight_claim(w)
{
    if
    :: done -> flight_drop(w)
    :: else -> epoch++; ep[w] = epoch; knows_intent[w] = had_intent;
        pc[w] = (had_intent -> Open : Judge)
    fi
}

inline orphan_learn_judge(w)
{
#ifdef NO_JUDGE
    pc[w] = Condemn
#else
    pc[w] = (IS_ORPHAN -> Condemn : Conclude)
#endif
}

inline orphan_ask_condemn(w)
{
    if
    :: MINE(w) ->
#ifndef NO_CONDEMN
        condemned = 1;
#endif
        pc[w] = Alone
    :: else -> flight_stale(w)
    fi
}

inline orphan_learn_alone(w)
{
#ifdef NO_SECOND_JUDGE
    pc[w] = Open
#else
    pc[w] = (IS_ORPHAN -> Open : Conclude)
#endif
}

inline open_intent(w)
{
    if
    :: MINE(w) -> had_intent = 1; knows_intent[w] = 1; sb[w] = SEND; pc[w] = Send;
#ifndef NO_SEND_LIMIT
        i_left = SETTLE
#endif
    :: else -> flight_stale(w)
    fi
}

inline send_request(w)
{
    if
#ifdef NO_SEND_LIMIT
    :: true -> wire[w] = Flying; r_left[w] = DELIVER; pc[w] = Reply
#else
    :: sb[w] > 0 -> wire[w] = Flying; r_left[w] = DELIVER; pc[w] = Reply
    :: else -> pc[w] = Open                     /* close_unsent */
#endif
    fi
}

inline orphan_learn_delete(w)
{
    if
    :: wire[w] == Deleted -> wire[w] = Free; pc[w] = Conclude
    :: wire[w] == Flying -> pc[w] = Open        /* the reply is lost; the request isn't, yet */
    :: wire[w] == Flying && failures > 0 && r_left[w] == DELIVER ->
        failures--; wire[w] = Free; r_left[w] = 0; pc[w] = Failing   /* refused */
    fi
}

inline flight_conclude(w)
{
    if
    :: MINE(w) -> done = 1; flight_drop(w)
    :: else -> flight_stale(w)
    fi
}

proctype Worker(byte w)
{
end:
    do
    :: atomic { is_sent && !done && owner == w && had[w] != assignment ->
        had[w] = assignment; pc[w] = (pc[w] == Idle -> Claim : pc[w]) }
    :: atomic { pc[w] == Claim && owner == w -> flight_claim(w) }
    :: atomic { (pc[w] == Claim || pc[w] == Judge || pc[w] == Alone) &&
                (owner != w || had[w] != assignment) -> flight_drop(w) }
    :: atomic { pc[w] == Judge -> orphan_learn_judge(w) }
    :: atomic { pc[w] == Condemn -> orphan_ask_condemn(w) }
    :: atomic { pc[w] == Alone -> orphan_learn_alone(w) }
    :: atomic { pc[w] == Open && wire[w] == Free -> open_intent(w) }
    :: atomic { pc[w] == Send -> send_request(w) }
    :: atomic { pc[w] == Reply -> orphan_learn_delete(w) }
#ifdef NO_SEND_LIMIT
    :: atomic { pc[w] == Failing -> pc[w] = Conclude }
#else
    /* what fails waits until every call that it made, or a former owner made, is settled */
    :: atomic { pc[w] == Failing && (i_left == 0 || !MINE(w)) -> pc[w] = Conclude }
#endif
    :: atomic { pc[w] == Conclude -> flight_conclude(w) }
    od
}

/* The command that made the branch: it may conclude that it owns it, or end otherwise. A lane is
   between it and DeleteOrphan. */
proctype Maker()
{
    alive = 1;
    if
    :: atomic { maker_finished = 1; maker_owns = 1 }
    :: maker_finished = 1
    fi
}

inline sweep_learn_branches()
{
    was_listed = alive
}

inline sweep_learn_judge()
{
    was_orphan = IS_ORPHAN
}

/* The lane: its DeleteOrphan starts when the maker's row is finished. */
proctype Sweeper()
{
#ifdef LEDGER_FIRST
    atomic { sweep_learn_judge() };
    atomic { sweep_learn_branches() };
#else
    atomic { sweep_learn_branches() };
    atomic { sweep_learn_judge() };
#endif
    atomic {
        if
        :: was_listed && was_orphan -> is_sent = 1
        :: else -> done = 1                     /* nothing to send */
        fi }
}

inline import_learn_announce()
{
    importer = Announced
}

inline import_learn_alone()
{
    importer = (condemned && !done -> Refused : IsAlone)
}

proctype Importer()
{
end:
    do
#ifdef LOOK_FIRST
    :: atomic { importer == Away && alive && !(condemned && !done) -> importer = Refused };
        atomic { importer = IsAlone }
#else
    :: atomic { importer == Away && alive -> import_learn_announce() }
    :: atomic { importer == Announced -> import_learn_alone() }
#endif
    :: atomic { importer == IsAlone -> importer = (alive -> Ready : Refused) }   /* reads it */
    od
}

inline the_request_lands(w)
{
    assert(!alive || (importer != Ready && !maker_owns));
    alive = 0;
    wire[w] = (pc[w] == Reply -> Deleted : Free);
    r_left[w] = 0
}

proctype Neon()
{
end:
    do
    :: atomic { wire[0] == Flying && r_left[0] > 0 -> the_request_lands(0) }
    :: atomic { wire[1] == Flying && r_left[1] > 0 -> the_request_lands(1) }
    :: atomic { wire[0] == Flying && r_left[0] == 0 && pc[0] != Reply -> wire[0] = Free }
    :: atomic { wire[1] == Flying && r_left[1] == 0 && pc[1] != Reply -> wire[1] = Free }
    :: atomic { wire[0] == Deleted && pc[0] != Reply -> wire[0] = Free }
    :: atomic { wire[1] == Deleted && pc[1] != Reply -> wire[1] = Free }
    od
}

#define LOWER(x) x = (x > 0 -> x - 1 : 0)

proctype Tick()
{
end:
    do
    :: d_step { i_left + sb[0] + sb[1] + r_left[0] + r_left[1] > 0 ->
        LOWER(i_left); LOWER(sb[0]); LOWER(sb[1]); LOWER(r_left[0]); LOWER(r_left[1]) }
    od
}

proctype Chaos()
{
end:
    do
    :: atomic { crashes > 0 && pc[0] != Idle -> crashes--; flight_drop(0); had[0] = 0; assignment++;
        if
        :: owner = 0
        :: owner = 1
        fi }
    :: atomic { rebalances > 0 && is_sent -> rebalances--; assignment++; owner = 1 - owner }
    od
}

proctype Judgement()
{
    atomic { done && pc[0] == Idle && pc[1] == Idle && wire[0] == Free && wire[1] == Free &&
             importer != Announced && importer != IsAlone ->
        assert(alive || (importer != Ready && !maker_owns)) }
}

init
{
    atomic { run Maker(); run Sweeper(); run Importer(); run Worker(0); run Worker(1); run Neon();
             run Tick(); run Chaos(); run Judgement() }
}

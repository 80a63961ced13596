/*
 * Calls that nothing protects and that overwrite: reset_password (each makes another password), and
 * with PATCH the two commands of one subject that set a value, first to 1, then to 2. Two workers,
 * one ledger row at a time, Neon. Is the password replaced exactly once, and never after the command
 * has ended? Does the later PATCH win for good?
 *
 * Before a reset the digest of the present password is journaled; a call whose result is unknown is
 * settled, then the password is revealed and compared. With NOT_STORED there is nothing to reveal.
 * Time as in effect.pml, but for listings: what has landed is read at once.
 */
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef REBALANCES
#define REBALANCES 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#define SEND 1
#define DELIVER 2
#define SETTLE ((SEND - 1) + DELIVER)
#define W 2
#define R 3
#ifdef PATCH
#define COMMANDS 2
#else
#define COMMANDS 1
#endif

mtype:step = { Idle, Claim, Next, Reveal, Open, Send, Reply, Close, Conclude, Stale };
mtype:wire = { Free, Flying, Answered };

/* Neon: the password's number (0 was inherited), or the value */
byte present;
byte landed;
byte present_at_end;
mtype:wire r_is[R] = Free;
byte r_value[R];
byte r_left[R];
byte r_who[R];

/* the ledger's row of the command under way */
byte command = 1;
byte epoch;
bool stop, undo;
byte j_old;                    /* journal: digest of the old password (number + 1), 0 = none */
bool j_rotated;
bool i_open;
byte i_epoch;
byte i_left;
bool i_taught;

byte owner;
byte assignment = 1;
mtype:step pc[W] = Idle;
byte had[W];
byte ep[W];
byte old[W];
bool doubtful[W], rotated[W], undoing[W], intent[W];
byte sb[W], slot[W];
byte crashes = CRASHES, rebalances = REBALANCES, stops = STOPS;

#define DONE (command > COMMANDS)
#define MINE(w) (epoch == ep[w] && !DONE)
#ifdef NO_WAIT
#define MUST_WAIT(w) false
#else
#ifdef END_AT_ONCE
#define MUST_WAIT(w) (intent[w] && i_left > 0 && !(stop && undoing[w]))
#else
#define MUST_WAIT(w) ((intent[w] || undoing[w]) && i_left > 0)
#endif
#endif

inline flight_drop(w)
{
    pc[w] = Idle; ep[w] = 0; old[w] = 0; doubtful[w] = 0; rotated[w] = 0; undoing[w] = 0;
    intent[w] = 0; sb[w] = 0; slot[w] = 0
}

inline flight_claim(w)
{
    epoch++;
    ep[w] = epoch;
    old[w] = j_old; rotated[w] = j_rotated || (!i_open && i_taught);   /* journal_merge */
    undoing[w] = undo; intent[w] = i_open; doubtful[w] = 0;
    pc[w] = Next
}

inline flight_stale(w)
{
    flight_drop(w);
    pc[w] = (owner == w && had[w] == assignment && !DONE -> Claim : Idle)
}

inline save(w)                 /* it turns back; what it did stays (undoes nothing) */
{
    if
    :: MINE(w) -> undo = 1; undoing[w] = 1
    :: else -> pc[w] = Stale
    fi
}

inline saga_next(w)
{
    if
    :: stop && !undoing[w] && !rotated[w] -> save(w)
    :: stop && !undoing[w] && rotated[w] -> pc[w] = Conclude           /* is_final */
    :: !stop || undoing[w] ->
        doubtful[w] = doubtful[w] || intent[w];                        /* pass_intent */
        intent[w] = 0;
        if
        :: rotated[w] || undoing[w] -> pc[w] = Conclude
        :: !rotated[w] && !undoing[w] && (old[w] == 0 || doubtful[w]) -> pc[w] = Reveal
        :: !rotated[w] && !undoing[w] && old[w] != 0 && !doubtful[w] -> pc[w] = Open
        fi
    fi
}

inline password_learn_reveal(w)
{
#ifdef PATCH
    rotated[w] = (present == command);                                 /* edit_learn_project */
    old[w] = 1;
#else
#ifdef NOT_STORED
    old[w] = 1;
#else
#ifdef RESEND_BLINDLY
    old[w] = present + 1;
#else
    rotated[w] = (old[w] != 0 && old[w] != present + 1);
    old[w] = present + 1;
#endif
#endif
#endif
    doubtful[w] = 0;
    pc[w] = Next
}

inline open_intent(w)
{
    if
    :: MINE(w) && !(stop && !undo) ->
        i_open = 1; i_epoch = ep[w]; i_left = SETTLE; i_taught = 0;
#ifndef NO_DIGEST
        j_old = old[w];
#endif
        intent[w] = 1; sb[w] = SEND; pc[w] = Send
    :: MINE(w) && stop && !undo -> pc[w] = Next
    :: !MINE(w) -> pc[w] = Stale
    fi
}

inline send_request(w)
{
    if
#ifdef NO_SENT_BEFORE
    :: true ->
#else
    :: sb[w] > 0 ->
#endif
        slot[w] = (r_is[0] == Free -> 0 : (r_is[1] == Free -> 1 : 2));
        r_is[slot[w]] = Flying; r_left[slot[w]] = DELIVER; r_who[slot[w]] = w + 1;
        r_value[slot[w]] = command;
        pc[w] = Reply
#ifndef NO_SENT_BEFORE
    :: else -> rotated[w] = 0; pc[w] = Close                           /* close_unsent */
#endif
    fi
}

inline the_caller_goes(w)
{
    if
    :: r_is[slot[w]] == Answered -> r_is[slot[w]] = Free; r_who[slot[w]] = 0
    :: else -> r_who[slot[w]] = 0
    fi;
    slot[w] = 0; sb[w] = 0
}

inline on_reply(w)
{
    if
    :: r_is[slot[w]] == Answered -> rotated[w] = 1; pc[w] = Close      /* password_learn_reset */
    :: true -> pc[w] = Next                                            /* learn_unknown */
    fi;
    the_caller_goes(w)
}

inline close_intent(w)
{
    intent[w] = 0;
    sb[w] = 0;
    if
    :: i_open && i_epoch == ep[w] ->
        i_open = 0; i_taught = rotated[w];
        if
        :: epoch == ep[w] -> j_rotated = rotated[w]; i_left = 0; pc[w] = Next
        :: else -> pc[w] = Stale
        fi
    :: else -> pc[w] = Next
    fi
}

inline flight_conclude(w)
{
    if
    :: MINE(w) ->
        present_at_end = present;
        command++;
        epoch++; stop = 0; undo = 0; j_old = 0; j_rotated = 0;
        i_open = 0; i_epoch = 0; i_left = 0; i_taught = 0;
        flight_drop(w);
        had[w] = 0
    :: else -> pc[w] = Stale
    fi
}

proctype Worker(byte w)
{
end:
    do
    :: atomic { !DONE && owner == w && had[w] != assignment ->
        had[w] = assignment; pc[w] = (pc[w] == Idle -> Claim : pc[w]) }
    :: atomic { (pc[w] == Claim || pc[w] == Next) && (owner != w || had[w] != assignment || DONE) ->
        flight_drop(w) }
    :: atomic { pc[w] == Claim && !DONE -> flight_claim(w) }
    :: atomic { pc[w] == Next && (!MUST_WAIT(w) || (stop && !undoing[w])) -> saga_next(w) }
    :: atomic { pc[w] == Next && MUST_WAIT(w) && (!i_open || epoch != ep[w]) ->   /* on_looked */
        pc[w] = (epoch != ep[w] -> Stale : Next);
        rotated[w] = rotated[w] || (epoch == ep[w] && i_taught); intent[w] = 0 }
    :: atomic { pc[w] == Reveal -> password_learn_reveal(w) }
    :: atomic { pc[w] == Open -> open_intent(w) }
    :: atomic { pc[w] == Send && (r_is[0] == Free || r_is[1] == Free || r_is[2] == Free) ->
        send_request(w) }
    :: atomic { pc[w] == Reply -> on_reply(w) }
    :: atomic { pc[w] == Close -> close_intent(w) }
    :: atomic { pc[w] == Conclude -> flight_conclude(w) }
    :: atomic { pc[w] == Stale -> flight_stale(w) }
    od
}

inline the_request_lands(r)
{
#ifdef PATCH
    present = r_value[r];
#else
    landed++;
    present = landed;
#endif
    r_left[r] = 0;
    r_is[r] = (r_who[r] != 0 -> Answered : Free)
}

proctype Neon()
{
end:
    do
    :: atomic { r_is[0] == Flying && r_left[0] > 0 && landed < 4 -> the_request_lands(0) }
    :: atomic { r_is[1] == Flying && r_left[1] > 0 && landed < 4 -> the_request_lands(1) }
    :: atomic { r_is[2] == Flying && r_left[2] > 0 && landed < 4 -> the_request_lands(2) }
    :: atomic { r_is[0] == Flying && r_left[0] == 0 && r_who[0] == 0 -> r_is[0] = Free }
    :: atomic { r_is[1] == Flying && r_left[1] == 0 && r_who[1] == 0 -> r_is[1] = Free }
    :: atomic { r_is[2] == Flying && r_left[2] == 0 && r_who[2] == 0 -> r_is[2] = Free }
    od
}

#define LOWER(x) x = (x > 0 -> x - 1 : 0)

proctype Tick()
{
end:
    do
    :: d_step { i_left + sb[0] + sb[1] + r_left[0] + r_left[1] + r_left[2] > 0 ->
        LOWER(i_left); LOWER(sb[0]); LOWER(sb[1]);
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
    :: atomic { crashes > 0 && !DONE && pc[0] != Idle -> the_crash(0) }
    :: atomic { crashes > 0 && !DONE && pc[1] != Idle -> the_crash(1) }
    :: atomic { rebalances > 0 && !DONE -> rebalances--; assignment++; owner = 1 - owner }
    :: atomic { stops > 0 && command == 1 -> stops--; stop = 1 }
    od
}

proctype Judge()
{
    atomic { DONE && pc[0] == Idle && pc[1] == Idle &&
             r_is[0] == Free && r_is[1] == Free && r_is[2] == Free ->
        assert(present == present_at_end);             /* nothing lands after the end */
#ifdef PATCH
        assert(present == 2)
#else
#ifndef NOT_STORED
        assert(landed == 1 || (STOPS > 0 && landed == 0))
#else
        assert(landed > 0 || STOPS > 0)
#endif
#endif
    }
}

init
{
    atomic { run Worker(0); run Worker(1); run Neon(); run Tick(); run Chaos(); run Judge() }
}

/*
 * Lanes and stop marks: OpenPreview, ClosePreview, OpenPreview of one preview on one partition, two
 * workers, hand-overs at any moment. Does each mark hit what it should, and is the last command the
 * one that counts? With EXPIRED, ClosePreview is the sweeper's (if_expired): the preview was open
 * and has expired, the first OpenPreview extends it, and no mark is written at all.
 *
 *   offset 0  OpenPreview        offset 1  ClosePreview        offset 2  OpenPreview
 *
 * A former owner that has not noticed (frozen, resumed) may still write its mark. One
 * command's effect is one atomic step (effect.pml looks inside); the result is published at once.
 */
#ifndef HANDOVERS
#define HANDOVERS 0
#endif
#ifndef ZOMBIE_CLAIMS          /* claims by a worker that has not noticed its loss */
#define ZOMBIE_CLAIMS 0
#endif
#define W 2
#define C 3
#define OPENS(c) ((c) != 1)

mtype:out = { Nothing, Opened, Closed, Stopped, NotExpired };

/* ledger: a row a command */
bool claimed[C];
bool stop[C];
byte epoch[C];
mtype:out outcome[C] = Nothing;
#ifdef EXPIRED
bool preview = 1;              /* Neon: the branch is there */
bool extended;                 /* its expiry, since it had passed */
#else
bool preview;
bool extended;
#endif

/* Kafka */
byte owner;
byte assignment = 1;
byte finished;                 /* committed offset: published commands, in order */

/* workers */
byte had[W];
byte next[W];                  /* next record to be decoded */
bool to_mark[W];               /* the Close is decoded, its mark not yet written */
byte running[W] = C;
byte ep[W];
byte handovers = HANDOVERS;
byte zombie = ZOMBIE_CLAIMS;
bool marked_unclaimed;         /* the mark came before the first Open was ever claimed */

inline supersede_earlier(c)
{
    if
#ifdef MARK_ONLY_ROWS
    :: claimed[c] && outcome[c] == Nothing -> stop[c] = 1
    :: !(claimed[c] && outcome[c] == Nothing) -> skip
#else
    :: outcome[c] == Nothing -> stop[c] = 1          /* makes the row where there is none */
    :: else -> skip
#endif
    fi
}

inline flight_claim(w, c)
{
    running[w] = c;
    claimed[c] = 1;
    epoch[c]++;
    ep[w] = epoch[c]
}

#ifdef EXPIRED
#ifdef NO_EXPIRY_CHECK
#define IS_KEPT false
#else
#define IS_KEPT extended
#endif
#else
#define IS_KEPT false
#endif

inline flight_conclude(w)
{
    c = running[w];
    if
    :: ep[w] == epoch[c] && outcome[c] == Nothing ->
        if
        :: OPENS(c) && stop[c] -> outcome[c] = Stopped
        :: OPENS(c) && !stop[c] -> outcome[c] = Opened; preview = 1; extended = 1
        :: !OPENS(c) && IS_KEPT -> outcome[c] = NotExpired
        :: !OPENS(c) && !IS_KEPT -> outcome[c] = Closed; preview = 0; extended = 0
        fi
    :: ep[w] != epoch[c] || outcome[c] != Nothing -> skip
    fi;
    if
    :: had[w] == assignment && owner == w && c == finished && outcome[c] != Nothing -> finished++
    :: else -> skip
    fi;
    running[w] = C; ep[w] = 0; c = 0
}

proctype Worker(byte w)
{
    byte c;
end:
    do
    :: atomic { owner == w && had[w] != assignment ->
        had[w] = assignment; next[w] = finished; running[w] = C; ep[w] = 0; to_mark[w] = 0 }
    :: atomic { had[w] == assignment && next[w] < C && !to_mark[w] ->
#ifdef EXPIRED
#ifdef MARK_EXPIRED
        to_mark[w] = (next[w] == 1);
#endif
#else
        to_mark[w] = (next[w] == 1);
#endif
        next[w]++ }
    :: atomic { to_mark[w] ->
        to_mark[w] = 0;
        if
#ifndef MARK_WHEN_FINISHED
        :: outcome[1] != Nothing -> skip
        :: outcome[1] == Nothing ->
#else
        :: true ->
#endif
            marked_unclaimed = marked_unclaimed || !claimed[0];
            supersede_earlier(0);
#ifdef MARK_ALL
            if
            :: claimed[2] -> supersede_earlier(2)                 /* every unfinished command of the preview */
            :: else -> skip
            fi
#endif
        fi }
#ifdef NO_LANES
    :: atomic { running[w] == C && finished + 1 < next[w] && outcome[finished + 1] == Nothing &&
                owner == w && had[w] == assignment && epoch[finished + 1] < 3 ->
        flight_claim(w, finished + 1) }
#endif
    /* a zombie may claim, too: it has not noticed */
    :: atomic { running[w] == C && finished < next[w] && !(to_mark[w] && finished == 1) &&
                (zombie > 0 || (owner == w && had[w] == assignment)) ->
        zombie = (owner == w && had[w] == assignment -> zombie : zombie - 1);
        flight_claim(w, finished) }
    :: atomic { running[w] < C -> flight_conclude(w) }
    od
}

proctype Group()
{
end:
    do
    :: atomic { handovers > 0 && finished < C -> handovers--; assignment++; owner = 1 - owner }
    od
}

proctype Judge()
{
    atomic { finished == C && running[0] == C && running[1] == C && !to_mark[0] && !to_mark[1] ->
        assert(preview && outcome[2] == Opened);
#ifdef EXPIRED
        assert(outcome[0] == Opened && outcome[1] == NotExpired)
#else
        assert(outcome[1] == Closed);
        assert(!marked_unclaimed || outcome[0] == Stopped)
#endif
    }
}

init
{
    atomic { run Worker(0); run Worker(1); run Group(); run Judge() }
}

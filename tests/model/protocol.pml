/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.pml - claim and settle (docs/design.md 5) as a model that spin goes through to the last interleaving.
 *
 * One order, one party, two servers, and at most FAULTS of: a server that dies between any two steps, a request or an
 * answer lost on the way to the platform or to the store, a settlement that reaches the store when its sender is long
 * gone, a lease that ran out under a living holder, a server that is told to stop, a platform that puts off or does not
 * show the order. Facts come at any time, also from the platform itself; a person replays. Time is only what may come
 * next: `at` becomes due, a lease ends. What is promised stands in holds(), in take() and in the claim at the end.
 *
 * SQLITE: one process, leases in memory. BLIND: a platform that cannot be asked how far it is. FIRM: a courier firm, which
 * is told of an order and of its end. WITHOUT_...: one guard taken away; then spin must find what it is there for.
 * Names after "model:" stand in the code too, at the place that they are a model of (tests/style/check.py).
 *
 * Assumed: what the platform has not done when a call times out, it does not do afterwards; the slack of a lease is longer
 * than clocks differ; a settlement looks at the lease and at `want` in one step (they are two, but `want` never comes
 * back). */

#ifndef FAULTS
#define FAULTS 2
#endif
#define RETRIES 1

#ifdef SQLITE
#define SERVERS 1
#else
#define SERVERS 2
#endif

#ifdef FIRM
#define BLIND
#endif

/* Ranks, and the steps that bear their numbers. */
#define NEW 0
#define ON_THE_WAY 1 /* a firm's: the dispatch */
#define DELIVERED 2
#define CANCELLED 3
#define CHECK 4 /* a call that only looks */

/* The values of `at`. */
#define NOT_DUE 0
#define DUE 1
#define LATER 2

/* What is heard of a call. */
#define DONE 0
#define ALREADY 1 /* refused: it is there */
#define REFUSED 2 /* refused: not from where it stands */
#define STANDS 3  /* a check's */
#define VAGUE 4   /* a check's: the order is not shown */
#define BUSY 5
#define NO_ANSWER 6

/* ---- the store ---- */

byte rank, want, told, tries, at, lease;
bool unsure, held, dead;

/* What a holder knows of the target, and writes. */
typedef settlement {
        byte token, want, told, tries, at;
        bool unsure, more, dead
}
#define LATE SERVERS /* one that is still on its way to the store, while its sender is gone */
settlement s[SERVERS + 1];

/* ---- the world ---- */

byte stands;         /* how far the platform is */
byte own, notice;    /* to where it went by itself; and what of that we have not heard yet */
byte wire[SERVERS];  /* the call that is on its way */
bool doubt[SERVERS]; /* its step may have got through before */
bool looked[SERVERS]; /* and a check has just left that doubt */
byte faults = FAULTS;
byte replays = 1;
byte was_told; /* a witness */

#define FAULT faults > 0 -> faults--
#ifdef SQLITE
#define FLYING (wire[0] != 0)
#define IS_HELD(t) (s[0].token == t)
#else
#define FLYING (wire[0] != 0 || wire[1] != 0)
#define IS_HELD(t) (s[0].token == t || s[1].token == t)
#endif

/* Which step is owed, and whether one is: model: next */
#ifdef FIRM
#define IS_OWED(told, want, unsure) \
        (want == CANCELLED && told < CANCELLED && (told >= ON_THE_WAY || unsure) || \
         want < CANCELLED && told < want && rank < DELIVERED)
#define STEP(told, want) (want == CANCELLED -> CANCELLED : ON_THE_WAY)
#else
#define IS_OWED(told, want, unsure) (told < want)
#define STEP(told, want) (want == CANCELLED -> CANCELLED : told + 1)
#endif

/* After each write. */
inline holds()
{
        assert(told >= was_told); /* told never sinks */
        was_told = told;
        assert(told <= stands); /* nor says what is not so */
        assert(at != NOT_DUE || dead || !IS_OWED(told, want, unsure)); /* what is owed is due, or seen to be given up */
        assert(at == NOT_DUE || !dead)
#ifdef FIRM
        ; assert(at != NOT_DUE || dead || want != CANCELLED || stands != ON_THE_WAY) /* whoever was called hears of the end */
#endif
}

/* ---- the store's verbs ---- */

inline raise_told(least)
{
        if
        :: told < least -> told = least
        :: else
        fi
}

/* model: fact. The platform knows of its own: model: told. */
inline fact(to, from_platform)
{
        if
        :: rank < to && rank < DELIVERED ->
                rank = to;
#ifdef FIRM
                if
                :: to != DELIVERED ->
#endif
                want = to;
                tries = 0;
#ifndef WITHOUT_A_NEW_LIFE /* model: a new life */
                dead = false;
#endif
                if
                :: from_platform -> raise_told(to)
#ifdef WITHOUT_DUE_AT_ONCE /* model: due at once */
                :: !from_platform && at != NOT_DUE -> at = DUE
                :: !from_platform && at == NOT_DUE
#else
                :: !from_platform -> at = DUE
#endif
                fi
#ifdef FIRM
                :: else
                fi
#endif
        :: else ->
                if
                :: from_platform && rank == to -> raise_told(to); dead = false
                :: from_platform && rank > to && to < CANCELLED -> raise_told(to)
                :: else
                fi
        fi;
        holds()
}

#define IN_USE(t) (lease == t || IS_HELD(t) || s[LATE].token == t)

inline new_token(ret)
{
#ifdef WITHOUT_TOKENS_OF_THEIR_OWN /* model: tokens of their own */
        ret = me + 1
#else
        ret = (!IN_USE(1) -> 1 : (!IN_USE(2) -> 2 : (!IN_USE(3) -> 3 : 4)))
#endif
}

inline give_back(is_unsure)
{
        lease = 0;
        held = false;
        unsure = is_unsure
}

#ifdef WITHOUT_THE_LEASE /* model: the lease */
#define IS_MINE(i) true
#else
#define IS_MINE(i) (lease == s[i].token)
#endif
#ifdef WITHOUT_THE_WANT /* model: the want */
#define IS_MOVED(i) false
#else
#define IS_MOVED(i) (want != s[i].want)
#endif
#ifdef WITHOUT_DOUBT_IN_PASSING /* model: doubt in passing */
#define DOUBT_IN_PASSING(i) false
#else
#define DOUBT_IN_PASSING(i) s[i].unsure
#endif

/* model: settle */
inline settle(i)
{
        if
        :: !IS_MINE(i) -> s[i].more = false
        :: IS_MINE(i) && !IS_MOVED(i) ->
#ifdef WITHOUT_MAX_TOLD /* model: max told */
                told = s[i].told;
#else
                raise_told(s[i].told);
#endif
                tries = s[i].tries;
                if
                :: s[i].more -> /* model: more */
                        held = true;
#ifdef SQLITE
                        unsure = s[i].unsure
#elif defined(WITHOUT_DOUBT_AHEAD) /* model: doubt ahead */
                        unsure = false
#endif
                :: else ->
                        give_back(s[i].unsure);
#ifndef WITHOUT_A_MARK /* model: a mark */
                        dead = s[i].dead;
#endif
                        at = s[i].at
                fi
        :: IS_MINE(i) && IS_MOVED(i) -> /* model: overtaken */
#ifndef WITHOUT_TOLD_IN_PASSING /* model: told in passing */
                raise_told(s[i].told);
#endif
                give_back(DOUBT_IN_PASSING(i));
                s[i].more = false
        fi;
        holds()
}

/* ---- the platform ---- */

/* A call arrives there. */
inline take(i, ret)
{
        if
        :: wire[i] == CHECK -> ret = STANDS
        :: wire[i] == CANCELLED && stands < DELIVERED -> stands = CANCELLED; ret = DONE
        :: wire[i] < CANCELLED && wire[i] == stands + 1 -> stands = wire[i]; ret = DONE
        :: else ->
                if
                :: own > 0 /* it went by itself, which we could not know */
                :: else ->
                        assert(wire[i] == stands); /* the order of steps is kept */
                        assert(wire[i] > told);    /* what is settled is not called again */
                        assert(doubt[i])           /* nor is anything, but in doubt, */
#ifndef BLIND
                        ; assert(looked[i])        /* where one looks first, and saw nothing */
#endif
                fi;
                ret = (wire[i] == stands -> ALREADY : REFUSED)
        fi
}

/* What becomes of a call: all that can happen to it. */
inline carry(i, ret)
{
        if
        :: take(i, ret)
        :: FAULT; take(i, ret); ret = NO_ANSWER /* done, and nobody heard */
        :: FAULT; ret = NO_ANSWER
        :: FAULT; ret = BUSY
#ifndef BLIND
        :: wire[i] == CHECK && faults > 0 -> faults--; ret = VAGUE
#endif
        fi;
        wire[i] = 0;
        doubt[i] = false;
        looked[i] = false
}

/* ---- a server ---- */

#ifdef BLIND
#define IS_OPEN(heard) false
#define MAY_LOOK false
#else
#define IS_OPEN(heard) (heard == REFUSED || heard == ALREADY) /* which of the steps, the check finds out */
#ifdef WITHOUT_A_LOOK /* model: a look */
#define MAY_LOOK false
#else
#define MAY_LOOK true
#endif
#endif

#define MUST_LOOK (MAY_LOOK && s[me].unsure && !seen && s[me].told < s[me].want)

inline set_step()
{
        step = (MUST_LOOK -> CHECK
                : (IS_OWED(s[me].told, s[me].want, s[me].unsure) -> STEP(s[me].told, s[me].want) : 0));
        if
        :: step == 0 -> s[me].at = NOT_DUE; s[me].tries = 0 /* the doubt stays: who may have been called, may have to hear of the end */
        :: else
        fi
}

inline has_reached(least)
{
        if
        :: least > s[me].told || step < CHECK -> s[me].tries = 0
        :: else
        fi;
        s[me].told = (least > s[me].told -> least : s[me].told);
        s[me].more = IS_OWED(s[me].told, s[me].want, s[me].unsure);
        if
        :: !s[me].more -> s[me].at = NOT_DUE; s[me].tries = 0
        :: else
        fi
}

inline has_failed()
{
        if
        :: s[me].tries >= RETRIES -> s[me].dead = true; s[me].at = NOT_DUE
        :: else -> s[me].tries++; s[me].at = LATER
        fi
}

/* What the answer changes: model: judge */
inline judge(heard)
{
        if
        :: heard == STANDS && stands >= DELIVERED && (stands == CANCELLED) != (s[me].want == CANCELLED) ->
                s[me].dead = true; s[me].at = NOT_DUE
        :: heard == STANDS && !(stands >= DELIVERED && (stands == CANCELLED) != (s[me].want == CANCELLED)) ->
                s[me].unsure = false; has_reached(stands)
        :: heard == VAGUE -> has_reached(0)
        :: heard == DONE || (heard == ALREADY && s[me].unsure) -> s[me].unsure = false; has_reached(step)
        :: heard == NO_ANSWER || IS_OPEN(heard) -> s[me].unsure = true; has_failed()
#ifdef WITHOUT_LASTING_DOUBT /* model: lasting doubt */
        :: heard == BUSY -> s[me].unsure = false; s[me].at = LATER
#else
        :: heard == BUSY -> s[me].at = LATER
#endif
        :: heard == BUSY -> has_failed()
        :: (heard == REFUSED || (heard == ALREADY && !s[me].unsure)) && !IS_OPEN(heard) ->
                s[me].dead = true; s[me].at = NOT_DUE
        fi
}

inline forget(i)
{
        s[i].token = 0;
        s[i].want = 0;
        s[i].told = 0;
        s[i].tries = 0;
        s[i].at = 0;
        s[i].unsure = false;
        s[i].more = false;
        s[i].dead = false
}

inline end_errand()
{
        forget(me);
        step = 0;
        seen = false
}

#ifdef FIRM
#define IS_IN_DOUBT_AT_START (at == DUE)
#else
#define IS_IN_DOUBT_AT_START (at != NOT_DUE)
#endif

/* Of the process nothing is left but what it has sent. */
inline crash()
{
        end_errand();
#ifdef SQLITE
        lease = 0;
        held = false;
#ifndef WITHOUT_DOUBT_AT_START /* model: doubt at start */
        unsure = unsure || IS_IN_DOUBT_AT_START
#endif
#endif
}

/* On SQLite the lease is forgotten with its holder, whose call may still be on its way. */
#if defined(SQLITE) && !defined(WITHOUT_QUIET_AT_START) /* model: quiet at start */
#define IS_QUIET (unsure && FLYING)
#else
#define IS_QUIET false
#endif

#ifdef WITHOUT_TIME_LEFT /* model: time left */
#define HAS_TIME true
#define MAY_END true
#elif defined(WITHOUT_AN_END) /* model: an end */
#define HAS_TIME (held && lease == s[me].token)
#define MAY_END false
#else
#define HAS_TIME (held && lease == s[me].token)
#define MAY_END !FLYING
#endif
#ifdef WITHOUT_DOUBT_GIVEN_BACK /* model: doubt given back */
#define DOUBT_GIVEN_BACK false
#else
#define DOUBT_GIVEN_BACK s[me].unsure
#endif

/* model: release */
inline release()
{
        if
        :: lease == s[me].token -> give_back(DOUBT_GIVEN_BACK)
        :: else
        fi;
        holds();
        end_errand()
}

proctype server(byte me)
{
        byte step, heard;
        bool seen; /* that a check left the doubt */

idle:
end:    atomic {
                at == DUE && !held && !IS_QUIET && (me == 0 || s[0].token != 0) -> /* model: claim */
                s[me].want = want;
                s[me].told = told;
                s[me].tries = tries;
                s[me].at = DUE;
                s[me].unsure = unsure;
#ifdef SQLITE
#ifndef WITHOUT_DOUBT_AFTER_A_LEASE /* model: doubt after a lease */
                s[me].unsure = unsure || lease != 0;
#endif
#elif !defined(WITHOUT_DOUBT_OF_THE_HOLDER) /* model: doubt of the holder */
                unsure = true;
#endif
                new_token(s[me].token);
                lease = s[me].token;
                held = true;
                set_step()
        }
        goto go_on;

go_on:
        if
        :: step == 0 -> goto settling
        :: atomic {
                step > 0 && HAS_TIME -> /* model: call */
                assert(!FLYING); /* two are never on their way at once */
                wire[me] = step;
                doubt[me] = s[me].unsure;
                looked[me] = seen }
        :: atomic { step > 0 && !HAS_TIME -> release(); goto idle }
        :: atomic { FAULT; release(); goto idle } /* it shall stop */
        :: atomic { FAULT; crash(); goto idle } /* or the claim's answer is lost */
        fi;

        if
        :: atomic {
                wire[me] != 0 ->
                carry(me, heard);
                judge(heard);
                heard = 0;
                seen = false }
        :: atomic { FAULT; crash(); goto idle }
        fi;

settling:
        if
        :: atomic {
                settle(me);
                if
                :: s[me].more -> s[me].more = false; seen = s[me].unsure; set_step(); goto go_on
                :: else -> end_errand(); goto idle
                fi }
        :: atomic { FAULT; settle(me); goto settling } /* and nobody heard: the same once more */
        :: atomic { FAULT; end_errand(); goto idle } /* the store did not take it before the lease ran out */
        :: atomic {
                faults > 0 && s[LATE].token == 0 ->
                faults--;
                s[LATE].token = s[me].token;
                s[LATE].want = s[me].want;
                s[LATE].told = s[me].told;
                s[LATE].tries = s[me].tries;
                s[LATE].at = s[me].at;
                s[LATE].unsure = s[me].unsure;
                s[LATE].more = s[me].more;
                s[LATE].dead = s[me].dead;
                crash();
                goto idle }
        fi
}

/* ---- who brings facts, and time ---- */

active proctype courier()
{
        do
        :: atomic { rank < ON_THE_WAY -> fact(ON_THE_WAY, false) }
        :: atomic { rank < DELIVERED -> fact(DELIVERED, false) }
        :: atomic { rank < DELIVERED -> fact(CANCELLED, false) }
#ifndef FIRM
        :: atomic { own == 0 && stands < DELIVERED -> /* the platform, by itself */
                if
                :: stands < ON_THE_WAY -> own = ON_THE_WAY
                :: own = DELIVERED
                :: own = CANCELLED
                fi;
                stands = own;
                notice = own }
        :: atomic { notice > 0 -> fact(notice, true); notice = 0 }
#endif
        :: break /* nobody has to */
        od
}

active proctype time()
{
        byte heard;

end:    do
        :: atomic { at == LATER -> at = DUE }
        :: atomic { held && MAY_END && !IS_HELD(lease) -> held = false }
        :: atomic { held && MAY_END && IS_HELD(lease) && faults > 0 -> faults--; held = false }
        :: atomic { s[LATE].token != 0 -> settle(LATE); forget(LATE) }
        :: atomic { wire[0] != 0 && s[0].token == 0 -> carry(0, heard); heard = 0 } /* whose caller is dead */
#ifndef SQLITE
        :: atomic { wire[1] != 0 && s[1].token == 0 -> carry(1, heard); heard = 0 }
#endif
        :: atomic { dead && replays > 0 -> /* model: replay */
                replays--;
                dead = false;
                tries = 0;
#ifndef WITHOUT_DUE_AGAIN /* model: due again */
                at = DUE;
#endif
                holds() }
        od
}

init
{
        atomic {
                run server(0);
#ifndef SQLITE
                run server(1)
#endif
        }
}

/* Once nothing goes wrong any more, all is told, or seen to be given up. */
#ifdef LIVENESS
#define settled (at == NOT_DUE && !held && (dead || !(IS_OWED(told, want, unsure))))
ltl comes_to_rest { <> [] settled }
#endif

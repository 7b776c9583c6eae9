/* The lease protocol, small enough for spin to try every order in which its steps can come. docs/lease-model.md says
 * what each step here is in the code.
 *
 * How to read it: a `proctype` is a process; between any two of its statements every other process may act. A `d_step`
 * happens at once: here it is one SQL transaction, or one request to Kubernetes. Of the branches of a `do` or `if` any
 * may be taken whose first statement (its guard) is true; where none is, the process waits. An `assert` holds always.
 * Faults (lost answers, refusals, deaths, deletions, crashes) are counted: each takes one from `faults`, and which one
 * comes, when and where, is open. Time is left out: what may happen after a while may happen at any time.
 *
 * From outside come JOBS, EPOCHS (runs a job may have: its budgets in one), FAULTS, ENDS (1: only ticks that would do
 * something, so that all that happens has an end; 0: any), and MISTAKE, which is 0 or one of these:
 */
#define NO_FENCE 1              /* a load is committed without the fence */
#define NO_POOL_LOCK 2          /* slots are counted in one transaction, and runs inserted in another */
#define FAIL_OPEN 3             /* an observation without an answer reads as "nothing there" */
#define EPOCH_STAYS 4           /* a job's next run has the epoch of the one before */
#define GIVE_BACK_BLIND 5       /* a refused launch frees the slot, whoever may have taken the run since */
#define NO_TERMINATE 6          /* loads that stand still are left alone */
#define BY_JOB_UID 7            /* pods that a deleted Job has left are not looked at beside a new Job of that name */
#define STRICT 8                /* no mistake, but more than holds: no pod at all is alive when a slot is freed */
#define MAX 1                   /* the pool's maximum */
#define RUNS (JOBS * EPOCHS)    /* at most 2; run r is of job r / EPOCHS */

mtype = { queued, running, completed, failed, cancelled,                    /* a job; `scheduled` counts as queued */
          none, live, slow, over, gone,                                     /* a pod, as Kubernetes tells of it */
          waiting, taken, ready, loading, stuck, stuck_fenced, finished,    /* how far its runner's process is */
          nothing, launch_it, settle_it, stop_it, never_launched, too_slow };   /* what a controller is to do */
typedef Job { mtype state = queued; byte epoch; bool cancel; byte commits }
typedef Run { bool claimed; bool launched; byte runner; bool ended; bool committed; bool released }
typedef Kube { bool job; bool made; byte late }         /* is the Job there, was its pod made, creates under way */
typedef Pod { mtype seen = none; mtype step = waiting; bool orphan }            /* orphan: its Job was deleted */
Job jobs[JOBS]; Run runs[RUNS]; Kube kube[RUNS]; Pod pods[RUNS * 2];            /* a run's pods are numbered 1 and 2 */
byte faults = FAULTS;
hidden byte i;                  /* used within one d_step only */

#define fault faults > 0 -> faults--
#define both(what) (what(0) + (RUNS == 2 && what(RUNS - 1)))                    /* how many of the runs */
#define job_of(r) jobs[(r) / EPOCHS]
#define pod_of(r, p) pods[(r) * 2 + (p) - 1]
#define current(r) (job_of(r).state == running && job_of(r).epoch == (r) % EPOCHS + 1)
#define holds(r) (runs[r].claimed && !runs[r].released)                         /* its slot */
#define in_load(x) (pods[x].step == loading || pods[x].step == stuck || pods[x].step == stuck_fenced)
#define earlier_load(r) ((r) % EPOCHS > 0 && (in_load((r) * 2 - 2) || in_load((r) * 2 - 1)))
#define locked(r) (pod_of(r, 1).step == stuck_fenced || pod_of(r, 2).step == stuck_fenced)      /* by a load */
#define fence(r, p) (MISTAKE == NO_FENCE || \
    (current(r) && !job_of(r).cancel && runs[r].runner == p && !runs[r].ended))
#define hidden_pod(r, p) (MISTAKE == BY_JOB_UID && kube[r].job && pod_of(r, p).orphan)
#define shown(r, p) (pod_of(r, p).seen == live && !hidden_pod(r, p))
#define no_pod_yet(r) (kube[r].job && !kube[r].made)
#define alive(r) (no_pod_yet(r) || shown(r, 1) || shown(r, 2))
#define not_started(r) (kube[r].job && alive(r) && pod_of(r, 1).step == waiting && pod_of(r, 2).step == waiting)
#define works(r) (MISTAKE == STRICT -> alive(r) : \
    runs[r].runner != 0 && pod_of(r, runs[r].runner).seen == live)              /* a live pod has taken the run */

/* --- Kubernetes, and the runner in each pod ---------------------------------------------------------------------- */
inline delete_job() {           /* in the background: its pods end later */
    kube[r].job = false; kube[r].made = false;
    for (i : r * 2 .. r * 2 + 1) {
        if :: pods[i].seen == live -> pods[i].orphan = true
           :: pods[i].seen == over -> pods[i].seen = gone :: else fi } i = 0 }
#define make(r, p) pod_of(r, p).seen = (pod_of(r, p).seen == none -> live : pod_of(r, p).seen)
proctype Cluster(byte r) {
end: do
    :: d_step { no_pod_yet(r) -> kube[r].made = true;                   /* a pod; a third one of a run dies at once */
        if :: pod_of(r, 1).seen == none -> make(r, 1) :: else -> make(r, 2) fi }
    :: d_step { kube[r].job && kube[r].made && fault; make(r, 2) }      /* a duplicate pod */
    :: d_step { kube[r].job && fault; delete_job() }                    /* deleted under us */
    :: d_step { kube[r].late > 0 -> kube[r].late--; kube[r].job = true }        /* a create without answer comes late */
    :: d_step { kube[r].late > 0 -> kube[r].late-- }                    /* or not at all */
    :: d_step { kube[r].job && runs[r].released && !alive(r) -> delete_job() }  /* settled, released, expired */
    od }

inline terminate(last) {        /* terminate_runners: ends the load sessions of the job of r, up to this run's */
    d_step { for (i : r / EPOCHS * EPOCHS * 2 .. (last) * 2 + 1) {
        if :: in_load(i) && MISTAKE != NO_TERMINATE -> pods[i].step = finished :: else fi } i = 0 } }
#define me pod_of(r, p)
#define leave(how) me.seen = (me.orphan -> gone : how); me.orphan = false
proctype PodAndRunner(byte r; byte p) {
end: do
    :: d_step { me.seen != none && me.step == waiting ->                /* take_run: only one pod does */
        if :: current(r) && !job_of(r).cancel && !runs[r].ended && runs[r].runner == 0 ->
                runs[r].runner = p; me.step = taken; assert(holds(r)); assert(both(works) <= MAX)
           :: else -> me.step = finished fi }                           /* lost_lease */
    :: me.step == taken -> terminate(r - 1); me.step = ready            /* what earlier epochs are still loading */
    :: d_step { me.step == ready -> me.step = (fence(r, p) -> loading : finished) }
    :: d_step { me.step == loading && !earlier_load(r) ->               /* else its rows wait for theirs */
        if :: fence(r, p) ->                                            /* rows, dataset, job and run in one commit */
                runs[r].committed = true; job_of(r).state = completed; job_of(r).commits++;
                assert(job_of(r).commits == 1); assert(MISTAKE == NO_FENCE || (!runs[r].ended && !job_of(r).cancel))
           :: else fi; me.step = finished }
    :: d_step { me.step == ready && fault; me.step = finished }         /* leaves without a commit */
    :: d_step { me.step == loading && fault; me.step = stuck }          /* stands still in its load, before the fence */
    :: d_step { me.step == loading && !earlier_load(r) && fence(r, p) && fault; me.step = stuck_fenced }  /* after */
    /* the pod ends: with its process; at its deadline, a session that stands still being left; with its Job */
    :: d_step { me.seen == live && (me.step == finished || me.step == stuck || me.step == stuck_fenced) -> leave(over) }
    :: d_step { me.seen == live && me.orphan -> leave(gone); me.step = finished }
    :: d_step { me.seen == live && fault; leave(over); me.step = finished }             /* killed */
    :: d_step { me.seen == live && fault; leave(gone) }         /* a zombie: gone from the cluster, and still at work */
    od }

/* --- the client, and the controllers ----------------------------------------------------------------------------- */
proctype Client() {             /* jobs cancel of the first job, or not */
    if :: skip
       :: d_step { jobs[0].epoch == 0 || !locked(jobs[0].epoch - 1) ->
            if :: jobs[0].state == queued -> jobs[0].state = cancelled
               :: jobs[0].state == running -> jobs[0].cancel = true; runs[jobs[0].epoch - 1].ended = true
               :: else fi } fi }
#define next_job (jobs[0].state == queued -> 0 : JOBS - 1)
#define may_claim (jobs[next_job].state == queued && both(holds) < MAX)
#define next_run runs[i * EPOCHS + jobs[i].epoch - 1]
inline claim() {
    i = next_job;
    if :: jobs[i].state == queued ->
            jobs[i].state = running; jobs[i].epoch = (MISTAKE == EPOCH_STAYS -> 1 : jobs[i].epoch + 1);
            assert(!next_run.claimed); next_run.claimed = true;         /* asserted: the primary key of runs */
            assert(both(holds) <= MAX)
       :: else fi; i = 0 }
proctype Claims() {             /* of any controller: they go by nothing that was seen before */
end: do
    :: d_step { MISTAKE != NO_POOL_LOCK && may_claim -> claim() }
    :: d_step { MISTAKE == NO_POOL_LOCK && may_claim }; d_step { claim() }
    od }
#define or_crash :: d_step { fault } goto next          /* the controller dies here, and starts again knowing nothing */
inline find() {                 /* launcher.get: asks for the run by its name */
    if :: d_step { ok = alive(r) } :: d_step { MISTAKE == FAIL_OPEN && fault; ok = false } fi }
inline end_run() {              /* only_unstarted */
    d_step { ok = !runs[r].ended && !runs[r].committed && runs[r].runner == 0; runs[r].ended = runs[r].ended || ok } }
inline settle() {               /* was_taken: the run had a runner when it was last read */
    terminate(r);
    d_step {
        ok = !locked(r) && !runs[r].released && (was_taken || runs[r].runner == 0);
        if :: ok ->                                     /* else: patience over, or settled, or taken since */
                assert(!works(r)); runs[r].ended = true; runs[r].released = true;
                if :: current(r) && !runs[r].committed -> job_of(r).state =
                        (job_of(r).cancel -> cancelled : (job_of(r).epoch == EPOCHS -> failed : queued)) :: else fi;
                runs[r].runner = 0; runs[r].launched = false;           /* nobody asks any more: fewer states */
                for (i : r * 2 .. r * 2 + 1) { if :: pods[i].seen == over -> pods[i].seen = gone :: else fi } i = 0
           :: else fi }
    if :: ok -> terminate(r) :: !ok or_crash fi }
inline launch() {
    if :: d_step { ok = kube[r].job; kube[r].job = true }
            if :: ok && kube[r].job -> skip             /* AlreadyExists: adopted, if it is still there */
               :: ok && !kube[r].job -> goto next       /* else the same name again at the next tick */
               :: !ok -> ok = true or_crash fi
       :: d_step { fault; ok = kube[r].job }            /* refused: adopted, if it is there all the same */
       :: d_step { fault; kube[r].late++ } goto next    /* no answer: again at the next tick */
    fi;
    if :: ok -> runs[r].launched = !runs[r].released    /* record_launches */
       :: !ok && MISTAKE == GIVE_BACK_BLIND -> was_taken = true; settle()
       :: !ok && MISTAKE != GIVE_BACK_BLIND -> end_run();       /* given back, if it has not come through after all */
            if :: ok -> d_step { ok = !kube[r].job && !alive(r) } :: !ok or_crash fi;
            if :: ok -> settle() :: else fi fi }
/* What a tick that nothing disturbs would do for a run: something, or nothing at all. */
#define to_do(r) ((kube[r].job && alive(r) && (!holds(r) || runs[r].ended)) || (holds(r) && (alive(r) -> \
    !runs[r].launched && !runs[r].ended : kube[r].job || runs[r].launched || !runs[r].ended || kube[r].late == 0)))
#define other (RUNS - 1 - r)
#define tick !ENDS || both(to_do) > 0 -> r = (to_do(other) || (!ENDS && (holds(other) || kube[other].job)) -> other : r)
proctype Controller() {         /* ticks, each for one run: they go by nothing that was seen of another */
    byte r; mtype seen = none, act = nothing; bool own, was_taken, ok;
begin: do
    :: if  :: d_step { tick;                                            /* observe: the launcher is read first, */
                if :: !kube[r].job -> seen = none
                   :: kube[r].job && alive(r) -> seen = live
                   :: else -> seen = over; own = (runs[r].runner != 0 && pod_of(r, runs[r].runner).seen == over) fi }
           :: d_step { not_started(0) && fault; r = 0; seen = slow }    /* not before the deadline */
           :: d_step { not_started(RUNS - 1) && fault; r = RUNS - 1; seen = slow }
           :: d_step { MISTAKE == FAIL_OPEN && fault; seen = none }
        fi;
        d_step {                                                        /* then the database; and that is acted upon */
            if :: !holds(r) -> if :: seen == live || seen == slow -> act = stop_it :: else fi           /* an orphan */
               :: holds(r) && seen == over -> act = settle_it; ok = (runs[r].runner != 0 && !own)
               :: holds(r) && seen == none && runs[r].launched -> act = settle_it; ok = true
               :: holds(r) && seen == none && runs[r].ended && !runs[r].launched -> act = never_launched
               :: holds(r) && (seen == live || seen == slow) && runs[r].ended -> act = stop_it
               :: holds(r) && seen != over && !runs[r].ended && !runs[r].launched -> act = launch_it
               :: holds(r) && seen == slow && !runs[r].ended && runs[r].launched -> act = too_slow
               :: else fi;
            was_taken = ((act == settle_it || act == never_launched) && runs[r].runner != 0);
            seen = none; own = false }
        if :: act == nothing -> goto begin
           :: act == settle_it ->                       /* vanished, or taken by another pod than was seen: ask again */
                if :: ok -> find() :: !ok or_crash fi; if :: !ok -> settle() :: else fi
           :: act == never_launched && kube[r].late > 0 -> goto next    /* a create may still come */
           :: act == never_launched && kube[r].late == 0 ->
                find(); if :: !ok -> settle() :: else -> d_step { delete_job() } fi
           :: act == stop_it -> d_step { delete_job() }
           :: act == launch_it -> launch()
           :: act == too_slow -> end_run(); if :: ok -> d_step { delete_job() } :: !ok or_crash fi fi;
next:   if :: d_step { act = nothing; ok = false; was_taken = false } fi
    od }

/* --- everything ends --------------------------------------------------------------------------------------------- */
#define unfinished(r) (job_of(r).state == queued || job_of(r).state == running || holds(r) || alive(r))
proctype Watch() { end: timeout -> assert(both(unfinished) == 0) }      /* when nobody has anything to do any more */
init { atomic {
    run Cluster(0); run PodAndRunner(0, 1); run PodAndRunner(0, 2);
    if :: RUNS == 2 -> run Cluster(1); run PodAndRunner(1, 1); run PodAndRunner(1, 2) :: else fi;
    run Client(); run Claims(); run Controller(); run Controller();
    if :: MISTAKE == NO_POOL_LOCK -> run Claims() :: else fi;
    run Watch() } }

// A worker is stopped at every crash point that the sagas' tables yield (crash/points.h), once by
// abort and once by SIGSTOP; another takes over, and in the end all is as it would have been
// without: crash/end_state.h says what "all" is. A point that no scenario passes fails.
//
// A takeover takes as long as the group needs to miss a dead member (session.timeout.ms, at least
// 6 s), so many are under way side by side: this program starts itself again as LANES lanes, each
// with topics of one partition, a ledger, a sandbox and a group of its own. A lane
//  - first tells some of the scenarios undisturbed, and leaves for all lanes what was passed
//    (CRASH_POINT_TRACE) and how it ended; when all of them are there,
//  - takes its share of the points. What a scenario needs beforehand is done by the lane's standby,
//    a worker that lives as long as the lane. Then the victim joins the group; the partition goes
//    to it, because the range assignor sorts members by their client.id, and back to the standby
//    when it is gone. Static membership would be faster, but then the thawed victim would end at
//    once (fenced), instead of having to notice that it was overtaken.
//  - tells every scenario once more in which nobody crashes: in the middle of the command a third
//    worker joins, gets the partition, and leaves in order afterwards.
// So a new command is covered by its scenario alone.
//
// In the end it prints what was covered, a line for each step of each command.
//
// e2e_crash_points PATTERN: only what matches ("call.*=stop", "*=hand over").
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash/covered.h"
#include "crash/end_state.h"
#include "crash/points.h"
#include "crash/scenarios.h"
#include "crash/story.h"
#include "support/cmocka.h"
#include "support/wait.h"
#include "support/world.h"

enum {
    LANES = CRASH_BY_SQL ? 8 : 20, // clusters take more than one
    RECORD_SECONDS = 300,
    ALL_SECONDS = 1500,
    JOBS_MAX = 2 * POINTS_MAX + 100,
};

// What is freed is kept for a while, to be noticed when it is used: 256 MiB of it in each of twenty
// lanes is more than machines have. The workers keep theirs.
// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizer asks for this name
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}
// NOLINTEND(bugprone-reserved-identifier)

static struct {
    const char *dir; // of all lanes
    int number;
    Teller teller;
} lane;

typedef struct Job {
    const char *what; // point; of a rebalance the scenario's name
    const char *way;  // COVERED_*
    size_t scenario;  // of a rebalance
} Job;

// ---- stories without a crash

static const char *file_of(size_t scenario, const char *what)
{
    return box_text("%s/scenario-%zu.%s", lane.dir, scenario, what);
}

static void record(const Scenario *scenario, size_t number)
{
    Story story;
    const char *draft = file_of(number, "draft");
    story_begin(&lane.teller, &story, scenario, "CRASH_POINT_TRACE", file_of(number, "trace"));
    story_await_outcome(&story);
    story_stop_victim(&story);
    json_t *state = story_end(&story);
    assert_int_equal(json_dump_file(state, draft, JSON_INDENT(2) | JSON_SORT_KEYS), 0);
    assert_int_equal(rename(draft, file_of(number, "json")), 0);
    json_decref(state);
}

static bool are_all_recorded(void *context)
{
    (void)context;
    size_t count = 0;
    (void)scenarios_table(&count);
    if (access(box_text("%s/failed", lane.dir), F_OK) == 0) {
        fail_msg("another lane has failed");
    }
    for (size_t i = 0; i < count; i++) {
        if (access(file_of(i, "json"), F_OK) != 0) {
            return false;
        }
    }
    return true;
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--operation-ms", "20",
                                          CRASH_BY_SQL ? NULL : "--no-compute", NULL};
    static const char *const TOPICS[] = {"--set", "topics.partitions=1", NULL};
    size_t count = 0;
    const Scenario *scenarios = scenarios_table(&count);
    void *world = NULL;
    (void)state; // each test has its job there
    world_begin(&world, &(WorldOptions){.sandbox = SANDBOX, .topics = TOPICS});
    story_open(&lane.teller, world);
    for (size_t i = (size_t)lane.number; i < count; i += LANES) {
        record(&scenarios[i], i);
    }
    wait_until(are_all_recorded, NULL, RECORD_SECONDS, "the stories of the other lanes");
    return 0;
}

static int end(void **state)
{
    (void)state;
    void *world = lane.teller.world;
    story_close(&lane.teller);
    return world_end(&world);
}

// ---- stories with one

static bool passes(size_t scenario, const char *point)
{
    char *trace = process_read_log(file_of(scenario, "trace"));
    bool found = covered_has_line(trace, point);
    free(trace);
    return found;
}

static size_t find_scenario(const char *point)
{
    size_t count = 0;
    (void)scenarios_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (passes(i, point)) {
            return i;
        }
    }
    fail_msg("no scenario passes %s: crash/scenarios.c needs one that does", point);
    return 0;
}

static void expect_end(Story *story, size_t scenario)
{
    json_t *wanted = json_load_file(file_of(scenario, "json"), 0, NULL);
    assert_non_null(wanted);
    json_t *found = story_end(story);
    bool is_same = end_state_is_same(wanted, found);
    json_decref(wanted);
    json_decref(found);
    assert_true(is_same);
}

static void note_covered(const Job *job)
{
    covered_note(box_text("%s/covered", lane.dir), job->what, job->way);
}

static void ends_as_without_a_crash(void **state)
{
    const Job *job = *state;
    Story story;
    size_t number = find_scenario(job->what);
    size_t count = 0;
    bool aborts = strcmp(job->way, COVERED_ABORT) == 0;
    story_begin(&lane.teller, &story, &scenarios_table(&count)[number], "CRASH_POINT_AT",
                box_text("%s=%s", job->what, job->way));
    story_await_crash(&story, job->what, aborts);
    story_await_outcome(&story);
    if (!aborts) {
        story_thaw(&story, job->what);
    }
    expect_end(&story, number);
    note_covered(job);
}

// Together longer than a member needs to hear that the group shares out anew (3 s); each less than
// neon.request_timeout.
#define SLOW_CALLS "{'kind': 'slow', 'route': '*', 'count': 2, 'ms': 2100}"

static void ends_as_without_a_rebalance(void **state)
{
    Job *job = *state;
    Story story;
    size_t count = 0;
    const Scenario *scenario = &scenarios_table(&count)[job->scenario];
    story_begin(&lane.teller, &story, scenario, "CRASH_POINT_AT", STORY_HELD);
    (void)sandbox_fault(lane.teller.world, SLOW_CALLS);
    story_hand_over(&story);
    bool is_handed_over = story_takeovers(&story) > 0;
    assert_true(is_handed_over || scenario_is_short(scenario));
    job->way = is_handed_over ? COVERED_HAND_OVER : COVERED_BEFORE;
    story_stop_victim(&story);
    expect_end(&story, job->scenario);
    note_covered(job);
}

// With their clusters, which would become too many.
static void delete_projects(World *world)
{
    REPLY reply = sandbox_state(world);
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        const char *id = box_string(project, "id");
        REPLY gone = box_call_as(&world->box, world->api_key, NULL, "DELETE",
                                 box_text("/projects/%s", id), NULL);
        assert_true(gone.status < 500);
    }
}

static int kill_victim(void **state)
{
    (void)state;
    for (size_t i = 1; i < lane.teller.world->worker_count; i++) {
        process_kill(&lane.teller.world->workers[i]);
    }
    sandbox_clear_faults(lane.teller.world);
    if (CRASH_BY_SQL) {
        delete_projects(lane.teller.world);
    }
    return 0;
}

// ---- lanes

typedef struct Jobs {
    Job list[JOBS_MAX];
    struct CMUnitTest tests[JOBS_MAX];
    size_t count;
} Jobs;

static void add_job(Jobs *jobs, Job job, CMUnitTestFunction test)
{
    assert_true(jobs->count < JOBS_MAX);
    jobs->list[jobs->count] = job;
    jobs->tests[jobs->count] = (struct CMUnitTest){
        .name = box_text("%s=%s", job.what, job.way),
        .test_func = test,
        .teardown_func = kill_victim,
        .initial_state = &jobs->list[jobs->count],
    };
    jobs->count++;
}

static bool is_mine(size_t number)
{
    return number % LANES == (size_t)lane.number;
}

static void share_out(Jobs *jobs)
{
    static Points points;
    size_t count = 0;
    const Scenario *scenarios = scenarios_table(&count);
    points_make(CRASH_BY_SQL, &points);
    for (size_t i = 0; i < points.count; i++) {
        if (is_mine(i)) {
            add_job(jobs, (Job){points.names[i], COVERED_ABORT, 0}, ends_as_without_a_crash);
        }
        if (is_mine(i + LANES / 2)) {
            add_job(jobs, (Job){points.names[i], COVERED_STOP, 0}, ends_as_without_a_crash);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (is_mine(points.count + i) && scenario_can_wait(&scenarios[i])) {
            add_job(jobs, (Job){scenarios[i].name, COVERED_HAND_OVER, i},
                    ends_as_without_a_rebalance);
        }
    }
}

static int run_lane(const char *dir, const char *number)
{
    static Jobs jobs;
    lane.dir = dir;
    lane.number = (int)strtol(number, NULL, 10);
    share_out(&jobs);
    int failed = _cmocka_run_group_tests("lane", jobs.tests, jobs.count, begin, end);
    if (failed != 0) {
        FILE *file = fopen(box_text("%s/failed", dir), "we");
        assert_non_null(file);
        (void)fclose(file);
    }
    return world_conclude(failed);
}

static bool have_ended(void *context)
{
    Process *lanes = context;
    for (int i = 0; i < LANES; i++) {
        if (!process_has_ended(&lanes[i])) {
            return false;
        }
    }
    return true;
}

// Returns whether it has failed; its log is printed then.
static bool tell(const Process *process)
{
    if (process->status != 0) {
        char *log = process_read_log(process->log);
        (void)fputs(log, stdout);
        free(log);
    }
    return process->status != 0;
}

static void print_covered(const char *file)
{
    static Points points;
    size_t count = 0;
    const Scenario *scenarios = scenarios_table(&count);
    const char *names[JOBS_MAX];
    for (size_t i = 0; i < count; i++) {
        names[i] = scenarios[i].name;
    }
    points_make(CRASH_BY_SQL, &points);
    covered_print(file, &points);
    covered_print_names(file, names, count, COVERED_HAND_OVER);
    covered_print_names(file, names, count, COVERED_BEFORE);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static const char *pattern;

static void every_crash_ends_as_if_there_had_been_none(void **state)
{
    Process lanes[LANES];
    int failed = 0;
    char dir[] = "/tmp/provision-crash-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < LANES; i++) {
        const char *const argv[] = {"/proc/self/exe",  "--lane", dir,
                                    box_text("%d", i), pattern,  NULL};
        process_start(&lanes[i], argv, box_text("%s/lane-%d.log", dir, i));
    }
    wait_until(have_ended, lanes, ALL_SECONDS, "the end of all lanes, see %s", dir);
    for (int i = 0; i < LANES; i++) {
        failed += tell(&lanes[i]);
    }
    print_covered(box_text("%s/covered", dir));
    assert_int_equal(failed, 0);
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
    world_require();
    bool is_lane = argc > 3 && strcmp(argv[1], "--lane") == 0;
    pattern = argc > (is_lane ? 4 : 1) ? argv[argc - 1] : NULL;
    if (is_lane) {
        cmocka_set_test_filter(pattern);
        return run_lane(argv[2], argv[3]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_crash_ends_as_if_there_had_been_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

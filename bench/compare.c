/* luge beside NumPy, PyTorch and scikit-learn: time per training step of the workloads (workloads.h), in one table.
 *
 *     make bench                          all of them, with one thread and with two
 *     make bench BENCH="b c"              these; "i" is all of i
 *     make bench PYTHON=python3.12        the interpreter that has NumPy, PyTorch, scikit-learn; without them luge is alone
 *     build/bench/compare --help          rounds, their length, threads
 *
 * Every contestant is a process that sleeps until it is told to make so many steps. They take turns, round by round, so
 * that whatever else the machine does meets them all; ratios are medians of the rounds' ratios. First each makes the same
 * steps from the same weights on the same data: a rival whose loss is not luge's to 1e-4 computes something else, its
 * figures are void, and the exit status is 1. */
#include "table.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CHOICES = 32, MOST_THREADS = 8, CHECKED_STEPS = 20, STARTS = 5 };

#define TOLERANCE 1e-4

typedef struct options {
    const char *python, *rivals, *worker, *out;
    const char *choices[MOST_CHOICES];
    size_t choice_count, threads[MOST_THREADS], thread_count, rounds;
    double milliseconds;
    bool no_compiled, no_startup;
} options;

/* ------------------------------------------------------------ command line */

enum { KEY_RIVALS = 256, KEY_WORKER, KEY_NO_COMPILED, KEY_NO_STARTUP };

static const struct argp_option argp_options[] = {
    { "python", 'p', "PROGRAM", 0, "Interpreter of the rivals (default: python3)", 0 },
    { "rivals", KEY_RIVALS, "FOLDER", 0, "Their scripts (default: bench/rivals)", 0 },
    { "worker", KEY_WORKER, "PROGRAM", 0, "luge's contestant (default: build/bench/worker)", 0 },
    { "out", 'o', "FOLDER", 0, "Where bench.csv and bench.svg go (default: build/bench)", 0 },
    { "rounds", 'r', "N", 0, "Turns of every contestant (default: 9)", 0 },
    { "milliseconds", 'm', "N", 0, "About how long a turn is (default: 50)", 0 },
    { "threads", 't', "N,...", 0, "Numbers of threads, one table for each (default: 1,2)", 0 },
    { "quick", 'q', 0, 0, "7 rounds of 20 milliseconds, one thread, without compiled PyTorch", 0 },
    { "no-compiled", KEY_NO_COMPILED, 0, 0, "Without compiled PyTorch, which compiles for minutes the first time", 0 },
    { "no-startup", KEY_NO_STARTUP, 0, 0, "Without start-up times and memory", 0 },
    { 0 },
};

static size_t positive(struct argp_state *state, const char *text, const char *end, size_t most)
{
    char *stop;
    errno = 0;
    const unsigned long value = strtoul(text, &stop, 10);
    if (errno != 0 || stop != end || *text < '0' || *text > '9' || value == 0 || value > most)
        argp_error(state, "\"%s\" is not a number from 1 to %zu", text, most);
    return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    options *o = state->input;
    switch (key) {
    case 'p': o->python = arg; break;
    case KEY_RIVALS: o->rivals = arg; break;
    case KEY_WORKER: o->worker = arg; break;
    case 'o': o->out = arg; break;
    case 'r': o->rounds = positive(state, arg, arg + strlen(arg), MOST_ROUNDS); break;
    case 'm': o->milliseconds = (double)positive(state, arg, arg + strlen(arg), 60000); break;
    case 't':
        for (o->thread_count = 0; arg && o->thread_count < MOST_THREADS; o->thread_count++) {
            char *comma = strchr(arg, ',');
            o->threads[o->thread_count] = positive(state, arg, comma ? comma : arg + strlen(arg), LG_MAX_THREADS);
            arg = comma ? comma + 1 : NULL;
        }
        break;
    case 'q':
        o->rounds = 7;
        o->milliseconds = 20;
        o->thread_count = 1;
        o->no_compiled = true;
        break;
    case KEY_NO_COMPILED: o->no_compiled = true; break;
    case KEY_NO_STARTUP: o->no_startup = true; break;
    case ARGP_KEY_ARG:
        if (o->choice_count < MOST_CHOICES)
            o->choices[o->choice_count++] = arg;
        for (size_t i = 0;; i++) {
            const workload *w = workload_at(i);
            if (!w)
                argp_error(state, "there is no workload \"%s\": a to i, or one of them, as f1 or i.mse", arg);
            if (workload_chosen(w, arg))
                break;
        }
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static bool is_chosen(const options *o, const workload *w)
{
    for (size_t i = 0; i < o->choice_count; i++)
        if (workload_chosen(w, o->choices[i]))
            return true;
    return o->choice_count == 0;
}

/* --------------------------------------------------------------- contestants */

static char script_paths[3][4096];

static void name_contestants(comparison *all, const options *o)
{
    static const char *const scripts[] = { "numpy_rival.py", "torch_rival.py", "sklearn_rival.py" };
    for (size_t i = 0; i < 3; i++)
        snprintf(script_paths[i], sizeof script_paths[i], "%s/%s", o->rivals, scripts[i]);
    contestant *c = all->contestants;
    c[LUGE] = (contestant){ .name = "luge", .command = { o->worker } };
    c[LUGE_ALONE] = (contestant){ .name = "luge 1 thread", .command = { o->worker } };
    c[NUMPY] = (contestant){ .name = "NumPy", .rival = true, .command = { o->python, script_paths[0] } };
    c[FOREACH] = (contestant){ .name = "PyTorch foreach", .rival = true,
                               .command = { o->python, script_paths[1], "foreach" } };
    c[FUSED] = (contestant){ .name = "PyTorch fused", .rival = true,
                             .command = { o->python, script_paths[1], "fused" } };
    c[COMPILED] = (contestant){ .name = "PyTorch compiled", .rival = true,
                                .command = { o->python, script_paths[1], "compiled" } };
    c[SKLEARN] = (contestant){ .name = "scikit-learn", .rival = true, .command = { o->python, script_paths[2] } };
}

/* Whether the interpreter has a module; its complaints are not shown. */
static bool has_module(const options *o, const char *module)
{
    char command[4096];
    snprintf(command, sizeof command, "'%s' -c \"import importlib.util as u, sys; sys.exit(not u.find_spec('%s'))\" "
             "> /dev/null 2>&1", o->python, module);
    return system(command) == 0;
}

static bool takes_part(const options *o, size_t who, size_t threads, const bool has[3])
{
    switch (who) {
    case LUGE: return true;
    case LUGE_ALONE: return threads > 1;
    case NUMPY: return has[0];
    case SKLEARN: return has[0] && has[2];
    default: return has[0] && has[1] && !(who == COMPILED && o->no_compiled);
    }
}

/* ------------------------------------------------------------------ heading */

static void print_heading(const comparison *all)
{
    char line[512];
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && fgets(line, sizeof line, info))
        if (strncmp(line, "model name", 10) == 0) {
            printf("Processor     %s", strchr(line, ':') ? strchr(line, ':') + 2 : line);
            break;
        }
    if (info)
        fclose(info);
    double load[3] = { 0 };
    getloadavg(load, 3);
    printf("Processors    %ld; load of the last minute %.2f\n", sysconf(_SC_NPROCESSORS_ONLN), load[0]);
    for (size_t i = 0; i < CONTESTANTS; i++)
        if (all->contestants[i].pid && i != LUGE_ALONE)
            printf("Contestant    %s\n", all->contestants[i].about);
}

/* -------------------------------------------------------------------- rounds */

static bool agree(double x, double y)
{
    return fabs(x - y) <= TOLERANCE * fmax(1, fmax(fabs(x), fabs(y))) || (isnan(x) && isnan(y));
}

/* Gradients may be small: they agree by their own measure. */
static bool gradients_agree(double x, double y)
{
    return fabs(x - y) <= TOLERANCE * fmax(fabs(x), fabs(y));
}

/* The same steps from the same beginning; they warm up, too. */
static void check(comparison *all, row *r)
{
    const size_t steps = r->workload->name[0] == 'i' ? 1 : CHECKED_STEPS;
    for (size_t i = 0; i < CONTESTANTS; i++) {
        entry *e = &r->entries[i];
        timing t;
        contestant *c = &all->contestants[i];
        e->answer = c->pid ? contestant_run(c, r->workload->name, steps, &t) : ANSWER_NONE;
        if (e->answer != ANSWER_DONE)
            continue;
        e->loss = t.loss;
        e->gradient = t.gradient;
        const entry *luge = &r->entries[LUGE];
        e->disagrees = luge->answer == ANSWER_DONE &&
                       (!agree(e->loss, luge->loss) || !gradients_agree(e->gradient, luge->gradient));
        if (e->disagrees)
            fprintf(stderr, "bench: %s: %s is void: loss %.9g, gradient %.9g after %zu steps, luge's %.9g, %.9g\n",
                    r->workload->name, c->name, e->loss, e->gradient, steps, luge->loss, luge->gradient);
    }
}

/* Steps that take about a turn. */
static size_t steps_of_turn(contestant *c, const row *r, double wanted)
{
    timing t;
    for (size_t steps = 1;; steps *= 4) {
        if (contestant_run(c, r->workload->name, steps, &t) != ANSWER_DONE)
            return 1;
        if (t.seconds >= wanted / 8 || steps > 10000000)
            return (size_t)fmax(1, (double)t.steps * wanted / fmax(t.seconds, 1e-9));
    }
}

/* What it takes at least. Counting costs time, so it has steps of its own. */
static void ask_least(contestant *luge, row *r, size_t steps)
{
    double blas, seconds;
    if (contestant_blas(luge, r->workload->name, steps, &blas, &seconds) == ANSWER_DONE)
        r->blas[r->rounds] = blas / seconds / (double)r->threads;
    if (r->threads == 1)
        contestant_bare(luge, r->workload->name, &r->bare[r->rounds]);
}

static bool play(comparison *all, row *r, const options *o)
{
    size_t steps[CONTESTANTS] = { 0 };
    check(all, r);
    if (r->entries[LUGE].answer != ANSWER_DONE)
        return false;
    for (size_t i = 0; i < CONTESTANTS; i++)
        if (r->entries[i].answer == ANSWER_DONE) {
            steps[i] = steps_of_turn(&all->contestants[i], r, 1e-3 * o->milliseconds);
            contestant_settle(&all->contestants[i]);
        }
    for (r->rounds = 0; r->rounds < o->rounds; r->rounds++)
        for (size_t i = 0; i < CONTESTANTS; i++) {
            entry *e = &r->entries[i];
            timing t;
            if (e->answer != ANSWER_DONE)
                continue;
            e->answer = contestant_run(&all->contestants[i], r->workload->name, steps[i], &t);
            /* On one processor it is what the wall clock would say if nobody else ran there. */
            e->seconds[r->rounds] = (r->threads == 1 ? t.processor : t.seconds) / (double)t.steps;
            e->processor += t.processor / t.seconds / (double)o->rounds;
            if (i == LUGE)
                ask_least(&all->contestants[i], r, steps[i] / 4 + 1);
            contestant_settle(&all->contestants[i]);
        }
    for (size_t i = 0; i < CONTESTANTS; i++)
        contestant_drop(&all->contestants[i], r->workload->name);
    if (!o->no_startup) {
        double once;
        contestant_once(&all->contestants[LUGE], r->threads, r->workload->name, CHECKED_STEPS, &once, &r->memory);
    }
    return r->entries[LUGE].answer == ANSWER_DONE;
}

/* One thread count: all chosen workloads. */
static bool play_all(comparison *all, const options *o, size_t threads, const bool has[3], bool first)
{
    bool fine = true;
    for (size_t i = 0; i < CONTESTANTS; i++)
        if (takes_part(o, i, threads, has) && !contestant_start(&all->contestants[i], i == LUGE_ALONE ? 1 : threads))
            fine = fine && i != LUGE;
    if (first)
        print_heading(all);
    table_head(threads);
    const workload *w;
    for (size_t i = 0; fine && (w = workload_at(i)) && all->count < MOST_ROWS; i++) {
        if (!is_chosen(o, w))
            continue;
        row *r = &all->rows[all->count];
        *r = (row){ .workload = w, .threads = threads };
        fine = play(all, r, o);
        if (fine) {
            table_row(r);
            all->count++;
            fine = table_csv(all, o->out);
        }
    }
    for (size_t i = 0; i < CONTESTANTS; i++)
        contestant_stop(&all->contestants[i]);
    return fine;
}

/* What lg_fit costs beyond the steps themselves, and whether the machine was ours. */
static void print_foot(const comparison *all)
{
    double least = 1, sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const row *fit = &all->rows[i], *plain = NULL;
        for (size_t k = 0; k < all->count; k++)
            if (strcmp(all->rows[k].workload->name, "b") == 0 && all->rows[k].threads == fit->threads)
                plain = &all->rows[k];
        if (plain && strcmp(fit->workload->name, "b.fit") == 0)
            printf("\n%zu thread%s: to a step of b, lg_fit adds %.2f us (medians %.2f and %.2f)\n", fit->threads,
                   fit->threads == 1 ? "" : "s", 1e6 * (entry_median(fit, LUGE) - entry_median(plain, LUGE)),
                   1e6 * entry_median(fit, LUGE), 1e6 * entry_median(plain, LUGE));
        if (fit->threads == 1) {
            least = fmin(least, fit->entries[LUGE].processor);
            sum += fit->entries[LUGE].processor;
            count++;
        }
    }
    if (count > 0)
        printf("\nWith one thread luge had the processor for %.0f%% of its time, at worst %.0f%%: less than 97%% is a busy "
               "machine.\n", 100 * sum / (double)count, 100 * least);
}

static void measure_startups(comparison *all, const options *o, const bool has[3])
{
    for (size_t i = 0; i < CONTESTANTS; i++) {
        startup *s = &all->startups[i];
        for (size_t k = 0; k < STARTS && takes_part(o, i, 1, has); k++) {
            double seconds, bytes;
            if (!contestant_once(&all->contestants[i], 1, "a", CHECKED_STEPS, &seconds, &bytes))
                break;
            s->seconds = s->seconds > 0 ? fmin(s->seconds, seconds) : seconds;
            s->bytes = s->bytes > 0 ? fmin(s->bytes, bytes) : bytes;
        }
    }
    table_startups(all);
}

static bool any_void(const comparison *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t c = 0; c < CONTESTANTS; c++)
            if (all->rows[i].entries[c].answer == ANSWER_DONE && all->rows[i].entries[c].disagrees)
                return true;
    return false;
}

int main(int argc, char **argv)
{
    static const struct argp argp = { argp_options, parse, "[WORKLOAD...]",
                                      "Times training steps of luge beside its rivals.", 0, 0, 0 };
    options o = { .python = "python3", .rivals = "bench/rivals", .worker = "build/bench/worker", .out = "build/bench",
                  .threads = { 1, 2 }, .thread_count = 2, .rounds = 9, .milliseconds = 50 };
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    signal(SIGPIPE, SIG_IGN);
    const bool has[] = { has_module(&o, "numpy"), has_module(&o, "torch"), has_module(&o, "sklearn") };
    if (!has[0] || !has[1])
        printf("%s has no %s: luge is %s. make bench PYTHON=... names one that has.\n", o.python,
               has[0] ? "PyTorch" : "NumPy", has[0] ? "beside NumPy alone" : "alone");
    char cache[4096];
    mkdir(o.out, 0777);
    snprintf(cache, sizeof cache, "%s/inductor", o.out);
    setenv("TORCHINDUCTOR_CACHE_DIR", cache, 0);

    comparison *all = calloc(1, sizeof *all);
    if (!all)
        return EXIT_FAILURE;
    name_contestants(all, &o);
    bool fine = table_csv(all, o.out); /* a folder that cannot be written is known before the minutes are spent */
    for (size_t i = 0; i < o.thread_count && fine; i++)
        fine = play_all(all, &o, o.threads[i], has, i == 0);
    if (all->count > 0) {
        print_foot(all);
        table_misses(all);
    }
    if (fine && !o.no_startup)
        measure_startups(all, &o, has);
    const bool drawn = table_picture(all, o.out);
    fine = fine && drawn && !any_void(all);
    free(all);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

#include "table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How many times faster than PyTorch's faster eager form, and than NumPy, luge means to be with one thread, and how much
 * of its step is to be BLAS; 0: no goal. */
typedef struct goal {
    const char *workload;
    double eager, numpy, blas;
} goal;

static const goal goals[] = { { "a", 25, 4, 0 }, { "b", 50, 15, 0 }, { "c", 1.2, 0, 0.9 }, { "d", 1.3, 0, 0 },
                              { "e", 1.4, 0, 0 }, { "f1", 12, 0, 0 }, { "f2", 8, 0, 0 }, { "g", 250, 0, 0 },
                              { "h", 200, 0, 0 }, { "i.mse", 3, 0, 0 }, { "i.huber", 3, 0, 0 }, { "i.bce", 6, 0, 0 },
                              { "i.logits", 6, 0, 0 }, { "i.focal", 20, 0, 0 }, { "i.kl", 7, 0, 0 },
                              { "i.softmax", 4, 0, 0 }, { "i.triplet", 5, 0, 0 }, { "i.cosine", 10, 0, 0 } };

/* Those of a row: none (0) with more threads, or in double precision, where the rivals are in float. */
static goal goal_of(const row *r)
{
    for (size_t i = 0; r->threads == 1 && LG_REAL_BITS == 32 && i < sizeof goals / sizeof *goals; i++)
        if (strcmp(goals[i].workload, r->workload->name) == 0)
            return goals[i];
    return (goal){ r->workload->name, 0, 0, 0 };
}

/* And than PyTorch compiled, at anything: at most 1.05 of its time. */
#define GOAL_COMPILED (1 / 1.05)

/* -------------------------------------------------------------- statistics */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, size_t count)
{
    double sorted[MOST_ROUNDS];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

bool entry_counts(const row *r, size_t who)
{
    return who < CONTESTANTS && r->entries[who].answer == ANSWER_DONE && !r->entries[who].disagrees;
}

double entry_median(const row *r, size_t who)
{
    return median(r->entries[who].seconds, r->rounds);
}

double entry_least(const row *r, size_t who)
{
    double least = r->entries[who].seconds[0];
    for (size_t i = 1; i < r->rounds; i++)
        least = fmin(least, r->entries[who].seconds[i]);
    return least;
}

double entry_ratio(const row *r, size_t who)
{
    double ratios[MOST_ROUNDS];
    for (size_t i = 0; i < r->rounds; i++)
        ratios[i] = r->entries[who].seconds[i] / r->entries[LUGE].seconds[i];
    return median(ratios, r->rounds);
}

/* What the machine needs for a step: BLAS and the bare loops, as a share of luge's time. 0: nobody knows. */
static double floor_share(const row *r)
{
    double shares[MOST_ROUNDS];
    for (size_t i = 0; i < r->rounds; i++)
        shares[i] = r->blas[i] + r->bare[i] / r->entries[LUGE].seconds[i];
    const bool known = r->threads == 1 && (r->workload->bare.arrays > 0 || r->workload->bare.written > 0);
    return known ? median(shares, r->rounds) : 0;
}

size_t fastest_eager(const row *r)
{
    if (entry_counts(r, FOREACH) && entry_counts(r, FUSED))
        return entry_median(r, FUSED) < entry_median(r, FOREACH) ? FUSED : FOREACH;
    return entry_counts(r, FOREACH) ? FOREACH : entry_counts(r, FUSED) ? FUSED : CONTESTANTS;
}

/* ------------------------------------------------------------------- table */

static void print_time(double seconds)
{
    const double us = 1e6 * seconds;
    printf(us < 10 ? " %9.3f" : us < 1000 ? " %9.1f" : " %9.0f", us);
}

/* A rival's time, and how many times faster luge is; where that is not enough, what was wanted. */
static void print_rival(const row *r, size_t who, double times)
{
    if (who < CONTESTANTS && r->entries[who].answer == ANSWER_DONE && r->entries[who].disagrees) {
        printf(" | %9s %17s", "void", "other losses");
        return;
    }
    if (!entry_counts(r, who)) {
        printf(" | %9s %17s", "-", "");
        return;
    }
    const double ratio = entry_ratio(r, who);
    char wanted[16] = "";
    if (times > 0)
        snprintf(wanted, sizeof wanted, "%s %.*g", ratio < times ? "<" : "ok", times < 1 ? 2 : 3, times);
    printf(" |");
    print_time(entry_median(r, who));
    printf(ratio < 10 ? " %7.2fx %-8s" : " %7.0fx %-8s", ratio, wanted);
}

void table_head(size_t threads)
{
    printf("\n%zu thread%s: microseconds per step%s; of a rival, how many times faster luge is, and the goal\n", threads,
           threads == 1 ? "" : "s", threads == 1 ? " (processor time)" : " (wall clock)");
    printf("%-10s %9s %9s %10s %5s %5s %6s %6s %6s | %-27s | %-27s | %-27s | %s\n", "", "luge", "least", "samples/s", "BLAS",
           "floor", "GF/s", "MB", threads > 1 ? "by 1" : "", "NumPy", "PyTorch eager", "PyTorch compiled", "scikit-learn");
}

void table_row(const row *r)
{
    const workload *w = r->workload;
    const double step = entry_median(r, LUGE);
    const goal aim = goal_of(r);
    printf("%-10s", w->name);
    print_time(step);
    print_time(entry_least(r, LUGE));
    printf(" %10.4g %4.0f%%", (double)w->samples / step, 100 * median(r->blas, r->rounds));
    if (floor_share(r) > 0)
        printf(" %4.0f%%", 100 * floor_share(r));
    else
        printf(" %5s", "");
    if (w->flops > 0)
        printf(" %6.1f", 1e-9 * w->flops / step);
    else
        printf(" %6s", "");
    if (r->memory > 0)
        printf(" %6.1f", 1e-6 * r->memory);
    else
        printf(" %6s", "");
    if (entry_counts(r, LUGE_ALONE))
        printf(" %5.2fx", entry_ratio(r, LUGE_ALONE));
    else
        printf(" %6s", "");
    print_rival(r, NUMPY, aim.numpy);
    print_rival(r, fastest_eager(r) < CONTESTANTS ? fastest_eager(r) : FOREACH, aim.eager);
    print_rival(r, COMPILED, aim.eager > 0 ? GOAL_COMPILED : 0);
    print_rival(r, SKLEARN, 0);
    printf("\n");
    fflush(stdout);
}

void table_startups(const comparison *all)
{
    printf("\nFrom the start of the process to its end, 20 steps of workload a: seconds, most memory (luge: goals 6 ms, "
           "8 MB)\n");
    for (size_t c = 0; c < CONTESTANTS; c++)
        if (all->startups[c].seconds > 0)
            printf("    %-18s %9.4f s %8.1f MB\n", all->contestants[c].name, all->startups[c].seconds,
                   1e-6 * all->startups[c].bytes);
}

static void begin_miss(const row *r, size_t *misses)
{
    if ((*misses)++ == 0)
        printf("\nGoals missed:\n");
    printf("    %-10s ", r->workload->name);
}

static void print_miss(const row *r, size_t who, const char *name, double times, size_t *misses)
{
    if (times == 0 || !entry_counts(r, who) || entry_ratio(r, who) >= times)
        return;
    const double wanted = entry_median(r, who) / times, least = floor_share(r) * entry_median(r, LUGE);
    begin_miss(r, misses);
    printf("%.3g times as fast as %s would be %.4g us; it is %.3g times", times, name, 1e6 * wanted,
           entry_ratio(r, who));
    if (least > wanted)
        printf(": out of reach, BLAS and bare loops alone take %.4g us", 1e6 * least);
    else if (least > 0)
        printf(" (BLAS and bare loops alone take %.4g us)", 1e6 * least);
    printf("\n");
}

/* With nothing but BLAS and the bare loops, BLAS would be its share of the two. */
static void print_missing_blas(const row *r, double share, size_t *misses)
{
    const double blas = median(r->blas, r->rounds);
    if (blas >= share)
        return;
    begin_miss(r, misses);
    printf("%.0f%% of its step in BLAS: it is %.0f%%, and of BLAS and bare loops alone BLAS is %.0f%%\n", 100 * share,
           100 * blas, 100 * blas / floor_share(r));
}

void table_misses(const comparison *all)
{
    size_t misses = 0;
    for (size_t i = 0; i < all->count; i++) {
        const row *r = &all->rows[i];
        const goal aim = goal_of(r);
        print_miss(r, fastest_eager(r), "PyTorch eager", aim.eager, &misses);
        print_miss(r, COMPILED, "PyTorch compiled", aim.eager > 0 ? GOAL_COMPILED : 0, &misses);
        print_miss(r, NUMPY, "NumPy", aim.numpy, &misses);
        print_missing_blas(r, aim.blas, &misses);
    }
}

/* -------------------------------------------------------------------- files */

static FILE *open_in(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    return file;
}

static bool close_whole(FILE *file, const char *folder, const char *name)
{
    if (ferror(file) | fclose(file)) {
        fprintf(stderr, "bench: %s/%s: %s\n", folder, name, strerror(errno));
        return false;
    }
    return true;
}

bool table_csv(const comparison *all, const char *folder)
{
    FILE *file = open_in(folder, "bench.csv");
    if (!file)
        return false;
    fprintf(file, "workload,threads,contestant,median_us,least_us,samples_per_second,times_luge,loss,gradient,agrees,"
                  "processor_share,blas_share,floor_share,most_memory_bytes\n");
    for (size_t i = 0; i < all->count; i++) {
        const row *r = &all->rows[i];
        for (size_t c = 0; c < CONTESTANTS; c++) {
            const entry *e = &r->entries[c];
            if (e->answer != ANSWER_DONE)
                continue;
            const double seconds = entry_median(r, c);
            fprintf(file, "%s,%zu,%s,%.6g,%.6g,%.6g,%.5g,%.9g,%.9g,%d,%.3f,", r->workload->name, r->threads,
                    all->contestants[c].name, 1e6 * seconds, 1e6 * entry_least(r, c), (double)r->workload->samples / seconds,
                    entry_ratio(r, c), e->loss, e->gradient, !e->disagrees, e->processor);
            if (c == LUGE)
                fprintf(file, "%.4f,%.4f,%.0f\n", median(r->blas, r->rounds), floor_share(r), r->memory);
            else
                fprintf(file, ",,\n");
        }
    }
    return close_whole(file, folder, "bench.csv");
}

/* Bars of the rivals' times as multiples of luge's, for the rows of the first number of threads. */
typedef struct series {
    size_t who; /* FOREACH: the faster eager form */
    const char *title, *colour;
} series;

static size_t who_of(const series *s, const row *r)
{
    return s->who == FOREACH ? fastest_eager(r) : s->who;
}

static bool in_picture(const comparison *all, const row *r)
{
    return r->threads == all->rows[0].threads && !r->workload->run;
}

static size_t write_points(FILE *plot, const comparison *all, const series *s)
{
    size_t points = 0;
    for (size_t i = 0; i < all->count; i++) {
        const row *r = &all->rows[i];
        if (!in_picture(all, r))
            continue;
        const bool counts = entry_counts(r, who_of(s, r));
        points += counts;
        if (plot && counts)
            fprintf(plot, "\"%s\" %.6g\n", r->workload->name, entry_ratio(r, who_of(s, r)));
        else if (plot)
            fprintf(plot, "\"%s\" -\n", r->workload->name);
    }
    return points;
}

/* Where the axis begins: below 1, and below the bar of a rival that is faster still. */
static double least_shown(const comparison *all, const series *const *shown, size_t count)
{
    double least = 0.3;
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < all->count; i++) {
            const row *r = &all->rows[i];
            if (in_picture(all, r) && entry_counts(r, who_of(shown[s], r)))
                least = fmin(least, entry_ratio(r, who_of(shown[s], r)) / 2);
        }
    return least;
}

bool table_picture(const comparison *all, const char *folder)
{
    static const series every[] = { { COMPILED, "PyTorch compiled", "#9ecae1" }, { FOREACH, "PyTorch eager", "#3182bd" },
                                    { NUMPY, "NumPy", "#e6a23c" }, { SKLEARN, "scikit-learn", "#74c476" } };
    const series *shown[sizeof every / sizeof *every];
    size_t count = 0;
    for (size_t s = 0; s < sizeof every / sizeof *every; s++)
        if (write_points(NULL, all, &every[s]) > 0)
            shown[count++] = &every[s];
    if (count == 0 || system("command -v gnuplot > /dev/null 2>&1") != 0)
        return true;
    FILE *plot = popen("gnuplot", "w");
    if (!plot)
        return true;
    fprintf(plot, "set terminal svg size 900,420 background rgb 'white' font 'sans,12'\nset output '%s/bench.svg'\n",
            folder);
    fprintf(plot, "set title 'Time of a training step, as a multiple of luge''s (%zu thread%s)'\n", all->rows[0].threads,
            all->rows[0].threads == 1 ? "" : "s");
    fprintf(plot, "set style data histograms\nset style fill solid noborder\nset boxwidth 0.9\nset datafile missing '-'\n"
            "set logscale y\nset grid y\nset yrange [%g:*]\nset xtics rotate by 40 right noenhanced\nset key top right\n"
            "set arrow from graph 0, first 1 to graph 1, first 1 nohead lw 2 front\nplot ",
            least_shown(all, shown, count));
    for (size_t s = 0; s < count; s++)
        fprintf(plot, "'-' using 2:xtic(1) title '%s' linecolor rgb '%s'%s", shown[s]->title, shown[s]->colour,
                s + 1 < count ? ", " : "\n");
    for (size_t s = 0; s < count; s++) {
        write_points(plot, all, shown[s]);
        fputs("e\n", plot);
    }
    if (pclose(plot) != 0) {
        fprintf(stderr, "bench: gnuplot did not draw %s/bench.svg\n", folder);
        return false;
    }
    return true;
}

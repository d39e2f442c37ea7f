/* How the time of a training step grows: with the batch, the width and the depth of a network, the length of a sequence,
 * the rows of a data set.
 *
 *     build/bench/scaling [FOLDER [SWEEP...]]     writes scaling.csv and, with gnuplot, scaling.svg to the folder
 *                                                 (build/bench); sweeps: batch width depth length rows streamed memory
 *
 * Beside each time stands the work it is for (multiplications; elements; rows), and the time per work as a multiple of the
 * least so far in its sweep: where that is over 1.3, time grew faster than the arithmetic, and it says so. Caches that
 * become too small are the usual reason. Then, memory: the most that training a network needed, against parameters times
 * (value, gradient, two moments of Adam) and the results and gradients on the tape. One thread, processor time, the least
 * of several repetitions. */
#include "blas_time.h"
#include "workloads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOO_FAST_GROWTH 1.3

enum { PASSES = 3, MOST_SIZES = 16 };
enum { IN = 128, OUT = 10, ROW_FEATURES = 4, ROW_BATCH = 256, CTC_SAMPLES = 8, CTC_CLASSES = 32, CTC_LABELS = 5 };

/* What the session that is made next shall be. */
static struct {
    size_t rows, in, width, depth, length;
} shape;

/* --------------------------------------------------------------- networks */

/* in - width - ... - width - 10, `depth` hidden layers of relu. */
static bool make_network(session *s)
{
    size_t in = shape.in;
    s->tensors[0] = draw(s, LG_SHAPE(shape.rows, in), 0, 1);
    s->tensors[1] = draw_indices(s, LG_SHAPE(shape.rows), OUT);
    for (size_t i = 0; i < shape.depth; i++, in = shape.width)
        draw_dense(s, i, in, shape.width, LG_RELU);
    draw_dense(s, shape.depth, in, OUT, LG_LINEAR);
    s->optimizer = lg_adam_new(s->params, NULL);
    return s->tensors[0] && s->tensors[1] && s->optimizer;
}

static lg_tensor *record_network(session *s)
{
    lg_tensor *h = s->tensors[0];
    for (size_t i = 0; i < SESSION_LAYERS && s->layers[i]; i++)
        h = lg_dense_apply(s->tape, s->layers[i], h);
    return lg_sparse_categorical_crossentropy(s->tape, h, s->tensors[1], &(lg_loss_options){ .from_logits = true });
}

static double network_parameters(void)
{
    const double in = (double)shape.in, width = (double)shape.width, deeper = (double)shape.depth - 1;
    return (in + 1) * width + deeper * (width + 1) * width + (width + 1) * OUT;
}

/* Multiplications: three products per weight and row, but for the first layer's input; Adam, about 8 per parameter. */
static double network_work(void)
{
    const double rows = (double)shape.rows, first = (double)shape.in * (double)shape.width;
    return rows * (3 * network_parameters() - first) + 8 * network_parameters();
}

static const workload network = { .name = "network", .make = make_network, .record = record_network };

static double batch_point(size_t size)
{
    shape.rows = size, shape.in = 784, shape.width = 256, shape.depth = 2;
    return network_work();
}

static double width_point(size_t size)
{
    shape.rows = 64, shape.in = IN, shape.width = size, shape.depth = 2;
    return network_work();
}

static double depth_point(size_t size)
{
    shape.rows = 64, shape.in = IN, shape.width = 128, shape.depth = size;
    return network_work();
}

/* --------------------------------------------------------------- sequences */

static bool make_sequence(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(CTC_SAMPLES, shape.length, CTC_CLASSES), -2, 2);
    s->tensors[1] = draw_indices(s, LG_SHAPE(CTC_SAMPLES, CTC_LABELS), CTC_CLASSES - 1);
    int32_t *labels = lg_tensor_indices(s->tensors[1]);
    for (size_t i = 0; labels && i < CTC_SAMPLES * CTC_LABELS; i++)
        labels[i]++; /* 0 is the blank */
    s->leaf_count = 1;
    return s->tensors[0] && s->tensors[1];
}

static lg_tensor *record_sequence(session *s)
{
    return lg_ctc(s->tape, s->leaves[0], s->tensors[1], NULL, NULL, LG_CTC_LOGITS, 0, false, false, NULL);
}

static const workload sequence = { .name = "sequence", .make = make_sequence, .record = record_sequence };

static double length_point(size_t size)
{
    shape.length = size;
    return (double)size * CTC_SAMPLES * CTC_CLASSES;
}

/* ---------------------------------------------------------------- data sets
 * An epoch of logistic regression by lg_fit, shuffled: of rows in memory, and of rows that a source makes when asked. */

static const lg_field row_fields[] = { { .name = "x", .rank = 1, .dims = { ROW_FEATURES } }, { .name = "y" } };

static lg_real feature_of(size_t row, size_t feature)
{
    const uint32_t mixed = (uint32_t)(row * ROW_FEATURES + feature) * 2654435761u;
    return (lg_real)(mixed >> 8) / (lg_real)16777216;
}

static lg_status fill_rows(void *context, const size_t *ids, size_t count, void *const *values, int32_t *const *lengths)
{
    (void)context, (void)lengths;
    lg_real *x = values[0], *y = values[1];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < ROW_FEATURES; k++)
            x[i * ROW_FEATURES + k] = feature_of(ids[i], k);
        y[i] = ids[i] % 2 == 0;
    }
    return LG_OK;
}

static bool make_regression(session *s)
{
    draw_dense(s, 0, ROW_FEATURES, 1, LG_LINEAR);
    s->optimizer = lg_sgd_new(s->params, NULL);
    return s->dataset && s->optimizer;
}

static bool make_streamed(session *s)
{
    s->dataset = lg_dataset_from_source(&(lg_source){ .rows = shape.rows, .field_count = 2, .fields = row_fields,
                                                      .fill = fill_rows });
    return make_regression(s);
}

static bool make_in_memory(session *s)
{
    lg_real *x = malloc(shape.rows * ROW_FEATURES * sizeof *x), *y = malloc(shape.rows * sizeof *y);
    for (size_t i = 0; x && y && i < shape.rows; i++)
        fill_rows(NULL, &i, 1, (void *const[]){ x + i * ROW_FEATURES, y + i }, NULL);
    s->dataset = x && y ? lg_dataset_from_arrays(shape.rows, ROW_FEATURES, x, y) : NULL;
    free(x);
    free(y);
    return make_regression(s);
}

static lg_tensor *step_regression(lg_tape *tape, const lg_batch *batch, void *model)
{
    const session *s = model;
    return lg_binary_crossentropy(tape, lg_dense_apply(tape, s->layers[0], lg_batch_x(tape, batch)),
                                  lg_batch_y(tape, batch), &(lg_loss_options){ .from_logits = true });
}

static bool run_epochs(session *s, size_t epochs)
{
    lg_history *history = lg_fit(step_regression, s, s->optimizer, s->dataset,
                                 &(lg_fit_options){ .epochs = epochs, .batch_size = ROW_BATCH, .verbose = LG_SILENT });
    lg_history_free(history);
    return history != NULL;
}

static const workload in_memory = { .name = "in memory", .make = make_in_memory, .run = run_epochs };
static const workload streamed = { .name = "streamed", .make = make_streamed, .run = run_epochs };

static double rows_point(size_t size)
{
    shape.rows = size;
    return (double)size;
}

/* ------------------------------------------------------------------ sweeps */

typedef struct sweep {
    const char *name, *what;
    const workload *workload;
    double (*point)(size_t size); /* sets the shape; the work of a step */
    size_t sizes[MOST_SIZES];
} sweep;

static const sweep sweeps[] = {
    { "batch", "784-256-256-10, Adam: rows of the batch", &network, batch_point,
      { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192 } },
    { "width", "128-w-w-10, batch 64, Adam: w", &network, width_point, { 16, 32, 64, 128, 256, 512, 1024, 2048, 4096 } },
    { "depth", "128-128-...-10, batch 64, Adam: hidden layers", &network, depth_point, { 1, 2, 4, 8, 16, 32, 64 } },
    { "length", "CTC, 8 samples, 32 classes, 5 labels: frames", &sequence, length_point,
      { 10, 20, 50, 100, 200, 500, 1000, 2000 } },
    { "rows", "lg_fit, an epoch of rows in memory", &in_memory, rows_point, { 1000, 10000, 100000, 1000000, 10000000 } },
    { "streamed", "lg_fit, an epoch of rows from a source", &streamed, rows_point,
      { 1000, 10000, 100000, 1000000, 10000000 } },
};

enum { SWEEPS = sizeof sweeps / sizeof *sweeps };

/* Least seconds of a step, and the share of BLAS; of as many as make 20 ms, four times. */
static bool time_step(session *s, double *least, double *blas)
{
    session_time t = { 0 };
    size_t steps = 1;
    for (; t.processor < 0.02; steps *= 4)
        if (!session_time_steps(s, steps, &t))
            return false;
    steps /= 4;
    *least = t.processor;
    for (size_t i = 0; i < 3 && *least < 1; i++) {
        if (!session_time_steps(s, steps, &t))
            return false;
        *least = t.processor < *least ? t.processor : *least;
    }
    *least /= (double)steps;
    blas_time_begin();
    const bool fine = session_time_steps(s, steps, &t);
    *blas = blas_time_end() / t.wall;
    return fine;
}

/* Each size in turn, PASSES times: a processor is slower for seconds when others are busy. */
static bool run_sweep(const sweep *w, FILE *csv)
{
    double least[MOST_SIZES] = { 0 }, blas[MOST_SIZES], best = 0;
    for (size_t pass = 0; pass < PASSES; pass++)
        for (size_t i = 0; i < MOST_SIZES && w->sizes[i] > 0; i++) {
            double seconds;
            w->point(w->sizes[i]);
            session *s = session_new(w->workload);
            const bool fine = s && time_step(s, &seconds, &blas[i]);
            session_free(s);
            if (!fine)
                return false;
            least[i] = pass == 0 || seconds < least[i] ? seconds : least[i];
        }
    printf("\n%s: %s\n%10s %12s %12s %8s %6s\n", w->name, w->what, w->name, "us", "ns per work", "of least", "BLAS");
    for (size_t i = 0; i < MOST_SIZES && w->sizes[i] > 0; i++) {
        const double work = w->point(w->sizes[i]), each = least[i] / work;
        best = i == 0 || each < best ? each : best;
        printf("%10zu %12.2f %12.5f %8.2f %5.0f%%%s\n", w->sizes[i], 1e6 * least[i], 1e9 * each, each / best, 100 * blas[i],
               each > TOO_FAST_GROWTH * best ? "  grows faster than its arithmetic" : "");
        fprintf(csv, "%s,%zu,%.6g,%.6g,%.4f,%.3f\n", w->name, w->sizes[i], work, 1e6 * least[i], each / best, blas[i]);
    }
    fflush(stdout);
    return true;
}

/* ------------------------------------------------------------------- memory */

/* The most memory of a process that makes some steps of the network of `shape`, in bytes; 0 when it failed. */
static double most_memory(void)
{
    struct rusage usage;
    int status;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        session *s = session_new(&network);
        _exit(s && session_run(s, 3) ? 0 : 1);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        return 0;
    return 1024.0 * (double)usage.ru_maxrss;
}

/* Against a process with next to no network, for what the program itself and BLAS need. */
static bool measure_memory(void)
{
    static const struct {
        size_t rows, width, depth;
    } cases[] = { { 64, 512, 2 }, { 64, 1024, 2 }, { 64, 2048, 2 }, { 64, 4096, 2 }, { 64, 1024, 8 }, { 8192, 256, 2 } };
    shape.rows = 64, shape.in = IN, shape.width = 128, shape.depth = 2; /* BLAS has its buffers then */
    const double base = most_memory();
    printf("\nmemory of training beyond %.1f MB, MB: batch, width, depth; measured; parameters x 4 + results x 2 + batch\n",
           1e-6 * base);
    bool fine = base > 0;
    for (size_t i = 0; fine && i < sizeof cases / sizeof *cases; i++) {
        shape.rows = cases[i].rows, shape.width = cases[i].width, shape.depth = cases[i].depth;
        const double rows = (double)shape.rows, width = (double)shape.width, depth = (double)shape.depth;
        const double reals = 4 * network_parameters() + 2 * rows * (width * depth + OUT) + rows * IN;
        const double wanted = reals * sizeof(lg_real), used = most_memory() - base;
        fine = used > 0;
        printf("%8zu %6zu %6zu %10.1f %10.1f   %.2f%s\n", shape.rows, shape.width, shape.depth, 1e-6 * used, 1e-6 * wanted,
               used / wanted, used > 1.1 * wanted ? "  over 1.1" : "");
    }
    return fine;
}

/* ------------------------------------------------------------------ picture */

static bool chosen(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc <= 2;
}

static void draw_picture(const char *folder, int argc, char **argv)
{
    FILE *plot = system("command -v gnuplot > /dev/null 2>&1") == 0 ? popen("gnuplot", "w") : NULL;
    if (!plot)
        return;
    fprintf(plot, "set terminal svg size 900,560 background rgb 'white' font 'sans,12'\nset output '%s/scaling.svg'\n"
                  "set datafile separator ','\nset multiplot layout 2,3 title 'Time of a training step, microseconds'\n"
                  "set logscale xy\nset format xy '10^{%%T}'\nset grid\nset key bottom right\n", folder);
    for (size_t i = 0; i < SWEEPS; i++) /* the line: the arithmetic, through the cheapest work */
        if (chosen(sweeps[i].name, argc, argv))
            fprintf(plot, "stats '%s/scaling.csv' using (strcol(1) eq '%s' ? $4 / $3 : NaN) nooutput\n"
                      "least = STATS_min\nset title '%s'\n"
                      "plot '' using (strcol(1) eq '%s' ? $2 : NaN):(least * $3) with lines lc rgb '#bbbbbb' lw 2 "
                      "title 'arithmetic', '' using (strcol(1) eq '%s' ? $2 : NaN):4 with linespoints pt 7 ps 0.4 "
                      "lc rgb '#3182bd' title 'luge'\n",
                    folder, sweeps[i].name, sweeps[i].name, sweeps[i].name, sweeps[i].name);
    if (pclose(plot) != 0)
        fprintf(stderr, "scaling: gnuplot did not draw %s/scaling.svg\n", folder);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "build/bench";
    char path[4096];
    snprintf(path, sizeof path, "%s/scaling.csv", folder);
    FILE *csv = fopen(path, "w");
    if (!csv) {
        fprintf(stderr, "scaling: %s: %s\n", path, strerror(errno));
        return EXIT_FAILURE;
    }
    lg_set_num_threads(1);
    fprintf(csv, "sweep,size,work,microseconds,of_least,blas_share\n");
    bool fine = !chosen("memory", argc, argv) || measure_memory();
    for (size_t i = 0; fine && i < SWEEPS; i++)
        if (chosen(sweeps[i].name, argc, argv))
            fine = run_sweep(&sweeps[i], csv);
    if (!fine)
        fprintf(stderr, "scaling: %s\n", lg_error());
    if (ferror(csv) | fclose(csv)) {
        fprintf(stderr, "scaling: %s: %s\n", path, strerror(errno));
        fine = false;
    }
    if (fine)
        draw_picture(folder, argc, argv);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

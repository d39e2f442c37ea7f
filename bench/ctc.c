/* CTC, forward and backward from logits, in microseconds per batch: the shapes of speech (f1) and of OCR (f2), and long
 * samples whose probability is far below what a double holds. `build/bench/ctc [repeats]`. */
#include <luge.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct workload {
    const char *name;
    size_t samples, frames, classes, labels;
} workload;

enum { MOST_LABELS = 1024 }; /* of a batch */

static const workload workloads[] = { { "f1", 32, 150, 64, 20 },
                                      { "f2", 64, 50, 28, 10 },
                                      { "long", 4, 1000, 64, 200 },
                                      { "one sample", 1, 150, 64, 20 } };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One step; false with lg_error() when it fails. */
static bool step(lg_tape *tape, lg_tensor *logits, lg_tensor *target)
{
    lg_tape_reset(tape);
    lg_tensor_zero_grad(logits);
    lg_tensor *loss = lg_ctc(tape, logits, target, NULL, NULL, LG_CTC_LOGITS, 0, false, false, NULL);
    return lg_backward(tape, loss) == LG_OK;
}

static bool measure(const workload *w, size_t repeats)
{
    lg_rng rng = lg_rng_seed(1);
    lg_tensor *logits = lg_tensor_normal(LG_SHAPE(w->samples, w->frames, w->classes), 0, 1, &rng);
    int32_t labels[MOST_LABELS];
    for (size_t i = 0; i < w->samples * w->labels; i++)
        labels[i] = (int32_t)(1 + lg_rng_below(&rng, w->classes - 1));
    lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(w->samples, w->labels), labels);
    lg_tape *tape = lg_tape_new();
    double *times = calloc(repeats, sizeof *times);
    bool fine = logits && target && tape && times;
    lg_tensor_require_grad(logits, true);
    for (size_t threads = 1; fine && threads <= 2; threads++) {
        lg_set_num_threads(threads);
        for (size_t i = 0; fine && i < 5; i++)
            fine = step(tape, logits, target);
        for (size_t i = 0; fine && i < repeats; i++) {
            const double start = now();
            fine = step(tape, logits, target);
            times[i] = now() - start;
        }
        qsort(times, repeats, sizeof *times, compare);
        if (fine)
            printf("%-10s %4zu x %4zu x %3zu, %3zu labels, %zu thread%s: median %9.1f us, least %9.1f us\n", w->name, w->samples,
                   w->frames, w->classes, w->labels, threads, threads == 1 ? " " : "s", times[repeats / 2], times[0]);
    }
    free(times);
    lg_tape_free(tape);
    lg_tensor_free(target);
    lg_tensor_free(logits);
    return fine;
}

int main(int argc, char **argv)
{
    const size_t repeats = argc > 1 && atoi(argv[1]) > 0 ? (size_t)atoi(argv[1]) : 101;
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        if (!measure(&workloads[i], repeats)) {
            fprintf(stderr, "ctc: %s\n", lg_error());
            return EXIT_FAILURE;
        }
    return EXIT_SUCCESS;
}

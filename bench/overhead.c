/* What the tape costs by itself.
 *
 *     build/bench/overhead [ROUNDS]
 *
 * Nanoseconds to record an operation, and to walk it back, on tensors of one element, where the arithmetic is next to
 * nothing: chains of 1000 operations, medians and least of 101 rounds, or as many as asked. Then the share of a step of
 * workload b (MLP 20-64-1, batch 32, Adam) that is neither arithmetic nor memory: the same step, call for call, of a
 * network 2-2-1 on two rows, less the time in BLAS. One thread; its processor time. */
#include "blas_time.h"
#include "workloads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 1000, MOST_ROUNDS = 1001, STEPS = 2000 };

static size_t rounds = 101;

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times)
{
    qsort(times, rounds, sizeof *times, ascending);
    return times[rounds / 2];
}

/* -------------------------------------------------------------- operations */

static lg_tensor *apply_add(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    return lg_add(tape, x, other);
}

static lg_tensor *apply_mul(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    return lg_mul(tape, x, other);
}

static lg_tensor *apply_scale(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    (void)other;
    return lg_scale(tape, x, 0.999);
}

static lg_tensor *apply_relu(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    (void)other;
    return lg_relu(tape, x);
}

static lg_tensor *apply_tanh(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    (void)other;
    return lg_tanh(tape, x);
}

static lg_tensor *apply_sum(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    (void)other;
    return lg_sum_axis(tape, x, 0, true);
}

static lg_tensor *apply_reshape(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    (void)other;
    return lg_reshape(tape, x, LG_SHAPE(1, 1));
}

static lg_tensor *apply_matmul(lg_tape *tape, lg_tensor *x, lg_tensor *other)
{
    return lg_matmul(tape, x, other);
}

static const struct {
    const char *name;
    lg_tensor *(*apply)(lg_tape *tape, lg_tensor *x, lg_tensor *other);
} operations[] = { { "reshape", apply_reshape }, { "scale", apply_scale }, { "add", apply_add }, { "mul", apply_mul },
                   { "relu", apply_relu },       { "tanh", apply_tanh },   { "sum", apply_sum }, { "matmul", apply_matmul } };

static bool time_chain(lg_tape *tape, size_t which, double *forward, double *backward)
{
    const lg_real one = 1;
    lg_tape_reset(tape);
    lg_tensor *x = lg_variable(tape, LG_SHAPE(1, 1), &one), *other = lg_variable(tape, LG_SHAPE(1, 1), &one);
    const double start = thread_seconds();
    for (size_t i = 0; i < LENGTH; i++)
        x = operations[which].apply(tape, x, other);
    const double recorded = thread_seconds();
    if (lg_backward(tape, x) != LG_OK)
        return false;
    const double walked = thread_seconds();
    *forward = 1e9 * (recorded - start) / LENGTH;
    *backward = 1e9 * (walked - recorded) / LENGTH;
    return true;
}

static bool measure_operations(void)
{
    lg_tape *tape = lg_tape_new();
    bool fine = tape != NULL;
    double sum[2] = { 0 };
    printf("%-10s %21s %21s\n%-10s %10s %10s %10s %10s\n", "ns per op", "forward", "backward", "", "median", "least",
           "median", "least");
    const size_t count = sizeof operations / sizeof *operations;
    for (size_t which = 0; fine && which < count; which++) {
        double forward[MOST_ROUNDS], backward[MOST_ROUNDS];
        for (size_t warm = 0; fine && warm < 3; warm++)
            fine = time_chain(tape, which, &forward[0], &backward[0]);
        for (size_t round = 0; fine && round < rounds; round++)
            fine = time_chain(tape, which, &forward[round], &backward[round]);
        const double forward_median = median(forward), backward_median = median(backward); /* and sorted */
        if (fine)
            printf("%-10s %10.1f %10.1f %10.1f %10.1f\n", operations[which].name, forward_median, forward[0],
                   backward_median, backward[0]);
        sum[0] += forward_median;
        sum[1] += backward_median;
    }
    if (fine)
        printf("%-10s %10.1f %10s %10.1f            goal: under 40 each\n", "mean", sum[0] / (double)count, "",
               sum[1] / (double)count);
    lg_tape_free(tape);
    return fine;
}

/* -------------------------------------------------------------- workload b */

static bool make_least(session *s)
{
    s->tensors[0] = draw(s, LG_SHAPE(2, 2), -1, 1);
    s->tensors[1] = lg_tensor_full(LG_SHAPE(2, 1), 1);
    draw_dense(s, 0, 2, 2, LG_TANH);
    draw_dense(s, 1, 2, 1, LG_LINEAR);
    s->optimizer = lg_adam_new(s->params, NULL);
    return s->tensors[0] && s->tensors[1] && s->optimizer;
}

/* Medians of microseconds per step, and of those in BLAS. */
static bool measure_steps(session *s, double *step, double *blas)
{
    double steps[MOST_ROUNDS], inside[MOST_ROUNDS];
    if (!s || !session_run(s, STEPS))
        return false;
    for (size_t round = 0; round < rounds; round++) {
        double start = thread_seconds();
        if (!session_run(s, STEPS))
            return false;
        steps[round] = 1e6 * (thread_seconds() - start) / STEPS;
        start = wall_seconds();
        blas_time_begin();
        if (!session_run(s, STEPS / 10))
            return false;
        inside[round] = blas_time_end() / (wall_seconds() - start);
    }
    *step = median(steps);
    *blas = *step * median(inside);
    return true;
}

static bool measure_b(void)
{
    const workload *b = workload_find("b");
    workload least = *b;
    least.make = make_least;
    session *whole = session_new(b), *empty = session_new(&least);
    double step, blas, least_step, least_blas;
    const bool fine = measure_steps(whole, &step, &blas) && measure_steps(empty, &least_step, &least_blas);
    if (fine) {
        printf("\nworkload b: %.2f us per step, %.2f of them in BLAS\n", step, blas);
        printf("the same calls on 2-2-1, two rows: %.2f us, %.2f of them in BLAS\n", least_step, least_blas);
        printf("neither arithmetic nor memory: %.2f us, %.0f%% of a step of b (goal: under 25%%)\n", least_step - least_blas,
               100 * (least_step - least_blas) / step);
    }
    session_free(whole);
    session_free(empty);
    return fine;
}

int main(int argc, char **argv)
{
    const long asked = argc > 1 ? strtol(argv[1], NULL, 10) : (long)rounds;
    if (argc > 2 || asked < 1 || asked > MOST_ROUNDS) {
        fprintf(stderr, "Usage: overhead [ROUNDS], from 1 to %d\n", MOST_ROUNDS);
        return 2;
    }
    rounds = (size_t)asked;
    lg_set_num_threads(1);
    if (measure_operations() && measure_b())
        return EXIT_SUCCESS;
    fprintf(stderr, "overhead: %s\n", lg_error());
    return EXIT_FAILURE;
}

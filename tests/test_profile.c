/* The profile: what it counts, that its seconds add up, and that it is nobody else's. */
#include "program.h"
#include "support.h"

#include <check.h>
#include <luge.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 32, IN = 20, OUT = 8, STEPS = 7 };

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* STEPS steps of linear, tanh, mean squared error and SGD; false with lg_error(). */
static bool train(void)
{
    lg_rng rng = lg_rng_seed(1);
    lg_params *params = lg_params_new();
    lg_dense *layer = lg_dense_new(params, "layer", IN, OUT, &rng);
    lg_optimizer *sgd = lg_sgd_new(params, NULL);
    lg_tensor *x = lg_tensor_normal(LG_SHAPE(BATCH, IN), 0, 1, &rng), *y = lg_tensor_zeros(LG_SHAPE(BATCH, OUT));
    lg_tape *tape = lg_tape_new();
    bool fine = x && y && sgd && tape;
    for (int step = 0; fine && step < STEPS; step++) {
        lg_tape_reset(tape);
        lg_tensor *h = lg_softplus(tape, lg_dense_apply(tape, layer, x));
        fine = lg_backward(tape, lg_mean_squared_error(tape, h, y, NULL)) == LG_OK && lg_optimizer_step(sgd) == LG_OK;
        lg_optimizer_zero_grad(sgd);
    }
    lg_tape_free(tape), lg_tensor_free(x), lg_tensor_free(y), lg_optimizer_free(sgd), lg_params_free(params);
    return fine;
}

static const lg_profile_row *row_of(const char *name, lg_profile_phase phase)
{
    size_t count;
    const lg_profile_row *rows = lg_profile_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0 && rows[i].phase == phase)
            return &rows[i];
    ck_abort_msg("no row %s, phase %d", name, (int)phase);
}

START_TEST(every_operation_has_its_calls_operations_and_bytes)
{
    ck_assert_int_eq(lg_profile_start(), LG_OK);
    ck_assert(train());
    lg_profile_stop();
    const struct {
        const char *name;
        lg_profile_phase phase;
        double flops, reals; /* of a step */
    } expected[] = {
        { "linear", LG_PHASE_FORWARD, 2 * BATCH * IN * OUT, BATCH * IN + IN * OUT + OUT + BATCH * OUT },
        /* of the inputs x wants no gradient */
        { "linear", LG_PHASE_BACKWARD, 2 * BATCH * IN * OUT, BATCH * OUT + BATCH * IN + 2 * (IN * OUT + OUT) },
        { "softplus", LG_PHASE_FORWARD, 0, 2 * BATCH * OUT },
        { "softplus", LG_PHASE_BACKWARD, 0, 3 * BATCH * OUT },
        { "mean_squared_error", LG_PHASE_FORWARD, 0, 3 * BATCH * OUT + 1 },
        { "mean_squared_error", LG_PHASE_BACKWARD, 0, 3 * BATCH * OUT + 1 },
        { "sgd", LG_PHASE_UPDATE, 0, 0 },
    };
    size_t count;
    const lg_profile_row *rows = lg_profile_rows(&count);
    ck_assert_uint_eq(count, sizeof expected / sizeof *expected + 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const lg_profile_row *row = row_of(expected[i].name, expected[i].phase);
        ck_assert_uint_eq(row->calls, STEPS);
        ck_assert_double_gt(row->seconds, 0);
        ck_assert_double_eq(row->flops, STEPS * expected[i].flops);
        if (expected[i].phase == LG_PHASE_UPDATE) /* padding between parameters counts, too */
            ck_assert_double_ge(row->bytes, STEPS * 3 * (IN * OUT + OUT) * (double)sizeof(lg_real));
        else
            ck_assert_double_eq(row->bytes, STEPS * expected[i].reals * (double)sizeof(lg_real));
    }
    for (size_t i = 0; i + 2 < count; i++)
        ck_assert_double_ge(rows[i].seconds, rows[i + 1].seconds);
    ck_assert_int_eq(rows[count - 1].phase, LG_PHASE_REST);
}
END_TEST

START_TEST(seconds_add_up_to_those_from_start_to_stop)
{
    const double before = seconds_now();
    ck_assert_int_eq(lg_profile_start(), LG_OK);
    const double began = seconds_now();
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL); /* the rest */
    ck_assert(train());
    const double ended = seconds_now();
    lg_profile_stop();
    const double after = seconds_now();
    size_t count;
    const lg_profile_row *rows = lg_profile_rows(&count);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += rows[i].seconds;
    ck_assert_double_ge(sum, ended - began - 1e-9);
    ck_assert_double_le(sum, after - before + 1e-9);
    ck_assert_double_ge(rows[count - 1].seconds, 0.02);
}
END_TEST

static void slow_forward(const lg_node *node)
{
    nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    lg_tensor_data(lg_node_output(node))[0] = 1;
}

START_TEST(an_operation_of_ones_own_is_listed_and_a_second_profile_begins_with_nothing)
{
    static const lg_op slow = { "slow", slow_forward, NULL };
    lg_tape *tape = lg_tape_new();
    const lg_real one = 1;
    ck_assert_int_eq(lg_profile_start(), LG_OK);
    for (int i = 0; i < 2; i++)
        lg_record(tape, &slow, 1, (lg_tensor *[]){ lg_variable(tape, LG_SHAPE(1), &one) }, 0, NULL, NULL, 0, 0);
    lg_profile_stop();
    ck_assert_uint_eq(row_of("slow", LG_PHASE_FORWARD)->calls, 2);
    ck_assert_double_ge(row_of("slow", LG_PHASE_FORWARD)->seconds, 0.01);
    lg_tape_free(tape);
    ck_assert_int_eq(lg_profile_start(), LG_OK);
    lg_profile_stop();
    size_t count;
    ck_assert_ptr_nonnull(lg_profile_rows(&count));
    ck_assert_uint_eq(count, 1);
}
END_TEST

static void *train_elsewhere(void *fine)
{
    *(bool *)fine = train() && lg_profile_start() == LG_E_STATE;
    lg_profile_stop();
    return NULL;
}

START_TEST(a_profile_is_of_its_thread_alone)
{
    pthread_t thread;
    bool fine = false;
    size_t count;
    ck_assert_int_eq(lg_profile_start(), LG_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, train_elsewhere, &fine), 0);
    pthread_join(thread, NULL);
    ck_assert(fine);
    ck_assert(lg_profile_running());
    ck_assert_ptr_null(lg_profile_rows(&count));
    ck_assert_int_eq(lg_profile_print(stdout), LG_E_STATE);
    lg_profile_stop();
    ck_assert(!lg_profile_running());
    lg_profile_rows(&count);
    ck_assert_uint_eq(count, 1); /* the rest */
}
END_TEST

START_TEST(nothing_is_measured_while_no_profile_runs)
{
    ck_assert_int_eq(lg_profile_start(), LG_OK);
    lg_profile_stop();
    ck_assert(train());
    size_t count;
    lg_profile_rows(&count);
    ck_assert_uint_eq(count, 1);
}
END_TEST

/* Shares of the table that the profile prints, added up. */
static double sum_of_shares(const char *text, size_t *rows)
{
    double sum = 0;
    *rows = 0;
    for (const char *at = strstr(text, "operation "); (at = strchr(at, '%')) != NULL; at++) {
        const char *number = at;
        while (number[-1] != ' ')
            number--;
        sum += strtod(number, NULL);
        ++*rows;
    }
    return sum;
}

START_TEST(fit_prints_a_table_when_the_options_or_the_environment_ask_for_it)
{
    static const char *const commands[] = { "$bin/fraud --epochs 2 --verbose 0 --out run --overwrite --profile",
                                            "LUGE_PROFILE=1 $bin/fraud --epochs 2 --verbose 0 --out run --overwrite" };
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(program_run("%s", commands[i]), 0);
        const char *out = program_file("out");
        size_t rows;
        const double shares = sum_of_shares(out, &rows) - 100; /* without the last row, which is their sum */
        ck_assert_uint_ge(rows, 8);
        ck_assert_double_eq_tol(shares, 100, 0.05 * (double)rows);
        ck_assert_ptr_nonnull(strstr(out, "adam"));
        ck_assert_ptr_nonnull(strstr(out, "\nbatch "));
        ck_assert_ptr_nonnull(strstr(out, "\nthe rest "));
        ck_assert_ptr_nonnull(strstr(out, "GFLOP/s"));
    }
    ck_assert_int_eq(program_run("LUGE_PROFILE=0 $bin/fraud --epochs 1 --verbose 0 --out run --overwrite"), 0);
    ck_assert_ptr_null(strstr(program_file("out"), "the rest "));
}
END_TEST

Suite *profile_suite(void);
Suite *profile_suite(void)
{
    Suite *suite = suite_create("profile");
    TCase *tcase = tcase_create("profile");
    tcase_add_checked_fixture(tcase, program_setup, program_teardown);
    tcase_add_test(tcase, every_operation_has_its_calls_operations_and_bytes);
    tcase_add_test(tcase, seconds_add_up_to_those_from_start_to_stop);
    tcase_add_test(tcase, an_operation_of_ones_own_is_listed_and_a_second_profile_begins_with_nothing);
    tcase_add_test(tcase, a_profile_is_of_its_thread_alone);
    tcase_add_test(tcase, nothing_is_measured_while_no_profile_runs);
    tcase_add_test(tcase, fit_prints_a_table_when_the_options_or_the_environment_ask_for_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* Triplets chosen inside a batch: against choosing them one by one, and against the plain triplet loss of that choice. */
#include "losses/mining.h"

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "fail_alloc.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { N = 12, D = 3, MOST = N * N };

static const int32_t labels_of[N] = { 5, 1, 5, 1, 5, 9, 9, 5, 1, 9, 2, 5 };

static void expect_error(lg_status code, const char *part)
{
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    ck_assert_int_eq(lg_error_code(), code);
    lg_error_clear();
}

static double squared(const lg_real *x, size_t i, size_t k)
{
    double sum = 0;
    for (size_t d = 0; d < D; d++)
        sum += ((double)x[i * D + d] - (double)x[k * D + d]) * ((double)x[i * D + d] - (double)x[k * D + d]);
    return sum;
}

/* As the definition says it: sort nothing, look at every candidate. */
static size_t chosen(const lg_real *x, size_t a, size_t p)
{
    size_t best = N;
    for (size_t n = 0; n < N; n++)
        if (labels_of[n] != labels_of[a] && squared(x, a, n) > squared(x, a, p) &&
            (best == N || squared(x, a, n) < squared(x, a, best)))
            best = n;
    for (size_t n = 0; n < N && best == N; n++) {
        bool farthest = labels_of[n] != labels_of[a];
        for (size_t k = 0; k < N; k++)
            farthest &= labels_of[k] == labels_of[a] || squared(x, a, k) <= squared(x, a, n);
        best = farthest ? n : N;
    }
    return best;
}

START_TEST(semi_hard_negatives_are_those_of_the_definition)
{
    lg_tape *tape = lg_tape_new();
    lg_rng rng = lg_rng_seed(3);
    size_t without = 0;
    for (int trial = 0; trial < 50; trial++) {
        lg_tape_reset(tape);
        lg_real x[N * D];
        lg_rng_fill_normal(&rng, N * D, x, 0, 1);
        lg_tensor *e = lg_variable(tape, LG_SHAPE(N, D), x), *labels = lg_constant_indices(tape, LG_SHAPE(N), labels_of);
        lg_tensor *loss = lg_triplet_mined(tape, e, labels, LG_MINE_SEMI_HARD, 0.2, LG_DISTANCE_SQEUCLIDEAN,
                                           &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
        ck_assert_msg(loss != NULL, "%s", lg_error());
        ck_assert_uint_eq(lg_tensor_size(loss), 5 * 4 + 3 * 2 + 3 * 2);
        size_t i = 0;
        for (size_t a = 0; a < N; a++)
            for (size_t p = 0; p < N; p++) {
                if (p == a || labels_of[p] != labels_of[a])
                    continue;
                const size_t n = chosen(x, a, p);
                without += squared(x, a, n) <= squared(x, a, p);
                const double expected = fmax(0, squared(x, a, p) - squared(x, a, n) + 0.2);
                ck_assert_double_eq_tol((double)lg_tensor_data(loss)[i++], expected, 1e-5 * (1 + expected));
            }
    }
    ck_assert_uint_gt(without, 0); /* some had no negative farther than the positive */
    lg_tape_free(tape);
}
END_TEST

START_TEST(random_negatives_are_of_other_labels_and_follow_the_tapes_stream)
{
    lg_tape *tape = lg_tape_new();
    lg_real x[N * D] = { 0 };
    for (size_t i = 0; i < N; i++)
        x[i * D] = (lg_real)i; /* the squared distance tells which row it was */
    double first[32], sums[N] = { 0 };
    for (uint64_t step = 0; step < 400; step++) {
        lg_tape_reset(tape);
        lg_tape_set_random(tape, 1, 0, step % 399);
        lg_tensor *e = lg_variable(tape, LG_SHAPE(N, D), x), *labels = lg_constant_indices(tape, LG_SHAPE(N), labels_of);
        lg_tensor *loss = lg_triplet_mined(tape, e, labels, LG_MINE_RANDOM, 1000, LG_DISTANCE_SQEUCLIDEAN,
                                           &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
        ck_assert_uint_eq(lg_tensor_size(loss), 32);
        size_t i = 0;
        for (size_t a = 0; a < N; a++)
            for (size_t p = 0; p < N; p++)
                if (p != a && labels_of[p] == labels_of[a]) {
                    const double value = (double)lg_tensor_data(loss)[i];
                    const double away = sqrt(squared(x, a, p) + 1000 - value);
                    bool found = false;
                    for (size_t n = 0; n < N; n++)
                        if (labels_of[n] != labels_of[a] && fabs(fabs((double)n - (double)a) - away) < 0.01) {
                            found = true;
                            sums[n] += a == 0; /* its distances are all different */
                        }
                    ck_assert(found);
                    if (step == 0)
                        first[i] = value;
                    ck_assert(step != 399 || first[i] == value); /* the same stream again */
                    i++;
                }
    }
    for (size_t n = 0; n < N; n++) /* row 0 has 4 positives and 7 negatives */
        ck_assert_double_eq_tol(sums[n], labels_of[n] == 5 ? 0 : 1600.0 / 7, 5 * sqrt(1600.0 * 6 / 49));
    lg_tape_free(tape);
}
END_TEST

/* The gradient reaches every row through all triplets that it is in: by central differences, the choice being locally
 * constant. */
START_TEST(gradients_add_up_over_triplets)
{
    lg_tape *tape = lg_tape_new();
    lg_rng rng = lg_rng_seed(5);
    lg_real x[N * D];
    lg_rng_fill_normal(&rng, N * D, x, 0, 1);
    lg_tensor *labels, *e, *loss;
    lg_real gradient[N * D];
    lg_tape_reset(tape);
    e = lg_variable(tape, LG_SHAPE(N, D), x);
    labels = lg_constant_indices(tape, LG_SHAPE(N), labels_of);
    loss = lg_triplet_mined(tape, e, labels, LG_MINE_SEMI_HARD, 0.5, LG_DISTANCE_SQEUCLIDEAN, NULL);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    memcpy(gradient, lg_tensor_grad(e), sizeof gradient);
    const double step = LG_REAL_BITS == 64 ? 1e-6 : 1e-3, tolerance = LG_REAL_BITS == 64 ? 1e-7 : 2e-3;
    for (size_t i = 0; i < N * D; i++) {
        double value[2];
        const lg_real here = x[i];
        for (int side = 0; side < 2; side++) {
            lg_tape_reset(tape);
            x[i] = (lg_real)((double)here + (side ? step : -step));
            e = lg_variable(tape, LG_SHAPE(N, D), x);
            labels = lg_constant_indices(tape, LG_SHAPE(N), labels_of);
            value[side] = lg_tensor_item(
                lg_triplet_mined(tape, e, labels, LG_MINE_SEMI_HARD, 0.5, LG_DISTANCE_SQEUCLIDEAN, NULL));
        }
        x[i] = here;
        ck_assert_double_eq_tol((double)gradient[i], (value[1] - value[0]) / (2 * step), tolerance);
    }
    lg_tape_free(tape);
}
END_TEST

START_TEST(a_batch_without_triplets_costs_nothing)
{
    lg_tape *tape = lg_tape_new();
    const lg_real x[4] = { 1, 2, 3, 4 };
    static const int32_t cases[][2] = { { 1, 1 }, { 1, 2 } };
    for (size_t i = 0; i < 2; i++)
        for (int mining = 0; mining < 2; mining++) {
            lg_tape_reset(tape);
            lg_tensor *e = lg_variable(tape, LG_SHAPE(2, 2), x);
            lg_tensor *loss = lg_triplet_mined(tape, e, lg_constant_indices(tape, LG_SHAPE(2), cases[i]),
                                               (lg_mining)mining, 0.2, LG_DISTANCE_EUCLIDEAN, NULL);
            ck_assert_msg(loss != NULL, "%s", lg_error());
            ck_assert_double_eq(lg_tensor_item(loss), 0);
            ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
            for (size_t k = 0; k < 4; k++)
                ck_assert(!lg_tensor_grad(e) || lg_tensor_grad(e)[k] == 0);
        }
    lg_tape_free(tape);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    lg_tape *tape = lg_tape_new();
    const lg_real x[6] = { 0 };
    lg_tensor *e = lg_variable(tape, LG_SHAPE(3, 2), x), *labels = lg_constant_indices(tape, LG_SHAPE(3), labels_of);
    ck_assert_ptr_null(lg_triplet_mined(tape, e, e, LG_MINE_RANDOM, 0.2, LG_DISTANCE_EUCLIDEAN, NULL));
    expect_error(LG_E_DTYPE, "embeddings are real and labels int32");
    ck_assert_ptr_null(lg_triplet_mined(tape, e, lg_constant_indices(tape, LG_SHAPE(2), labels_of), LG_MINE_RANDOM, 0.2,
                                        LG_DISTANCE_EUCLIDEAN, NULL));
    expect_error(LG_E_SHAPE, "embeddings [3, 2] with labels [2]");
    ck_assert_ptr_null(lg_triplet_mined(tape, e, labels, (lg_mining)7, 0.2, LG_DISTANCE_EUCLIDEAN, NULL));
    expect_error(LG_E_PARAM, "7 is no way of mining");
    ck_assert_ptr_null(lg_triplet_mined(tape, e, labels, LG_MINE_RANDOM, NAN, LG_DISTANCE_EUCLIDEAN, NULL));
    expect_error(LG_E_PARAM, "margin");
    ck_assert_ptr_null(lg_triplet_mined(tape, NULL, labels, LG_MINE_RANDOM, 1, LG_DISTANCE_EUCLIDEAN, NULL));
    lg_tape_free(tape);
}
END_TEST

static lg_status mine_once(void *context)
{
    lg_tape *tape = lg_tape_new();
    lg_tensor *e = lg_variable(tape, LG_SHAPE(N, D), context), *labels = lg_constant_indices(tape, LG_SHAPE(N), labels_of);
    lg_tensor *loss = lg_triplet_mined(tape, e, labels, LG_MINE_SEMI_HARD, 0.2, LG_DISTANCE_EUCLIDEAN, NULL);
    const lg_status status = loss ? lg_backward(tape, loss) : lg_error_code();
    lg_tape_free(tape);
    return status;
}

START_TEST(running_out_of_memory_is_an_error)
{
    lg_real x[N * D];
    for (size_t i = 0; i < N * D; i++)
        x[i] = (lg_real)(i * 7 % 5);
    ck_assert_uint_ge(for_each_allocation_failure(mine_once, x), 2);
}
END_TEST

Suite *mining_suite(void)
{
    Suite *suite = suite_create("mining");
    TCase *tcase = tcase_create("mining");
    tcase_add_test(tcase, semi_hard_negatives_are_those_of_the_definition);
    tcase_add_test(tcase, random_negatives_are_of_other_labels_and_follow_the_tapes_stream);
    tcase_add_test(tcase, gradients_add_up_over_triplets);
    tcase_add_test(tcase, a_batch_without_triplets_costs_nothing);
    tcase_add_test(tcase, what_does_not_fit_is_refused);
    tcase_add_test(tcase, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}

/* What threads share comes out as on one: bit for bit but for matrix products, which are compared with plain sums. */
#include "support.h"

#include <check.h>
#include <luge.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/threads_internal.h"

enum { MOST_THREADS = 4 };

static void teardown(void)
{
    lg_set_num_threads(0);
}

/* ------------------------------------------------------------------ ranges */

typedef struct coverage {
    unsigned char visits[100000];
    bool ragged; /* a range that does not begin at a multiple */
} coverage;

static void cover(size_t begin, size_t end, void *context)
{
    coverage *c = context;
    c->ragged = c->ragged || begin % LG_RANGE_MULTIPLE != 0;
    for (size_t i = begin; i < end; i++)
        c->visits[i]++;
}

START_TEST(ranges_cover_every_element_once_and_begin_at_multiples)
{
    static const size_t lengths[] = { 0, 1, 63, 64, 127, 128, 129, 1000, 65537, 99999, 100000 };
    for (size_t threads = 1; threads <= MOST_THREADS; threads++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            static coverage c;
            memset(&c, 0, sizeof c);
            lg_set_num_threads(threads);
            lg_parallel_ranges(lengths[k], 64, cover, &c);
            ck_assert(!c.ragged);
            size_t wrong = 0;
            for (size_t i = 0; i < 100000; i++)
                wrong += c.visits[i] != (i < lengths[k]);
            ck_assert_uint_eq(wrong, 0);
        }
}
END_TEST

/* ---------------------------------------------------------------- products */

static double element(lg_tensor *x, bool transposed, size_t row, size_t column)
{
    const size_t columns = lg_tensor_dims(x)[1];
    return (double)lg_tensor_data(x)[transposed ? column * columns + row : row * columns + column];
}

/* Largest error of c = op(a) op(b), relative to the sum of its terms' magnitudes. */
static double worst_error(lg_tensor *c, lg_tensor *a, bool ta, lg_tensor *b, bool tb, size_t depth)
{
    double worst = 0;
    for (size_t i = 0; i < lg_tensor_dims(c)[0]; i += test_stride(17))
        for (size_t j = 0; j < lg_tensor_dims(c)[1]; j++) {
            double sum = 0, size = 0;
            for (size_t k = 0; k < depth; k++) {
                const double term = element(a, ta, i, k) * element(b, tb, k, j);
                sum += term;
                size += fabs(term);
            }
            const double error = fabs(element(c, false, i, j) - sum) / size;
            worst = !(error <= worst) ? error : worst; /* NaN is the worst */
        }
    return worst;
}

START_TEST(products_are_right_for_any_shape_and_number_of_threads)
{
    static const size_t shapes[][3] = { { 130, 300, 70 }, { 300, 130, 70 }, { 1000, 10, 90 }, { 10, 1000, 90 }, { 128, 128, 200 },
                                        { 1, 400, 900 }, { 400, 1, 900 }, { 257, 191, 33 },
                                        { 900, 900, 1 }, { 600, 90, 18 } };
    lg_rng rng = lg_rng_seed(3);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s += test_stride(4))
        for (int form = 0; form < 4; form++) {
            const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
            const bool ta = form & 1, tb = form & 2;
            lg_tensor *a = ta ? lg_tensor_normal(LG_SHAPE(k, m), 0, 1, &rng) : lg_tensor_normal(LG_SHAPE(m, k), 0, 1, &rng);
            lg_tensor *b = tb ? lg_tensor_normal(LG_SHAPE(n, k), 0, 1, &rng) : lg_tensor_normal(LG_SHAPE(k, n), 0, 1, &rng);
            lg_tensor *c = lg_tensor_zeros(LG_SHAPE(m, n));
            for (size_t threads = 1; threads <= MOST_THREADS; threads += test_stride(2)) {
                lg_set_num_threads(threads);
                for (size_t i = 0; i < m * n; i++)
                    lg_tensor_data(c)[i] = NAN;
                ck_assert_int_eq(lg_tensor_matmul(c, a, ta, b, tb), LG_OK);
                ck_assert_double_le(worst_error(c, a, ta, b, tb, k), LG_REAL_BITS == 64 ? 1e-14 : 1e-5);
            }
            lg_tensor_free(a), lg_tensor_free(b), lg_tensor_free(c);
        }
}
END_TEST

/* ------------------------------------------------------------------ sweeps */

enum { ROWS = 300, COLUMNS = 331, CELLS = ROWS * COLUMNS }; /* several shares, and none a whole number of vectors */

static lg_tensor *unary(lg_tape *tape, int which, lg_tensor *x)
{
    switch (which) {
    case 0: return lg_exp(tape, x);
    case 1: return lg_tanh(tape, x);
    case 2: return lg_gelu(tape, x);
    case 3: return lg_clamp(tape, x, -1, 1);
    case 4: return lg_softmax(tape, x, 1);
    case 5: return lg_log_softmax(tape, x, 1);
    case 6: return lg_mul(tape, x, x);
    case 7: return lg_div(tape, x, lg_add_scalar(tape, lg_square(tape, x), 1));
    default: return NULL;
    }
}

enum { UNARIES = 8 };

/* A loss of x with options that pass through all that is done around a kernel. */
static lg_tensor *loss_of(lg_tape *tape, int which, lg_tensor *x, lg_tensor *labels, lg_tensor *weights)
{
    const lg_loss_options sparse = { .from_logits = true, .ignore_index = &(int32_t){ 3 }, .sample_weight = weights };
    switch (which) {
    case 0: return lg_mean_squared_error(tape, x, lg_detach(tape, lg_neg(tape, x)), NULL);
    case 1: return lg_sparse_categorical_crossentropy(tape, x, labels, &sparse);
    case 2: return lg_binary_crossentropy(tape, x, lg_detach(tape, lg_sigmoid(tape, lg_neg(tape, x))),
                                          &(lg_loss_options){ .from_logits = true });
    case 3: return lg_huber(tape, x, lg_detach(tape, lg_neg(tape, x)), 1, &(lg_loss_options){ .reduction = LG_REDUCE_SUM });
    case 4: return lg_sum(tape, lg_log_cosh(tape, x, lg_detach(tape, lg_neg(tape, x)), &(lg_loss_options){ .reduction = LG_REDUCE_NONE }));
    default: return NULL;
    }
}

enum { LOSSES = 5 };

/* Value and gradient, one behind the other. The gradient is added to what is there, for both ways of writing it. */
static void compute(int which, lg_tensor *x, lg_tensor *labels, lg_tensor *weights, lg_real *result)
{
    lg_tape *tape = lg_tape_new();
    lg_tensor_zero_grad(x);
    for (int time = 0; time < 2; time++) {
        lg_tape_reset(tape);
        lg_tensor *y = which < UNARIES ? unary(tape, which, x) : loss_of(tape, which - UNARIES, x, labels, weights);
        ck_assert_msg(y != NULL, "%d: %s", which, lg_error());
        memset(result, 0, 2 * CELLS * sizeof *result);
        memcpy(result, lg_tensor_data(y), lg_tensor_size(y) * sizeof *result);
        const lg_status status = lg_tensor_size(y) == 1 ? lg_backward(tape, y) : lg_backward_from(tape, y, x);
        ck_assert_msg(status == LG_OK, "%d: %s", which, lg_error());
        if (time == 1)
            memcpy(result + CELLS, lg_tensor_grad(x), CELLS * sizeof *result);
    }
    lg_tape_free(tape);
}

START_TEST(sweeps_and_losses_are_the_same_for_any_number_of_threads)
{
    lg_rng rng = lg_rng_seed(4);
    lg_tensor *x = lg_tensor_normal(LG_SHAPE(ROWS, COLUMNS), 0, 2, &rng), *weights = lg_tensor_uniform(LG_SHAPE(ROWS), 0, 1, &rng);
    lg_tensor_require_grad(x, true);
    int32_t label[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        label[i] = (int32_t)lg_rng_below(&rng, 6);
    lg_tensor *labels = lg_tensor_from_indices(LG_SHAPE(ROWS), label);
    lg_real *one = calloc(2 * CELLS, sizeof *one), *several = calloc(2 * CELLS, sizeof *several);
    for (int which = 0; which < UNARIES + LOSSES; which++) {
        lg_set_num_threads(1);
        compute(which, x, labels, weights, one);
        for (size_t threads = 2; threads <= MOST_THREADS; threads += test_stride(2)) {
            lg_set_num_threads(threads);
            compute(which, x, labels, weights, several);
            ck_assert_msg(memcmp(one, several, 2 * CELLS * sizeof *one) == 0, "number %d with %zu threads", which, threads);
        }
    }
    free(one), free(several);
    lg_tensor_free(x), lg_tensor_free(weights), lg_tensor_free(labels);
}
END_TEST

START_TEST(the_value_that_a_loss_refuses_is_the_first_one)
{
    lg_rng rng = lg_rng_seed(5);
    lg_tensor *p = lg_tensor_uniform(LG_SHAPE(CELLS), 0.1, 0.9, &rng), *y = lg_tensor_full(LG_SHAPE(CELLS), 1);
    lg_tape *tape = lg_tape_new();
    static const size_t wrong[] = { 1000, CELLS / 2, CELLS - 1 };
    for (size_t first = 0; first < 3; first++) {
        for (size_t threads = 1; threads <= MOST_THREADS; threads++) {
            lg_set_num_threads(threads);
            for (size_t i = 0; i < 3; i++)
                lg_tensor_data(p)[wrong[i]] = i < first ? (lg_real)0.5 : (lg_real)1.5;
            char text[64];
            snprintf(text, sizeof text, "pred[%zu] is 1.5", wrong[first]);
            ck_assert_ptr_null(lg_binary_crossentropy(tape, p, y, NULL));
            ck_assert_msg(strstr(lg_error(), text) != NULL, "%s", lg_error());
            lg_error_clear();
        }
    }
    lg_tape_free(tape);
    lg_tensor_free(p), lg_tensor_free(y);
}
END_TEST

/* ---------------------------------------------------------------- training */

static lg_optimizer *optimizer_of(int which, lg_params *params)
{
    switch (which) {
    case 0: return lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 0.1, .weight_decay = 0.01 });
    case 1: return lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = 0.1, .momentum = 0.9, .nesterov = true });
    case 2: return lg_adamw_new(params, &(lg_adam_options){ .learning_rate = 0.01 });
    case 3: return lg_rmsprop_new(params, &(lg_rmsprop_options){ .learning_rate = 0.01 });
    case 4: return lg_rmsprop_new(params, &(lg_rmsprop_options){ .learning_rate = 0.01, .centered = true, .momentum = 0.5 });
    default: return NULL;
    }
}

enum { OPTIMIZERS = 5, PARAMETERS = 100003 };

/* Three updates by gradients that are the parameters themselves. */
static void update(int which, size_t threads, lg_real *result)
{
    lg_rng rng = lg_rng_seed(6);
    lg_params *params = lg_params_new();
    lg_tensor *w = lg_params_add(params, "w", LG_SHAPE(PARAMETERS));
    lg_optimizer *optimizer = optimizer_of(which, params);
    lg_tape *tape = lg_tape_new();
    ck_assert(w && optimizer && tape);
    for (size_t i = 0; i < PARAMETERS; i++)
        lg_tensor_data(w)[i] = (lg_real)lg_rng_normal(&rng);
    lg_set_num_threads(threads);
    for (int step = 0; step < 3; step++) {
        lg_tape_reset(tape);
        ck_assert_int_eq(lg_backward(tape, lg_sum(tape, lg_scale(tape, lg_square(tape, w), 0.5))), LG_OK);
        ck_assert_int_eq(lg_optimizer_step(optimizer), LG_OK);
        lg_optimizer_zero_grad(optimizer);
    }
    memcpy(result, lg_tensor_data(w), PARAMETERS * sizeof *result);
    lg_tape_free(tape), lg_optimizer_free(optimizer), lg_params_free(params);
}

START_TEST(updates_are_the_same_for_any_number_of_threads)
{
    lg_real *one = calloc(PARAMETERS, sizeof *one), *several = calloc(PARAMETERS, sizeof *several);
    for (int which = 0; which < OPTIMIZERS; which++) {
        update(which, 1, one);
        for (size_t threads = 2; threads <= MOST_THREADS; threads++) {
            update(which, threads, several);
            ck_assert_msg(memcmp(one, several, PARAMETERS * sizeof *one) == 0, "optimizer %d with %zu threads", which, threads);
        }
    }
    free(one), free(several);
}
END_TEST

enum { BATCH = 192, IN = 260, HIDDEN = 200, CLASSES = 10, WEIGHTS = HIDDEN * IN };

/* Five steps of a small net (one under valgrind); the weights of its first layer. */
static void train(size_t threads, lg_real *result)
{
    lg_rng rng = lg_rng_seed(7);
    lg_params *params = lg_params_new();
    lg_dense *hidden = lg_dense_new(params, "hidden", IN, HIDDEN, &rng), *out = lg_dense_new(params, "out", HIDDEN, CLASSES, &rng);
    lg_optimizer *adam = lg_adam_new(params, &(lg_adam_options){ .learning_rate = 1e-3 });
    lg_tensor *x = lg_tensor_normal(LG_SHAPE(BATCH, IN), 0, 1, &rng);
    int32_t label[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        label[i] = (int32_t)lg_rng_below(&rng, CLASSES);
    lg_tape *tape = lg_tape_new();
    lg_set_num_threads(threads);
    for (size_t step = 0; step < 5; step += test_stride(5)) {
        lg_tape_reset(tape);
        lg_tensor *y = lg_view_indices(tape, LG_SHAPE(BATCH), label);
        lg_tensor *logits = lg_dense_apply(tape, out, lg_tanh(tape, lg_dense_apply(tape, hidden, x)));
        ck_assert_int_eq(lg_backward(tape, lg_sparse_categorical_crossentropy(tape, logits, y,
                                                                              &(lg_loss_options){ .from_logits = true })),
                         LG_OK);
        ck_assert_int_eq(lg_optimizer_step(adam), LG_OK);
        lg_optimizer_zero_grad(adam);
    }
    memcpy(result, lg_tensor_data(lg_dense_weight(hidden)), WEIGHTS * sizeof *result);
    lg_tape_free(tape), lg_tensor_free(x), lg_optimizer_free(adam), lg_params_free(params);
}

START_TEST(training_is_the_same_for_the_same_number_of_threads_and_nearly_so_for_another)
{
    lg_real *one = calloc(WEIGHTS, sizeof *one), *first = calloc(WEIGHTS, sizeof *first), *again = calloc(WEIGHTS, sizeof *again);
    train(1, one);
    for (size_t threads = 1; threads <= MOST_THREADS; threads += test_stride(3)) {
        train(threads, first);
        train(threads, again);
        ck_assert_int_eq(memcmp(first, again, WEIGHTS * sizeof *first), 0);
        double apart = 0, most = 0;
        for (size_t i = 0; i < WEIGHTS; i++) {
            const double difference = fabs((double)(first[i] - one[i]));
            apart += difference;
            most = difference > most ? difference : most;
        }
        ck_assert_double_le(most, 5e-3); /* Adam moves a weight by at most 1e-3 a step, whose sign a digit may decide */
        ck_assert_double_le(apart / WEIGHTS, LG_REAL_BITS == 64 ? 1e-12 : 1e-6);
    }
    free(one), free(first), free(again);
}
END_TEST

Suite *parallel_suite(void);
Suite *parallel_suite(void)
{
    Suite *suite = suite_create("parallel");
    TCase *tcase = tcase_create("parallel");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, ranges_cover_every_element_once_and_begin_at_multiples);
    tcase_add_test(tcase, products_are_right_for_any_shape_and_number_of_threads);
    tcase_add_test(tcase, sweeps_and_losses_are_the_same_for_any_number_of_threads);
    tcase_add_test(tcase, the_value_that_a_loss_refuses_is_the_first_one);
    tcase_add_test(tcase, updates_are_the_same_for_any_number_of_threads);
    tcase_add_test(tcase, training_is_the_same_for_the_same_number_of_threads_and_nearly_so_for_another);
    suite_add_tcase(suite, tcase);
    return suite;
}

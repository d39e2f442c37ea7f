#include "models/sequential.h"

#include "fail_alloc.h"
#include "optim/optimizer.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void expect_error(lg_status code, const char *part)
{
    ck_assert_int_eq(lg_error_code(), code);
    ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" does not say \"%s\"", lg_error(), part);
    lg_error_clear();
}

/* ------------------------------------------------------------------- apply */

START_TEST(it_is_its_layers_one_after_the_other)
{
    lg_rng rng = lg_rng_seed(21), same = lg_rng_seed(21);
    lg_params *params = lg_params_new(), *by_hand = lg_params_new();
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(2, 3));
    ck_assert_int_eq(lg_sequential_flatten(model), LG_OK);
    ck_assert_int_eq(lg_sequential_dense(model, 4, LG_TANH, &rng), LG_OK);
    ck_assert_int_eq(lg_sequential_dropout(model, 0.5), LG_OK);
    ck_assert_int_eq(lg_sequential_dense(model, 3, LG_LINEAR, &rng), LG_OK);
    ck_assert_int_eq(lg_sequential_activation(model, LG_SOFTMAX), LG_OK);
    lg_dense *hidden = lg_dense_new(by_hand, "hidden", 6, 4, &same), *out = lg_dense_new(by_hand, "out", 4, 3, &same);

    const char *types[] = { "flatten", "dense", "dropout", "dense", "softmax" };
    const char *names[] = { "flatten_1", "dense_1", "dropout_1", "dense_2", "softmax_1" };
    ck_assert_uint_eq(lg_sequential_count(model), COUNT(types));
    for (size_t i = 0; i < COUNT(types); i++) {
        ck_assert_str_eq(lg_sequential_at(model, i)->type, types[i]);
        ck_assert_str_eq(lg_sequential_at(model, i)->name, names[i]);
    }
    ck_assert_ptr_null(lg_sequential_at(model, COUNT(types)));

    lg_real values[5 * 6];
    lg_rng_fill_uniform(&rng, 30, values, -1, 1);
    for (int training = 0; training < 2; training++) {
        lg_tape *tape = lg_tape_new(), *other = lg_tape_new();
        lg_tape_set_training(tape, training == 1);
        lg_tape_set_training(other, training == 1);
        lg_tensor *p = lg_sequential_apply(tape, model, lg_constant(tape, LG_SHAPE(5, 2, 3), values)); /* [5, 3] */
        lg_tensor *h = lg_tanh(other, lg_dense_apply(other, hidden, lg_constant(other, LG_SHAPE(5, 6), values)));
        lg_tensor *expected = lg_softmax(other, lg_dense_apply(other, out, lg_dropout(other, h, 0.5)), 1);
        ck_assert_msg(p && expected, "%s", lg_error());
        ck_assert_uint_eq(lg_tensor_rank(p), 2);
        ck_assert_uint_eq(lg_tensor_dim(p, 1), 3);
        ck_assert_mem_eq(lg_tensor_data(p), lg_tensor_data(expected), 15 * sizeof(lg_real));
        lg_tape_free(tape);
        lg_tape_free(other);
    }
    lg_params_free(params);
    lg_params_free(by_hand);
}
END_TEST

START_TEST(dense_acts_on_the_last_axis)
{
    lg_rng rng = lg_rng_seed(1);
    lg_params *params = lg_params_new();
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(7, 3));
    ck_assert_int_eq(lg_sequential_dense(model, 2, LG_RELU, &rng), LG_OK);
    lg_tape *tape = lg_tape_new();
    lg_tensor *x = lg_tensor_full(LG_SHAPE(4, 7, 3), 1);
    lg_tensor *y = lg_sequential_apply(tape, model, x); /* [4, 7, 2] */
    ck_assert_msg(y != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_tensor_rank(y), 3);
    ck_assert_uint_eq(lg_tensor_dim(y, 2), 2);
    lg_tensor_free(x);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

START_TEST(without_layers_it_gives_its_input)
{
    lg_params *params = lg_params_new();
    lg_sequential *model = lg_sequential_new(params, LG_SCALAR_SHAPE);
    lg_tape *tape = lg_tape_new();
    lg_tensor *x = lg_constant(tape, LG_SHAPE(2), (const lg_real[]){ 1, 2 });
    ck_assert_ptr_eq(lg_sequential_apply(tape, model, x), x);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* Exclusive or, which no linear model can do. */
START_TEST(it_learns_xor)
{
    const lg_real inputs[] = { 0, 0, 0, 1, 1, 0, 1, 1 }, targets[] = { 0, 1, 1, 0 };
    lg_rng rng = lg_rng_seed(6);
    lg_params *params = lg_params_new();
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(2));
    ck_assert_int_eq(lg_sequential_dense(model, 8, LG_TANH, &rng), LG_OK);
    ck_assert_int_eq(lg_sequential_dense(model, 1, LG_SIGMOID, &rng), LG_OK);
    lg_optimizer *adam = lg_adam_new(params, &(lg_adam_options){ .learning_rate = 0.05 });
    lg_tape *tape = lg_tape_new();
    double loss = 1;
    for (int step = 0; step < 500; step++) {
        lg_tape_reset(tape);
        lg_tensor *p = lg_sequential_apply(tape, model, lg_view(tape, LG_SHAPE(4, 2), inputs)); /* [4, 1] */
        lg_tensor *e = lg_sub(tape, p, lg_view(tape, LG_SHAPE(4, 1), targets));
        lg_tensor *mean = lg_mean(tape, lg_square(tape, e));
        ck_assert_int_eq(lg_backward(tape, mean), LG_OK);
        ck_assert_int_eq(lg_optimizer_step(adam), LG_OK);
        lg_optimizer_zero_grad(adam);
        loss = lg_tensor_item(mean);
    }
    ck_assert_double_lt(loss, 0.01);
    lg_optimizer_free(adam);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* y = x + dense(x), a layer that the library does not have. */
static lg_tensor *residual(lg_tape *tape, const lg_layer *layer, lg_tensor *x)
{
    return lg_add(tape, x, lg_dense_apply(tape, layer->object, x));
}

START_TEST(a_layer_of_ones_own_takes_part)
{
    lg_params *params = lg_params_new();
    const lg_dense_options zeros = { .init = LG_INIT_ZEROS };
    lg_dense *dense = lg_dense_new_with(params, "inner", 2, 2, &zeros, NULL);
    lg_tensor_data(lg_dense_bias(dense))[1] = 10;
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(2));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(lg_sequential_add(model, (lg_layer){ .type = "residual", .apply = residual, .object = dense }),
                         LG_OK);
    ck_assert_str_eq(lg_sequential_at(model, 1)->name, "residual_2");
    lg_tape *tape = lg_tape_new();
    lg_tensor *y = lg_sequential_apply(tape, model, lg_constant(tape, LG_SHAPE(1, 2), (const lg_real[]){ 3, 4 }));
    ck_assert_double_eq((double)lg_tensor_data(y)[0], 3);
    ck_assert_double_eq((double)lg_tensor_data(y)[1], 24);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

/* ------------------------------------------------------------------ errors */

START_TEST(an_input_of_another_shape_is_named)
{
    lg_rng rng = lg_rng_seed(0);
    lg_params *params = lg_params_new();
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(4, 4));
    ck_assert_int_eq(lg_sequential_dense(model, 2, LG_LINEAR, &rng), LG_OK);
    lg_tape *tape = lg_tape_new();
    lg_tensor *x = lg_tensor_zeros(LG_SHAPE(5, 3, 4)), *flat = lg_tensor_zeros(LG_SHAPE(4, 4));
    ck_assert_ptr_null(lg_sequential_apply(tape, model, x));
    expect_error(LG_E_SHAPE, "the input is [5, 3, 4], but the model takes [batch, 4, 4]");
    ck_assert_ptr_null(lg_sequential_apply(tape, model, flat));
    expect_error(LG_E_SHAPE, "the input is [4, 4]");
    lg_tensor_free(x);
    lg_tensor_free(flat);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

START_TEST(a_layer_that_failed_is_remembered)
{
    lg_rng rng = lg_rng_seed(0);
    lg_params *params = lg_params_new();
    lg_tape *tape = lg_tape_new();
    lg_tensor *x = lg_tensor_zeros(LG_SHAPE(1, 4));
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(4));
    ck_assert_int_eq(lg_sequential_dropout(model, 2), LG_E_PARAM);
    ck_assert_int_eq(lg_sequential_dense(model, 3, LG_LINEAR, &rng), LG_OK);
    ck_assert_ptr_null(lg_sequential_apply(tape, model, x));
    expect_error(LG_E_PARAM, "lg_layer_dropout: the rate is 2");
    ck_assert_ptr_null(lg_sequential_apply(tape, model, x));
    expect_error(LG_E_STATE, "a layer could not be added");

    lg_sequential *other = lg_sequential_new(params, LG_SHAPE(4));
    lg_dense *wide = lg_dense_new(params, "wide", 5, 2, &rng);
    ck_assert_int_eq(lg_sequential_add(other, lg_layer_dense(wide)), LG_E_SHAPE);
    expect_error(LG_E_SHAPE, "layer wide takes 5 values, but the layer before gives 4");
    ck_assert_ptr_null(lg_sequential_apply(tape, other, x));
    lg_error_clear();

    lg_sequential *third = lg_sequential_new(params, LG_SHAPE(4));
    lg_optimizer *sgd = lg_sgd_new(params, NULL);
    ck_assert_int_eq(lg_sequential_dense(third, 2, LG_LINEAR, &rng), LG_E_STATE);
    ck_assert_int_eq(lg_sequential_dense(third, 2, LG_LINEAR, NULL), LG_E_STATE); /* kept from the call before */
    expect_error(LG_E_STATE, "add layers first");
    lg_optimizer_free(sgd);
    lg_tensor_free(x);
    lg_tape_free(tape);
    lg_params_free(params);
}
END_TEST

static lg_status grow(const lg_layer *layer, size_t *rank, size_t dims[LG_MAX_RANK])
{
    (void)layer;
    dims[(*rank)++] = 1;
    return LG_OK;
}

START_TEST(null_and_nonsense_are_refused)
{
    lg_params *params = lg_params_new();
    ck_assert_ptr_null(lg_sequential_new(NULL, LG_SHAPE(3)));
    expect_error(LG_E_PARAM, "params is NULL");
    ck_assert_ptr_null(lg_sequential_new(params, 2, NULL));
    expect_error(LG_E_PARAM, "dims is NULL");
    ck_assert_ptr_null(lg_sequential_new(params, LG_SHAPE(1, 2, 3, 4)));
    expect_error(LG_E_SHAPE, "no room for the batch axis");
    lg_sequential *number = lg_sequential_new(params, LG_SCALAR_SHAPE);
    ck_assert_int_eq(lg_sequential_dense(number, 3, LG_RELU, NULL), LG_E_SHAPE);
    expect_error(LG_E_SHAPE, "LG_SHAPE(1)");
    lg_sequential *deep = lg_sequential_new(params, LG_SHAPE(1, 2, 3));
    ck_assert_int_eq(lg_sequential_add(deep, (lg_layer){ .type = "deep", .apply = residual, .shape = grow }), LG_E_SHAPE);
    expect_error(LG_E_SHAPE, "rank 4");
    ck_assert_int_eq(lg_sequential_add(deep, (lg_layer){ .type = "nothing" }), LG_E_PARAM);
    expect_error(LG_E_PARAM, "no apply");
    lg_fail(LG_E_IO, "what failed first");
    ck_assert_int_eq(lg_sequential_dense(NULL, 3, LG_RELU, NULL), LG_E_IO);
    ck_assert_int_eq(lg_sequential_add(NULL, lg_layer_flatten()), LG_E_IO);
    ck_assert_ptr_null(lg_sequential_apply(NULL, number, NULL));
    ck_assert_int_eq(lg_sequential_summary(NULL, stdout), LG_E_IO);
    expect_error(LG_E_IO, "what failed first");
    ck_assert_uint_eq(lg_sequential_count(NULL), 0);
    ck_assert_ptr_null(lg_sequential_at(NULL, 0));
    lg_params_free(params);
}
END_TEST

/* ----------------------------------------------------------------- summary */

static char *summary_of(const lg_sequential *model)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    ck_assert_int_eq(lg_sequential_summary(model, stream), LG_OK);
    fclose(stream);
    return text;
}

/* Parameters by hand: 64 * 32 + 32 = 2080, 32 * 10 + 10 = 330; 2410 of four bytes are 9640 = 9.41 * 1024. */
START_TEST(the_summary_shows_layers_shapes_and_counts)
{
    lg_rng rng = lg_rng_seed(0);
    lg_params *params = lg_params_new();
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(64));
    lg_sequential_dense(model, 32, LG_RELU, &rng);
    lg_sequential_dropout(model, 0.5);
    lg_sequential_dense(model, 10, LG_LINEAR, &rng);
    lg_sequential_activation(model, LG_SOFTMAX);
    ck_assert_int_eq(lg_tensor_require_grad(lg_params_find(params, "dense_1.bias"), false), LG_OK);
    char *text = summary_of(model);
    const char *size[] = { sizeof(lg_real) == 4 ? "9.41 KB" : "18.83 KB", sizeof(lg_real) == 4 ? "9.29 KB" : "18.58 KB",
                           sizeof(lg_real) == 4 ? "128 B" : "256 B" };
    char expected[2000];
    snprintf(expected, sizeof expected,
             "Model: sequential, input [batch, 64]\n"
             "__________________________________________________________________________\n"
             " Layer (type)                       Output shape                   Param #\n"
             "==========================================================================\n"
             " dense_1 (dense, relu)              [batch, 32]                      2,080\n"
             " dropout_1 (dropout)                [batch, 32]                          0\n"
             " dense_2 (dense)                    [batch, 10]                        330\n"
             " softmax_1 (softmax)                [batch, 10]                          0\n"
             "==========================================================================\n"
             "Total params: 2,410 (%s)\n"
             "Trainable params: 2,378 (%s)\n"
             "Non-trainable params: 32 (%s)\n"
             "__________________________________________________________________________\n",
             size[0], size[1], size[2]);
    ck_assert_str_eq(text, expected);
    free(text);
    lg_params_free(params);
}
END_TEST

START_TEST(the_summary_fits_80_columns_and_counts_a_shared_layer_once)
{
    lg_rng rng = lg_rng_seed(0);
    lg_params *params = lg_params_new();
    char name[120] = { 0 };
    memset(name, 'x', sizeof name - 1);
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(1000, 100, 1500));
    lg_dense *big = lg_dense_new_with(params, name, 1500, 1500, &(lg_dense_options){ .activation = LG_LOG_SOFTMAX }, &rng);
    ck_assert_int_eq(lg_sequential_add(model, lg_layer_dense(big)), LG_OK);
    ck_assert_int_eq(lg_sequential_add(model, lg_layer_dense(big)), LG_OK);
    char *text = summary_of(model);
    ck_assert_ptr_nonnull(strstr(text, "xxx (dense, log_softmax) [batch, 1000, 100, 1500]"));
    ck_assert_ptr_nonnull(strstr(text, " 2,251,500\n"));
    ck_assert_ptr_nonnull(strstr(text, "Total params: 2,251,500 ("));
    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        ck_assert_int_lt(end - line, 80);
    free(text);
    lg_params_free(params);
}
END_TEST

START_TEST(a_summary_to_a_full_disk_says_so)
{
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return; /* not on this system */
    lg_params *params = lg_params_new();
    ck_assert_int_eq(lg_sequential_summary(lg_sequential_new(params, LG_SHAPE(3)), full), LG_E_IO);
    expect_error(LG_E_IO, "cannot write");
    fclose(full);
    lg_params_free(params);
}
END_TEST

/* ------------------------------------------------------------------ memory */

static lg_status make_and_apply(void *context)
{
    lg_rng rng = lg_rng_seed(4);
    const lg_real x[6] = { 1, 2, 3, 4, 5, 6 };
    (void)context;
    lg_params *params = lg_params_new();
    lg_sequential *model = lg_sequential_new(params, LG_SHAPE(3));
    lg_sequential_dense(model, 4, LG_RELU, &rng);
    lg_sequential_dropout(model, 0.5);
    lg_sequential_dense(model, 2, LG_LINEAR, &rng);
    lg_tape *tape = lg_tape_new();
    lg_tensor *y = lg_sequential_apply(tape, model, lg_constant(tape, LG_SHAPE(2, 3), x)); /* [2, 2] */
    const lg_status status = lg_backward(tape, lg_mean(tape, y));
    lg_tape_free(tape);
    lg_params_free(params);
    return status;
}

START_TEST(every_failing_allocation_is_reported_and_leaks_nothing)
{
    ck_assert_uint_ge(for_each_allocation_failure(make_and_apply, NULL), 20);
}
END_TEST

Suite *sequential_suite(void)
{
    Suite *suite = suite_create("sequential");
    TCase *apply = tcase_create("apply");
    tcase_add_checked_fixture(apply, lg_error_clear, NULL);
    tcase_add_test(apply, it_is_its_layers_one_after_the_other);
    tcase_add_test(apply, dense_acts_on_the_last_axis);
    tcase_add_test(apply, without_layers_it_gives_its_input);
    tcase_add_test(apply, it_learns_xor);
    tcase_add_test(apply, a_layer_of_ones_own_takes_part);
    suite_add_tcase(suite, apply);
    TCase *errors = tcase_create("errors");
    tcase_add_checked_fixture(errors, lg_error_clear, NULL);
    tcase_add_test(errors, an_input_of_another_shape_is_named);
    tcase_add_test(errors, a_layer_that_failed_is_remembered);
    tcase_add_test(errors, null_and_nonsense_are_refused);
    suite_add_tcase(suite, errors);
    TCase *summary = tcase_create("summary");
    tcase_add_checked_fixture(summary, lg_error_clear, NULL);
    tcase_add_test(summary, the_summary_shows_layers_shapes_and_counts);
    tcase_add_test(summary, the_summary_fits_80_columns_and_counts_a_shared_layer_once);
    tcase_add_test(summary, a_summary_to_a_full_disk_says_so);
    suite_add_tcase(suite, summary);
    TCase *memory = tcase_create("memory");
    tcase_add_checked_fixture(memory, lg_error_clear, NULL);
    tcase_add_test(memory, every_failing_allocation_is_reported_and_leaks_nothing);
    suite_add_tcase(suite, memory);
    return suite;
}

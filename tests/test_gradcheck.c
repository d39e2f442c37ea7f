/* gradcheck itself: it passes what is right, fails what is wrong and says where, and leaves its inputs as they were. */
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "fail_alloc.h"
#include "tensor/tensor_internal.h"

#include <check.h>
#include <math.h>
#include <string.h>

static lg_tensor *heap(size_t n, const lg_real *values, bool wanted)
{
    lg_tensor *x = lg_tensor_from(LG_SHAPE(n), values);
    ck_assert(x != NULL && lg_tensor_require_grad(x, wanted) == LG_OK);
    return x;
}

/* y = x^2 whose backward is off by a factor: 1 + error at element `at` of the first input. */
typedef struct flaw {
    size_t at;
    double error;
} flaw;

static void flawed_forward(const lg_node *node)
{
    const lg_real *x = lg_tensor_data(lg_node_input(node, 0));
    for (size_t i = 0; i < lg_tensor_size(lg_node_input(node, 0)); i++)
        lg_tensor_data(lg_node_output(node))[i] = x[i] * x[i];
}

static void flawed_backward(const lg_node *node)
{
    const flaw *f = lg_node_attributes(node);
    const lg_real *x = lg_tensor_data(lg_node_input(node, 0)), *g = lg_node_output_grad(node);
    lg_real *gx = lg_node_input_grad(node, 0);
    for (size_t i = 0; gx && i < lg_tensor_size(lg_node_input(node, 0)); i++)
        gx[i] += 2 * x[i] * g[i] * (i == f->at ? (lg_real)(1 + f->error) : 1);
}

static const lg_op flawed_op = { "flawed", flawed_forward, flawed_backward };

/* The flawed square of the second input, plus the first. */
static lg_tensor *flawed(lg_tape *tape, lg_tensor *const x[], void *context)
{
    lg_tensor *square = lg_record(tape, &flawed_op, 1, &x[1], lg_tensor_rank(x[1]), lg_tensor_dims(x[1]), context,
                                  sizeof(flaw), 0);
    return lg_add(tape, square, x[0]);
}

START_TEST(a_wrong_gradient_is_found_and_named)
{
    lg_tensor *x[] = { heap(3, (const lg_real[]){ 1, 1, 1 }, true), heap(3, (const lg_real[]){ 1, -2, 0.5 }, true) };
    lg_gradcheck_report report;
    flaw f = { 1, 0 };
    ck_assert_msg(lg_gradcheck(flawed, 2, x, &f, NULL, &report) == LG_OK, "%s", lg_error());
    ck_assert_uint_eq(report.compared, 6);
    const double tolerance = LG_REAL_BITS == 64 ? 1e-7 : 2e-3;
    ck_assert_double_le(report.error, tolerance);
    f.error = 4 * tolerance; /* of the largest gradient of that input */
    ck_assert_int_eq(lg_gradcheck(flawed, 2, x, &f, NULL, &report), LG_E_DOMAIN);
    ck_assert_uint_eq(report.input, 1);
    ck_assert_uint_eq(report.element, 1);
    ck_assert_double_eq_tol(report.error, f.error, f.error / 2);
    ck_assert_double_eq_tol(report.analytic / report.numeric, 1 + f.error, f.error / 2);
    ck_assert_msg(strncmp(lg_error(), "lg_gradcheck: input 1, element 1 at [1]: backward gives ", 55) == 0, "%s",
                  lg_error());
    /* A wider tolerance, given by the caller, lets it pass. */
    ck_assert_int_eq(lg_gradcheck(flawed, 2, x, &f, &(lg_gradcheck_options){ .tolerance = 8 * tolerance }, NULL), LG_OK);
    /* An input that wants no gradient is not checked. */
    ck_assert_int_eq(lg_tensor_require_grad(x[1], false), LG_OK);
    ck_assert_int_eq(lg_gradcheck(flawed, 2, x, &f, NULL, &report), LG_OK);
    ck_assert_uint_eq(report.compared, 3);
    lg_tensor_free(x[0]);
    lg_tensor_free(x[1]);
}
END_TEST

START_TEST(a_gradient_that_is_not_a_number_fails)
{
    lg_tensor *x[] = { heap(2, (const lg_real[]){ 1, 1 }, true), heap(2, (const lg_real[]){ 1, 2 }, true) };
    flaw f = { 0, NAN };
    lg_gradcheck_report report;
    ck_assert_int_eq(lg_gradcheck(flawed, 2, x, &f, NULL, &report), LG_E_DOMAIN);
    ck_assert(report.input == 1 && report.element == 0 && isnan(report.error));
    lg_tensor_free(x[0]);
    lg_tensor_free(x[1]);
}
END_TEST

START_TEST(a_missing_gradient_fails)
{
    lg_tensor *x[] = { heap(2, (const lg_real[]){ 1, 1 }, true), heap(2, (const lg_real[]){ 1, 2 }, true) };
    flaw f = { 0, -1 }; /* 0 instead of 2 x g */
    ck_assert_int_eq(lg_gradcheck(flawed, 2, x, &f, NULL, NULL), LG_E_DOMAIN);
    lg_tensor_free(x[0]);
    lg_tensor_free(x[1]);
}
END_TEST

static lg_tensor *product(lg_tape *tape, lg_tensor *const x[], void *context)
{
    (void)context;
    return lg_dropout(tape, lg_mul(tape, lg_exp(tape, x[0]), x[1]), 0.5);
}

START_TEST(inputs_are_left_exactly_as_they_were)
{
    const lg_real values[] = { (lg_real)0.1, (lg_real)-0.7, (lg_real)1.3 };
    lg_tensor *x[] = { heap(3, values, true), heap(3, values, true) };
    lg_tape *tape = lg_tape_new();
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, lg_scale(tape, x[1], 3))), LG_OK);
    lg_tape_free(tape);
    ck_assert_msg(lg_gradcheck(product, 2, x, NULL, NULL, NULL) == LG_OK, "%s", lg_error());
    for (size_t k = 0; k < 2; k++)
        ck_assert_mem_eq(lg_tensor_data(x[k]), values, sizeof values);
    ck_assert_ptr_null(lg_tensor_grad(x[0]));
    for (size_t i = 0; i < 3; i++)
        ck_assert(lg_tensor_grad(x[1])[i] == 3);
    /* A tensor that stands twice in the list is checked once, for both. */
    lg_gradcheck_report report;
    ck_assert_msg(lg_gradcheck(product, 2, (lg_tensor *[]){ x[0], x[0] }, NULL, NULL, &report) == LG_OK, "%s",
                  lg_error());
    ck_assert_uint_eq(report.compared, 3);
    lg_tensor_free(x[0]);
    lg_tensor_free(x[1]);
}
END_TEST

static lg_tensor *fails_later(lg_tape *tape, lg_tensor *const x[], void *calls)
{
    if (++*(int *)calls < 3)
        return lg_exp(tape, x[0]);
    lg_fail(LG_E_IO, "the third call fails");
    return NULL;
}

START_TEST(a_function_that_fails_is_reported)
{
    int calls = 0;
    const lg_real values[] = { 1, 2 };
    lg_tensor *x = heap(2, values, true);
    ck_assert_int_eq(lg_gradcheck(fails_later, 1, &x, &calls, NULL, NULL), LG_E_IO);
    ck_assert_str_eq(lg_error(), "the third call fails");
    ck_assert_mem_eq(lg_tensor_data(x), values, sizeof values);
    lg_tensor_free(x);
}
END_TEST

START_TEST(arguments_are_checked)
{
    lg_tensor *x[] = { heap(1, (const lg_real[]){ 1 }, false), heap(1, (const lg_real[]){ 1 }, false) };
    lg_error_clear();
    ck_assert_int_eq(lg_gradcheck(product, 2, x, NULL, NULL, NULL), LG_E_PARAM);
    ck_assert_ptr_nonnull(strstr(lg_error(), "no input requires a gradient"));
    lg_error_clear();
    ck_assert_int_eq(lg_gradcheck(NULL, 2, x, NULL, NULL, NULL), LG_E_PARAM);
    lg_error_clear();
    ck_assert_int_eq(lg_gradcheck(product, 2, NULL, NULL, NULL, NULL), LG_E_PARAM);
    lg_error_clear();
    ck_assert_int_eq(lg_gradcheck(product, 2, (lg_tensor *[]){ x[0], NULL }, NULL, NULL, NULL), LG_E_PARAM);
    ck_assert_int_eq(lg_gradcheck(product, 2, x, NULL, &(lg_gradcheck_options){ .step = -1 }, NULL), LG_E_PARAM);
    lg_tape *tape = lg_tape_new();
    lg_tensor *leaf = lg_variable(tape, LG_SHAPE(1), (const lg_real[]){ 1 });
    ck_assert_int_eq(lg_gradcheck(product, 2, (lg_tensor *[]){ leaf, x[0] }, NULL, NULL, NULL), LG_E_STATE);
    lg_tape_free(tape);
    lg_tensor_free(x[0]);
    lg_tensor_free(x[1]);
}
END_TEST

static lg_status whole_check(void *context)
{
    return lg_gradcheck(product, 2, context, NULL, NULL, NULL);
}

START_TEST(out_of_memory_is_reported_and_leaks_nothing)
{
    lg_tensor *x[] = { heap(2, (const lg_real[]){ 1, 2 }, true), heap(2, (const lg_real[]){ 1, 2 }, true) };
    ck_assert_uint_ge(for_each_allocation_failure(whole_check, x), 8);
    lg_tensor_free(x[0]);
    lg_tensor_free(x[1]);
}
END_TEST

Suite *gradcheck_suite(void)
{
    Suite *suite = suite_create("gradcheck");
    TCase *tcase = tcase_create("gradcheck");
    tcase_add_test(tcase, a_wrong_gradient_is_found_and_named);
    tcase_add_test(tcase, a_gradient_that_is_not_a_number_fails);
    tcase_add_test(tcase, a_missing_gradient_fails);
    tcase_add_test(tcase, inputs_are_left_exactly_as_they_were);
    tcase_add_test(tcase, a_function_that_fails_is_reported);
    tcase_add_test(tcase, arguments_are_checked);
    tcase_add_test(tcase, out_of_memory_is_reported_and_leaks_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

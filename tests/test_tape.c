/* The tape: accumulation, what backward refuses, lifetimes, the first error, memory. */
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/tape_internal.h"
#include "fail_alloc.h"
#include "support.h"
#include "tensor/threads.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static lg_tape *tape;

static void set_up(void)
{
    lg_error_clear();
    tape = lg_tape_new();
    ck_assert_ptr_nonnull(tape);
}

static void tear_down(void)
{
    lg_tape_free(tape);
}

/* A heap tensor of one axis that wants a gradient. */
static lg_tensor *parameter(size_t n, const lg_real *values)
{
    lg_tensor *x = lg_tensor_from(LG_SHAPE(n), values);
    ck_assert(x != NULL && lg_tensor_require_grad(x, true) == LG_OK);
    return x;
}

#define ASSERT_ERROR(code, part)                                                                                       \
    do {                                                                                                               \
        ck_assert_int_eq(lg_error_code(), code);                                                                       \
        ck_assert_msg(strstr(lg_error(), part) != NULL, "\"%s\" is not in: %s", part, lg_error());                     \
    } while (0)

/* ------------------------------------------------------------ accumulation */

START_TEST(gradients_accumulate_over_shared_subexpressions)
{
    lg_tensor *x = parameter(3, (const lg_real[]){ -1, 0.5, 3 });
    lg_tensor *y = lg_add(tape, lg_mul(tape, x, x), x); /* x^2 + x */
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, y)), LG_OK);
    for (size_t i = 0; i < 3; i++) /* 2 x + 1, exact in binary */
        ck_assert(lg_tensor_grad(x)[i] == 2 * lg_tensor_data(x)[i] + 1);
    lg_tensor_free(x);
}
END_TEST

START_TEST(intermediate_gradients_can_be_read)
{
    lg_tensor *x = parameter(4, (const lg_real[]){ 1, 2, 3, 4 });
    lg_tensor *h = lg_scale(tape, x, 3);
    lg_tensor *table = lg_reshape(tape, h, 2, (const size_t[]){ 2, 2 });
    lg_tensor *y = lg_add(tape, lg_sum(tape, lg_square(tape, table)), lg_sum(tape, h));
    ck_assert_int_eq(lg_backward(tape, y), LG_OK);
    for (size_t i = 0; i < 4; i++) {
        const lg_real value = lg_tensor_data(h)[i];
        ck_assert(lg_tensor_grad(table)[i] == 2 * value); /* not what later went into h's */
        ck_assert(lg_tensor_grad(h)[i] == 2 * value + 1);
        ck_assert(lg_tensor_grad(x)[i] == 3 * (2 * value + 1));
    }
    lg_tensor_free(x);
}
END_TEST

START_TEST(heap_gradients_accumulate_over_passes_until_zeroed)
{
    lg_tensor *x = parameter(2, (const lg_real[]){ 2, -4 });
    ck_assert_ptr_null(lg_tensor_grad(x));
    for (int pass = 1; pass <= 3; pass++) {
        lg_tape_reset(tape);
        ck_assert_int_eq(lg_backward(tape, lg_sum(tape, lg_square(tape, x))), LG_OK);
        ck_assert(lg_tensor_grad(x)[0] == (lg_real)(4 * pass) && lg_tensor_grad(x)[1] == (lg_real)(-8 * pass));
    }
    lg_tensor_zero_grad(x);
    ck_assert_ptr_null(lg_tensor_grad(x));
    lg_tape_reset(tape);
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, lg_square(tape, x))), LG_OK);
    ck_assert(lg_tensor_grad(x)[0] == 4 && lg_tensor_grad(x)[1] == -8);
    lg_tensor_free(x);
}
END_TEST

START_TEST(backward_from_a_leaf_gives_the_upstream_gradient)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(2), (const lg_real[]){ 1, 2 });
    lg_tensor *upstream = lg_constant(tape, LG_SHAPE(2), (const lg_real[]){ 3, -5 });
    ck_assert_int_eq(lg_backward_from(tape, x, upstream), LG_OK);
    ck_assert(lg_tensor_grad(x)[0] == 3 && lg_tensor_grad(x)[1] == -5);
}
END_TEST

START_TEST(upstream_gradients_weigh_a_result_of_any_shape)
{
    lg_tensor *x = parameter(2, (const lg_real[]){ 2, 3 });
    lg_tensor *upstream = lg_tensor_from(LG_SHAPE(2), (const lg_real[]){ 10, -1 });
    ck_assert_int_eq(lg_backward_from(tape, lg_square(tape, x), upstream), LG_OK);
    ck_assert(lg_tensor_grad(x)[0] == 40 && lg_tensor_grad(x)[1] == -6);
    lg_tensor_free(upstream);
    lg_tensor_free(x);
}
END_TEST

/* Only what the root depends on gets a gradient. */
START_TEST(unrelated_tensors_get_no_gradient)
{
    lg_tensor *x = parameter(1, (const lg_real[]){ 2 }), *z = parameter(1, (const lg_real[]){ 5 });
    lg_tensor *aside = lg_exp(tape, z), *y = lg_square(tape, x), *after = lg_square(tape, y);
    ck_assert_int_eq(lg_backward(tape, y), LG_OK);
    ck_assert(lg_tensor_grad(x)[0] == 4);
    ck_assert_ptr_null(lg_tensor_grad(z));
    ck_assert_ptr_null(lg_tensor_grad(aside));
    ck_assert_ptr_null(lg_tensor_grad(after));
    lg_tensor_free(x);
    lg_tensor_free(z);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

/* (valgrind knows no processor that leaves them out.) */
START_TEST(gradients_that_are_subnormal_are_0_and_the_program_keeps_its_own)
{
#if defined(__x86_64__) && defined(__GNUC__)
    enum { ELEMENTS = 100000 }; /* enough for several threads */
    const lg_real smallest = LG_REAL_BITS == 64 ? (lg_real)DBL_MIN : (lg_real)FLT_MIN;
    lg_tensor *values = lg_tensor_full(LG_SHAPE(ELEMENTS), 1);
    for (size_t threads = 1; threads <= 2; threads++) {
        lg_set_num_threads(threads);
        lg_tape_reset(tape);
        lg_tensor *x = lg_variable(tape, LG_SHAPE(ELEMENTS), lg_tensor_data(values));
        lg_tensor *small = lg_scale(tape, lg_scale(tape, x, (double)(4 * smallest)), 0.125); /* x is taken by half the least */
        ck_assert_int_eq(fpclassify(lg_tensor_data(small)[ELEMENTS - 1]), FP_SUBNORMAL); /* forward nothing is lost */
        ck_assert_int_eq(lg_backward(tape, lg_sum(tape, small)), LG_OK);
        for (size_t i = 0; i < ELEMENTS; i++)
            ck_assert_msg(lg_tensor_grad(x)[i] == 0, "%zu threads: %zu: %g", threads, i, (double)lg_tensor_grad(x)[i]);
        volatile lg_real half = smallest;
        half /= 2;
        ck_assert_int_eq(fpclassify(half), FP_SUBNORMAL);
    }
    lg_set_num_threads(0);
    lg_tensor_free(values);
#endif
}
END_TEST

START_TEST(backward_twice_is_an_error)
{
    lg_tensor *x = parameter(1, (const lg_real[]){ 2 });
    lg_tensor *y = lg_square(tape, x);
    ck_assert_int_eq(lg_backward(tape, y), LG_OK);
    ck_assert_int_eq(lg_backward(tape, y), LG_E_STATE);
    ASSERT_ERROR(LG_E_STATE, "backward has run");
    ck_assert(lg_tensor_grad(x)[0] == 4);
    lg_tape_reset(tape);
    ck_assert_int_eq(lg_backward(tape, lg_square(tape, x)), LG_OK);
    lg_tensor_free(x);
}
END_TEST

START_TEST(backward_from_many_values_wants_a_seed)
{
    lg_tensor *x = parameter(2, (const lg_real[]){ 2, 3 });
    lg_tensor *y = lg_square(tape, x);
    ck_assert_int_eq(lg_backward(tape, y), LG_E_SHAPE);
    ASSERT_ERROR(LG_E_SHAPE, "[2]");
    ASSERT_ERROR(LG_E_SHAPE, "lg_backward_from");
    lg_tensor *other = lg_constant(tape, LG_SHAPE(1, 2), (const lg_real[]){ 1, 1 });
    ck_assert_int_eq(lg_backward_from(tape, y, other), LG_E_SHAPE);
    ASSERT_ERROR(LG_E_SHAPE, "[1, 2]");
    lg_error_clear();
    ck_assert_int_eq(lg_backward_from(tape, y, NULL), LG_E_PARAM);
    ck_assert_ptr_null(lg_tensor_grad(x));
    lg_tensor_free(x);
}
END_TEST

START_TEST(backward_without_anything_to_differentiate_is_an_error)
{
    lg_tensor *c = lg_constant(tape, LG_SCALAR_SHAPE, (const lg_real[]){ 1 });
    ck_assert_int_eq(lg_backward(tape, lg_exp(tape, c)), LG_E_STATE);
    ASSERT_ERROR(LG_E_STATE, "requires a gradient");
}
END_TEST

START_TEST(a_tensor_that_needs_no_gradient_costs_none)
{
    lg_tensor *x = lg_constant(tape, LG_SHAPE(3), (const lg_real[]){ 1, 2, 3 });
    lg_tensor *w = lg_variable(tape, LG_SHAPE(3), (const lg_real[]){ 4, 5, 6 });
    const size_t of_w = tape->grad_bytes;
    lg_tensor *plain = lg_max(tape, lg_tanh(tape, x));
    ck_assert(!lg_tensor_requires_grad(plain));
    ck_assert_uint_eq(tape->grad_bytes, of_w);
    ck_assert_ptr_null(plain->node->saved);
    lg_tensor *y = lg_sum(tape, lg_mul(tape, w, x));
    ck_assert_int_eq(lg_backward(tape, y), LG_OK);
    ck_assert_ptr_null(lg_tensor_grad(x));
    ck_assert_ptr_null(x->grad);
    ck_assert(lg_tensor_grad(w)[2] == 3);

    lg_tape_reset(tape);
    lg_tape_set_gradients(tape, false);
    w = lg_variable(tape, LG_SHAPE(3), (const lg_real[]){ 4, 5, 6 });
    ck_assert(!lg_tensor_requires_grad(lg_exp(tape, w)));
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, w)), LG_E_STATE);
}
END_TEST

/* ---------------------------------------------------------------- lifetimes */

START_TEST(a_tensor_kept_past_the_reset_is_refused)
{
    lg_tensor *x = lg_variable(tape, LG_SHAPE(1), (const lg_real[]){ 2 });
    lg_tensor *y = lg_exp(tape, x);
    lg_tape_reset(tape);
    ck_assert_ptr_null(lg_exp(tape, y));
    ASSERT_ERROR(LG_E_STATE, "exp: argument 1");
    ck_assert_ptr_null(lg_tensor_data(y));
    ck_assert_int_eq(lg_error_code(), LG_E_STATE);
    ck_assert_ptr_null(lg_tensor_grad(y));
    ck_assert(isnan(lg_tensor_item(y)));
    ck_assert_int_eq(lg_backward(tape, y), LG_E_STATE);
    /* Headers lie in two pools in turn: what is recorded now leaves the old header as it was. */
    for (int i = 0; i < 100; i++)
        ck_assert_ptr_nonnull(lg_constant(tape, LG_SHAPE(1), (const lg_real[]){ 1 }));
    ck_assert_ptr_null(lg_exp(tape, y));
    ck_assert_int_eq(lg_error_code(), LG_E_STATE);
}
END_TEST

START_TEST(a_tensor_of_another_tape_is_refused)
{
    lg_tape *other = lg_tape_new();
    lg_tensor *x = lg_constant(tape, LG_SHAPE(1), (const lg_real[]){ 1 });
    lg_tensor *z = lg_constant(other, LG_SHAPE(1), (const lg_real[]){ 1 });
    ck_assert_ptr_null(lg_add(tape, x, z));
    ASSERT_ERROR(LG_E_STATE, "add: argument 2 belongs to another tape");
    lg_tape_free(other);
}
END_TEST

START_TEST(the_first_error_is_kept_through_a_chain)
{
    lg_tensor *a = lg_constant(tape, LG_SHAPE(2, 3), (const lg_real[]){ 1, 2, 3, 4, 5, 6 });
    lg_tensor *b = lg_matmul(tape, a, a); /* 3 columns against 2 rows */
    lg_tensor *c = lg_mean(tape, lg_softmax(tape, lg_add(tape, lg_exp(tape, b), a), 7));
    ck_assert_ptr_null(c);
    ASSERT_ERROR(LG_E_SHAPE, "matmul: [2, 3] x [2, 3]");
    ck_assert_int_eq(lg_backward(tape, c), LG_E_SHAPE);
    ASSERT_ERROR(LG_E_SHAPE, "matmul");
}
END_TEST

START_TEST(leaves_copy_or_borrow)
{
    lg_real values[] = { 1, 2 };
    lg_tensor *copy = lg_constant(tape, LG_SHAPE(2), values), *view = lg_view(tape, LG_SHAPE(2), values);
    values[0] = 9;
    ck_assert(lg_tensor_data(copy)[0] == 1);
    ck_assert_ptr_eq(lg_tensor_data(view), values);
    ck_assert_ptr_null(lg_constant(tape, LG_SHAPE(2), NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    ck_assert_ptr_null(lg_view(tape, LG_SHAPE(SIZE_MAX, 2), values));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    const int32_t index[] = { 4, 5 };
    ck_assert_int_eq(lg_tensor_indices(lg_constant_indices(tape, LG_SHAPE(2), index))[1], 5);
    ck_assert_ptr_eq(lg_tensor_indices(lg_view_indices(tape, LG_SHAPE(2), index)), index);
}
END_TEST

/* ------------------------------------------------------------ ops of others */

static void cube_forward(const lg_node *node)
{
    const double factor = *(const double *)lg_node_attributes(node);
    const lg_real *x = lg_tensor_data(lg_node_input(node, 0));
    lg_real *y = lg_tensor_data(lg_node_output(node)), *square = lg_node_saved(node);
    for (size_t i = 0; i < lg_tensor_size(lg_node_input(node, 0)); i++) {
        square[i] = x[i] * x[i];
        y[i] = (lg_real)factor * square[i] * x[i];
    }
}

static void cube_backward(const lg_node *node)
{
    const double factor = *(const double *)lg_node_attributes(node);
    const lg_real *gy = lg_node_output_grad(node), *square = lg_node_saved(node);
    lg_real *gx = lg_node_input_grad(node, 0);
    for (size_t i = 0; gx && i < lg_tensor_size(lg_node_input(node, 0)); i++)
        gx[i] += 3 * (lg_real)factor * square[i] * gy[i];
}

static const lg_op cube_op = { "cube", cube_forward, cube_backward };

static lg_tensor *cube(lg_tape *t, lg_tensor *const x[], void *factor)
{
    return lg_record(t, &cube_op, 1, x, lg_tensor_rank(x[0]), lg_tensor_dims(x[0]), factor, sizeof(double),
                     lg_tensor_size(x[0]) * sizeof(lg_real));
}

/* Through the shared gradient of x: 2 x^3 + x^3. */
static lg_tensor *cube_twice(lg_tape *t, lg_tensor *const x[], void *factor)
{
    double one = 1;
    lg_tensor *scaled = lg_scale(t, x[0], 0.5);
    return lg_add(t, cube(t, &scaled, factor), cube(t, &scaled, &one));
}

START_TEST(an_op_from_outside_is_like_any_other)
{
    double factor = 2;
    lg_tensor *x = parameter(3, (const lg_real[]){ -1, 0.5, 0.75 });
    lg_tensor *y = cube(tape, &x, &factor);
    ck_assert(lg_tensor_data(y)[1] == (lg_real)0.25);
    ck_assert_int_eq(lg_backward(tape, lg_sum(tape, y)), LG_OK);
    ck_assert(lg_tensor_grad(x)[0] == 6);
    lg_tensor_zero_grad(x);
    ck_assert_msg(lg_gradcheck(cube, 1, &x, &factor, NULL, NULL) == LG_OK, "%s", lg_error());
    ck_assert_msg(lg_gradcheck(cube_twice, 1, &x, &factor, NULL, NULL) == LG_OK, "%s", lg_error());
    lg_tensor_free(x);
}
END_TEST

START_TEST(record_checks_what_it_is_given)
{
    static const lg_op nameless = { NULL, cube_forward, NULL };
    lg_tensor *x = lg_constant(tape, LG_SHAPE(1), (const lg_real[]){ 1 });
    ck_assert_ptr_null(lg_record(tape, &nameless, 1, &x, LG_SHAPE(1), NULL, 0, 0));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    lg_error_clear();
    ck_assert_ptr_null(lg_record(tape, NULL, 1, &x, LG_SHAPE(1), NULL, 0, 0));
    ck_assert_ptr_null(lg_record(tape, &cube_op, 1, &x, 5, (const size_t[]){ 1, 1, 1, 1, 1 }, NULL, 0, 0));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    ck_assert_uint_eq(lg_tape_length(tape), 0);
}
END_TEST

/* --------------------------------------------------------------- inspection */

START_TEST(print_shows_the_graph)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    lg_tensor *x = lg_view(tape, LG_SHAPE(1, 2), (const lg_real[]){ 1, 2 });
    lg_tensor *w = lg_tensor_full(LG_SHAPE(3, 2), 1), *b = parameter(3, (const lg_real[]){ 0, 0, 0 });
    w->name = "hidden.weight";
    lg_tensor *h = lg_linear(tape, x, w, b, LG_RELU);
    lg_tensor *rows = lg_constant_indices(tape, LG_SHAPE(2), (const int32_t[]){ 0, 0 });
    ck_assert_ptr_nonnull(lg_sum(tape, lg_gather_rows(tape, h, rows)));
    lg_tape_print(tape, stream);
    fclose(stream);
    const char *expected = "#0  linear_relu  (constant [1, 2], hidden.weight [3, 2], tensor [3] grad) -> [1, 3] grad\n"
                           "#1  gather_rows  (#0 [1, 3] grad, indices [2]) -> [2, 3] grad\n"
                           "#2  sum          (#1 [2, 3] grad) -> [] grad\n"
                           "3 operations, ";
    ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
    free(text);
    lg_tensor_free(w);
    lg_tensor_free(b);
}
END_TEST

START_TEST(find_nonfinite_names_the_first_culprit)
{
    char text[256] = "";
    lg_tensor *x = lg_constant(tape, LG_SHAPE(2, 2), (const lg_real[]){ 1, 2, -3, 4 });
    lg_tensor *fine = lg_square(tape, x);
    ck_assert(!lg_tape_find_nonfinite(tape, text, sizeof text));
    ck_assert_str_eq(text, "");
    ck_assert_ptr_nonnull(lg_sum(tape, lg_log(tape, lg_add(tape, fine, x)))); /* all positive: 2, 6, 6, 20 */
    ck_assert(!lg_tape_find_nonfinite(tape, NULL, 0));
    ck_assert_ptr_nonnull(lg_exp(tape, lg_log(tape, x)));
    ck_assert(lg_tape_find_nonfinite(tape, text, sizeof text));
    ck_assert_str_eq(text, "log #4 [2, 2] is the first operation with a NaN, at [1, 0], from finite inputs");

    lg_tape_reset(tape);
    lg_tensor *w = lg_tensor_full(LG_SHAPE(3), INFINITY);
    w->name = "w";
    ck_assert_ptr_nonnull(lg_add(tape, lg_constant(tape, LG_SCALAR_SHAPE, (const lg_real[]){ 1 }), w));
    ck_assert(lg_tape_find_nonfinite(tape, text, sizeof text));
    ck_assert_str_eq(text, "add #0 [3] is the first operation with an infinity, at [0], from its argument 2, w, which has "
                           "an infinity at [0]");
    lg_tensor_free(w);
}
END_TEST

/* ------------------------------------------------------------------- random */

static uint64_t draw(uint64_t seed, uint64_t epoch, uint64_t step, int use)
{
    lg_tape_set_random(tape, seed, epoch, step);
    lg_rng rng = lg_tape_next_rng(tape);
    for (int i = 0; i < use; i++)
        rng = lg_tape_next_rng(tape);
    return lg_rng_bits64(&rng);
}

START_TEST(random_streams_are_named_by_seed_epoch_step_and_use)
{
    const uint64_t one = draw(1, 2, 3, 0);
    ck_assert(draw(1, 2, 3, 0) == one);
    ck_assert(draw(2, 2, 3, 0) != one && draw(1, 3, 3, 0) != one && draw(1, 2, 4, 0) != one && draw(1, 2, 3, 1) != one);
    ck_assert(draw(1, 3, 2, 0) != one);
    /* A reset starts the uses anew, and keeps the name. */
    lg_tape_set_random(tape, 1, 2, 3);
    (void)lg_tape_next_rng(tape);
    lg_tape_reset(tape);
    lg_rng rng = lg_tape_next_rng(tape);
    ck_assert(lg_rng_bits64(&rng) == one);
}
END_TEST

/* ------------------------------------------------------------------- memory */

/* A small network's step; the loss, or NULL. */
static lg_tensor *step(lg_tape *t, lg_tensor *w, lg_tensor *v, size_t rows)
{
    static const lg_real values[64 * 16];
    lg_tape_reset(t);
    lg_tensor *x = lg_view(t, LG_SHAPE(rows, 16), values);                      /* [rows, 16] */
    lg_tensor *h = lg_dropout(t, lg_linear(t, x, w, NULL, LG_TANH), 0.25);      /* [rows, 32] */
    lg_tensor *y = lg_log_softmax(t, lg_linear(t, h, v, NULL, LG_LINEAR), -1);  /* [rows, 4] */
    lg_tensor *loss = lg_neg(t, lg_mean(t, lg_mul(t, y, lg_max_axis(t, y, 1, true))));
    return lg_backward(t, loss) == LG_OK ? loss : NULL;
}

static lg_status two_steps(void *context)
{
    (void)context;
    lg_rng rng = lg_rng_seed(1);
    lg_tape *t = lg_tape_new();
    lg_tensor *w = lg_tensor_he_uniform(LG_SHAPE(32, 16), &rng), *v = lg_tensor_he_uniform(LG_SHAPE(4, 32), &rng);
    bool ok = t && w && v && lg_tensor_require_grad(w, true) == LG_OK && lg_tensor_require_grad(v, true) == LG_OK;
    ok = ok && step(t, w, v, 16) && step(t, w, v, 64);
    lg_tensor_free(w);
    lg_tensor_free(v);
    lg_tape_free(t);
    return ok ? LG_OK : lg_error_code();
}

START_TEST(out_of_memory_at_any_point_is_reported_and_leaks_nothing)
{
    ck_assert_uint_ge(for_each_allocation_failure(two_steps, NULL), 8);
}
END_TEST

/* A chain whose gradients may or may not fit beside its values. */
static lg_status chain(void *context)
{
    static const lg_real values[1024];
    lg_tape *t = lg_tape_new();
    lg_tensor *x = lg_variable(t, LG_SHAPE(1024), values), *y = x;
    for (size_t i = 0; i < *(const size_t *)context; i++)
        y = lg_scale(t, y, 2);
    const lg_status status = t ? lg_backward(t, lg_sum(t, y)) : lg_error_code();
    if (status != LG_OK && x && lg_tensor_grad(x))
        lg_fail(LG_E_STATE, "a gradient was touched");
    lg_tape_free(t);
    return status;
}

START_TEST(backward_reserves_all_it_needs_before_it_starts)
{
    for (size_t length = 1; length <= 64; length++)
        ck_assert_uint_ge(for_each_allocation_failure(chain, &length), 5);
}
END_TEST

START_TEST(a_steady_step_allocates_nothing)
{
    lg_rng rng = lg_rng_seed(1);
    lg_tensor *w = lg_tensor_he_uniform(LG_SHAPE(32, 16), &rng), *v = lg_tensor_he_uniform(LG_SHAPE(4, 32), &rng);
    ck_assert(lg_tensor_require_grad(w, true) == LG_OK && lg_tensor_require_grad(v, true) == LG_OK);
    for (int i = 0; i < 3; i++) /* warm-up: the chunks become one, header pools take turns */
        ck_assert_ptr_nonnull(step(tape, w, v, 64));
    const size_t held = lg_tape_bytes(tape);
    bool ok = true;
    fail_alloc_at(0);
    for (size_t i = 0; i < 20; i++) {
        lg_tape_set_random(tape, 1, 0, i);
        ok &= step(tape, w, v, 64 - i % 3) != NULL; /* ragged batches as well */
    }
    fail_alloc_off();
    ck_assert(ok);
    ck_assert_uint_eq(fail_alloc_count(), 0);
    ck_assert_uint_eq(lg_tape_bytes(tape), held);
    lg_tensor_free(w);
    lg_tensor_free(v);
}
END_TEST

START_TEST(null_is_harmless)
{
    char text[8] = "";
    lg_tape_free(NULL);
    lg_tape_reset(NULL);
    lg_tape_print(NULL, stderr);
    lg_tape_print(tape, NULL);
    ck_assert(!lg_tape_is_training(NULL) && lg_tape_is_training(tape));
    ck_assert(!lg_tape_find_nonfinite(NULL, text, sizeof text));
    ck_assert_uint_eq(lg_tape_length(NULL) + lg_tape_bytes(NULL), 0);
    ck_assert_int_eq(lg_backward(tape, NULL), LG_E_PARAM);
    lg_error_clear();
    ck_assert_int_eq(lg_backward(NULL, NULL), LG_E_PARAM);
}
END_TEST

Suite *tape_suite(void)
{
    Suite *suite = suite_create("tape");
    TCase *tcase = tcase_create("tape");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, gradients_accumulate_over_shared_subexpressions);
    tcase_add_test(tcase, intermediate_gradients_can_be_read);
    tcase_add_test(tcase, heap_gradients_accumulate_over_passes_until_zeroed);
    tcase_add_test(tcase, backward_from_a_leaf_gives_the_upstream_gradient);
    tcase_add_test(tcase, upstream_gradients_weigh_a_result_of_any_shape);
    tcase_add_test(tcase, unrelated_tensors_get_no_gradient);
    if (test_stride(2) == 1)
        tcase_add_test(tcase, gradients_that_are_subnormal_are_0_and_the_program_keeps_its_own);
    tcase_add_test(tcase, backward_twice_is_an_error);
    tcase_add_test(tcase, backward_from_many_values_wants_a_seed);
    tcase_add_test(tcase, backward_without_anything_to_differentiate_is_an_error);
    tcase_add_test(tcase, a_tensor_that_needs_no_gradient_costs_none);
    tcase_add_test(tcase, a_tensor_kept_past_the_reset_is_refused);
    tcase_add_test(tcase, a_tensor_of_another_tape_is_refused);
    tcase_add_test(tcase, the_first_error_is_kept_through_a_chain);
    tcase_add_test(tcase, leaves_copy_or_borrow);
    tcase_add_test(tcase, an_op_from_outside_is_like_any_other);
    tcase_add_test(tcase, record_checks_what_it_is_given);
    tcase_add_test(tcase, print_shows_the_graph);
    tcase_add_test(tcase, find_nonfinite_names_the_first_culprit);
    tcase_add_test(tcase, random_streams_are_named_by_seed_epoch_step_and_use);
    tcase_add_test(tcase, out_of_memory_at_any_point_is_reported_and_leaks_nothing);
    tcase_add_test(tcase, backward_reserves_all_it_needs_before_it_starts);
    tcase_add_test(tcase, a_steady_step_allocates_nothing);
    tcase_add_test(tcase, null_is_harmless);
    suite_add_tcase(suite, tcase);
    return suite;
}

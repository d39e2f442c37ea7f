/* Cross-entropies and focal loss against PyTorch: value and every gradient, in every reduction, options included.
 * The values are made by tests/reference/losses_core.py. */
#include "losses/classification.h"
#include "losses/imbalance.h"

#include "reference/losses_core.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Double: rounding of the two implementations. Float: 1e-5 of the value, and 1e-6 of what the sums are made of. */
static const double relative = LG_REAL_BITS == 64 ? 1e-10 : 1e-5;
static const double absolute = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;

/* Where the reference itself is off, by how much:
 *   eps 1e-15   1 - (1 - 1e-15) is 1.11e-15 in double, so its logarithm is 2.3e-5 away from log(eps), which luge gives
 *   log100      PyTorch divides by a float's 1e-12, 4e-9 from 1e-12 */
static double slack(const struct reference_loss *row)
{
    if (strcmp(row->what, "probabilities, eps 1e-15") == 0)
        return 3e-5;
    if (strcmp(row->what, "probabilities 0 and 1, log100") == 0)
        return relative > 1e-8 ? relative : 1e-8;
    return relative;
}

static void assert_close(const struct reference_loss *row, const char *what, size_t i, double got, double want)
{
    const double error = fabs(got - want);
    const bool same = got == want || (isnan(got) && isnan(want)) || error <= absolute + slack(row) * fabs(want);
    ck_assert_msg(same, "%s, %s: %s[%zu] is %.17g, PyTorch has %.17g", row->loss, row->what, what, i, got, want);
}

static lg_real *reals(size_t n, const double *values)
{
    lg_real *copy = malloc((n ? n : 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = (lg_real)values[i];
    return copy;
}

static lg_tensor *tensor_of(size_t rank, const size_t *dims, const double *values)
{
    size_t n = 1;
    for (size_t i = 0; i < rank; i++)
        n *= dims[i];
    lg_real *copy = reals(n, values);
    lg_tensor *tensor = lg_tensor_from(rank, dims, copy);
    free(copy);
    return tensor;
}

typedef struct operands {
    lg_tensor *pred, *target, *sample_weight, *class_weight, *pos_weight;
    lg_loss_options options;
} operands;

static size_t class_axis(const struct reference_loss *row)
{
    return row->axis < 0 ? row->rank - 1 : (size_t)row->axis;
}

static operands operands_of(const struct reference_loss *row)
{
    operands o = { .pred = tensor_of(row->rank, row->dims, row->pred) };
    size_t unit_dims[4], unit_rank = 0;
    for (size_t i = 0; i < row->rank; i++)
        if (!row->label || i != class_axis(row))
            unit_dims[unit_rank++] = row->dims[i];
    lg_tensor_require_grad(o.pred, true);
    if (row->label) {
        o.target = lg_tensor_from_indices(unit_rank, unit_dims, row->label);
    } else {
        o.target = tensor_of(row->rank, row->dims, row->target);
        lg_tensor_require_grad(o.target, row->mean_gradient.target != NULL);
    }
    if (row->sample_weight && row->sample_weights == row->units)
        o.sample_weight = tensor_of(unit_rank, unit_dims, row->sample_weight);
    else if (row->sample_weight)
        o.sample_weight = tensor_of(LG_SHAPE(row->sample_weights, 1), row->sample_weight);
    if (row->class_weight)
        o.class_weight = tensor_of(LG_SHAPE(row->dims[class_axis(row)]), row->class_weight);
    if (row->pos_weight)
        o.pos_weight = tensor_of(LG_SHAPE(row->pos_weights), row->pos_weight);
    o.options = (lg_loss_options){ .from_logits = row->from_logits,
                                   .label_smoothing = row->label_smoothing,
                                   .sample_weight = o.sample_weight,
                                   .class_weight = o.class_weight,
                                   .pos_weight = o.pos_weight,
                                   .ignore_index = row->label ? &row->ignore_index : NULL,
                                   .class_axis = row->axis < 0 ? 0 : (size_t)row->axis,
                                   .eps = row->from_logits ? 0 : row->eps,
                                   .no_normalize = row->unnormalized,
                                   .clip_log100 = row->log100 };
    return o;
}

static void free_operands(operands *o)
{
    lg_tensor *all[] = { o->pred, o->target, o->sample_weight, o->class_weight, o->pos_weight };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        lg_tensor_free(all[i]);
}

static lg_tensor *apply(lg_tape *tape, const struct reference_loss *row, const operands *o)
{
    if (strcmp(row->loss, "binary_crossentropy") == 0)
        return lg_binary_crossentropy(tape, o->pred, o->target, &o->options);
    if (strcmp(row->loss, "sparse_categorical_crossentropy") == 0)
        return lg_sparse_categorical_crossentropy(tape, o->pred, o->target, &o->options);
    ck_assert_str_eq(row->loss, "binary_focal_crossentropy");
    const lg_focal_alpha mode = !row->alpha_mode                           ? LG_ALPHA_NONE
                                : strcmp(row->alpha_mode, "balanced") == 0 ? LG_ALPHA_BALANCED
                                                                           : LG_ALPHA_UNIFORM;
    return lg_binary_focal_crossentropy(tape, o->pred, o->target, row->gamma, row->alpha, mode, &o->options);
}

static void assert_gradients(const struct reference_loss *row, const operands *o, const char *reduction,
                             const reference_gradient *want)
{
    const lg_real *by_pred = lg_tensor_grad(o->pred), *by_target = lg_tensor_grad(o->target);
    char what[64];
    snprintf(what, sizeof what, "%s, gradient by pred", reduction);
    for (size_t i = 0; i < lg_tensor_size(o->pred); i++)
        assert_close(row, what, i, (double)by_pred[i], want->pred[i]);
    snprintf(what, sizeof what, "%s, gradient by target", reduction);
    for (size_t i = 0; want->target && i < lg_tensor_size(o->target); i++)
        assert_close(row, what, i, (double)by_target[i], want->target[i]);
}

static void check_reduced(const struct reference_loss *row, lg_reduction reduction, const char *name, double value,
                          const reference_gradient *gradient)
{
    operands o = operands_of(row);
    o.options.reduction = reduction;
    lg_tape *tape = lg_tape_new();
    lg_tensor *loss = apply(tape, row, &o);
    ck_assert_msg(loss != NULL, "%s, %s: %s", row->loss, row->what, lg_error());
    assert_close(row, name, 0, lg_tensor_item(loss), value);
    ck_assert_msg(lg_backward(tape, loss) == LG_OK, "%s", lg_error());
    assert_gradients(row, &o, name, gradient);
    lg_tape_free(tape);
    free_operands(&o);
}

static void check_none(const struct reference_loss *row)
{
    operands o = operands_of(row);
    o.options.reduction = LG_REDUCE_NONE;
    lg_tape *tape = lg_tape_new();
    lg_tensor *loss = apply(tape, row, &o);
    ck_assert_msg(loss != NULL, "%s, %s: %s", row->loss, row->what, lg_error());
    ck_assert_uint_eq(lg_tensor_size(loss), row->units);
    for (size_t i = 0; i < row->units; i++)
        assert_close(row, "none", i, (double)lg_tensor_data(loss)[i], row->none[i]);
    lg_tensor *upstream = tensor_of(lg_tensor_rank(loss), lg_tensor_dims(loss), row->upstream);
    ck_assert_msg(lg_backward_from(tape, loss, upstream) == LG_OK, "%s", lg_error());
    assert_gradients(row, &o, "none", &row->none_gradient);
    lg_tensor_free(upstream);
    lg_tape_free(tape);
    free_operands(&o);
}

START_TEST(cross_entropies_equal_pytorch_in_every_reduction)
{
    const struct reference_loss *row = &reference_losses[_i];
    check_none(row);
    check_reduced(row, LG_REDUCE_MEAN, "mean", row->mean, &row->mean_gradient);
    check_reduced(row, LG_REDUCE_SUM, "sum", row->sum, &row->sum_gradient);
    check_reduced(row, LG_REDUCE_WEIGHTED_MEAN, "weighted mean", row->weighted_mean, &row->weighted_mean_gradient);
}
END_TEST

/* --------------------------------------------------------- hand-checkable cases */

static const double tight = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;

/* The loss of one call with the gradient of pred, on a tape of its own. */
typedef struct outcome {
    double loss, gradient[8];
} outcome;

static outcome outcome_of(lg_tape *tape, lg_tensor *pred, lg_tensor *loss)
{
    outcome result = { 0 };
    ck_assert_msg(loss != NULL, "%s", lg_error());
    ck_assert_msg(lg_backward(tape, loss) == LG_OK, "%s", lg_error());
    result.loss = lg_tensor_item(loss);
    for (size_t i = 0; i < lg_tensor_size(pred); i++)
        result.gradient[i] = (double)lg_tensor_grad(pred)[i];
    lg_tape_free(tape);
    return result;
}

static outcome bce(size_t n, const double *pred, const double *target, const lg_loss_options *options)
{
    lg_tape *tape = lg_tape_new();
    lg_real *p = reals(n, pred), *y = reals(n, target);
    lg_tensor *x = lg_variable(tape, LG_SHAPE(n), p);
    outcome result = outcome_of(tape, x, lg_binary_crossentropy(tape, x, lg_constant(tape, LG_SHAPE(n), y), options));
    free(p);
    free(y);
    return result;
}

static outcome focal(size_t n, const double *pred, const double *target, double gamma, double alpha,
                     lg_focal_alpha mode, bool from_logits)
{
    lg_tape *tape = lg_tape_new();
    lg_real *p = reals(n, pred), *y = reals(n, target);
    lg_tensor *x = lg_variable(tape, LG_SHAPE(n), p);
    outcome result = outcome_of(tape, x,
                                lg_binary_focal_crossentropy(tape, x, lg_constant(tape, LG_SHAPE(n), y), gamma, alpha,
                                                             mode, &(lg_loss_options){ .from_logits = from_logits }));
    free(p);
    free(y);
    return result;
}

static outcome scce(size_t classes, const double *pred, int32_t label, const lg_loss_options *options)
{
    lg_tape *tape = lg_tape_new();
    lg_real *p = reals(classes, pred);
    lg_tensor *x = lg_variable(tape, LG_SHAPE(1, classes), p);
    outcome result = outcome_of(
        tape, x, lg_sparse_categorical_crossentropy(tape, x, lg_constant_indices(tape, LG_SHAPE(1), &label), options));
    free(p);
    return result;
}

static const lg_loss_options logits = { .from_logits = true };

START_TEST(the_worked_examples_of_the_textbooks_come_out)
{
    /* the values printed in the textbook are 0.2027 and 0.0843; these are the true ones */
    ck_assert_double_eq_tol(bce(4, (double[]){ .9, .1, .8, .2 }, (double[]){ 1, 0, 1, 0 }, NULL).loss,
                            0.164252033486018, tight);
    const double p[] = { .8, .2, .6, .3, .9 }, y[] = { 1, 0, 1, 0, 1 };
    ck_assert_double_eq_tol(focal(5, p, y, 2, .25, LG_ALPHA_UNIFORM, false).loss, 0.006636896700938, tight);
    ck_assert_double_eq_tol(focal(5, p, y, 2, .25, LG_ALPHA_NONE, false).loss, 0.026547586803752, tight);
    ck_assert_double_eq_tol(focal(5, p, y, 2, .25, LG_ALPHA_BALANCED, false).loss, 0.010739545401643, tight);
    ck_assert_double_eq_tol(bce(5, p, y, NULL).loss, 0.283829637198195, tight);
    const double softmax[] = { .2, .3, .5 };
    ck_assert_double_eq_tol(scce(3, softmax, 2, NULL).loss, 0.693147, 1e-6);
    ck_assert_double_eq_tol(scce(3, softmax, 1, NULL).loss, 1.203973, 1e-6);
    ck_assert_double_eq_tol(scce(3, softmax, 0, NULL).loss, 1.609438, 1e-6);
}
END_TEST

START_TEST(small_cases_have_the_values_and_gradients_worked_out_by_hand)
{
    lg_tensor *three = lg_tensor_full(LG_SHAPE(1), 3);
    outcome o = bce(1, (double[]){ 2 }, (double[]){ 1 }, &(lg_loss_options){ .from_logits = true, .pos_weight = three });
    ck_assert_double_eq_tol(o.loss, 0.380784, 1e-6);
    ck_assert_double_eq_tol(o.gradient[0], -0.357609, 1e-6);
    lg_tensor_free(three);
    o = scce(3, (double[]){ 2, 1, .1 }, 0, &logits);
    ck_assert_double_eq_tol(o.loss, 0.417030, 1e-6);
    ck_assert_double_eq_tol(o.gradient[0], -.3410, 5e-5);
    ck_assert_double_eq_tol(o.gradient[1], .2424, 5e-5);
    ck_assert_double_eq_tol(o.gradient[2], .0986, 5e-5);
    o = scce(3, (double[]){ 2, 1, .1 }, 0, &(lg_loss_options){ .from_logits = true, .label_smoothing = .1 });
    ck_assert_double_eq_tol(o.loss, 0.513697, 1e-6);
    o = focal(1, (double[]){ 0 }, (double[]){ 1 }, 2, .25, LG_ALPHA_BALANCED, true);
    ck_assert_double_eq_tol(o.loss, 0.0433217, 1e-7);
    ck_assert_double_eq_tol(o.gradient[0], -0.0745717, 1e-7);
    ck_assert_double_eq_tol(focal(1, (double[]){ 0 }, (double[]){ 0 }, 2, .25, LG_ALPHA_BALANCED, true).loss, 0.1299651,
                            1e-7);
}
END_TEST

/* ----------------------------------------------------------------- extremes */

START_TEST(an_infinite_logit_costs_nothing_when_right_and_everything_when_wrong)
{
    outcome o = bce(2, (double[]){ INFINITY, -INFINITY }, (double[]){ 1, 0 }, &logits);
    ck_assert(o.loss == 0 && o.gradient[0] == 0 && o.gradient[1] == 0);
    o = bce(1, (double[]){ -INFINITY }, (double[]){ 1 }, &logits);
    ck_assert(isinf(o.loss) && o.loss > 0 && o.gradient[0] == -1);
    o = focal(2, (double[]){ INFINITY, -INFINITY }, (double[]){ 1, 0 }, 2, .25, LG_ALPHA_BALANCED, true);
    ck_assert(o.loss == 0 && o.gradient[0] == 0 && o.gradient[1] == 0);
    o = scce(3, (double[]){ 1, -INFINITY, 2 }, 2, &logits);
    ck_assert_double_eq_tol(o.loss, log1p(exp(-1)), tight);
    ck_assert(o.gradient[1] == 0);
    o = scce(3, (double[]){ 1, -INFINITY, 2 }, 1, &logits);
    ck_assert(isinf(o.loss) && o.loss > 0);
    o = scce(3, (double[]){ -INFINITY, -INFINITY, -INFINITY }, 1, &logits);
    ck_assert(isnan(o.loss));
}
END_TEST

START_TEST(logits_of_ten_thousand_keep_value_and_gradient_finite)
{
    outcome o = bce(2, (double[]){ 1e4, -1e4 }, (double[]){ 0, 1 }, &logits);
    ck_assert_double_eq_tol(o.loss, 1e4, 1e-2);
    ck_assert(o.gradient[0] == 0.5 && o.gradient[1] == -0.5);
    o = scce(3, (double[]){ 1e4, -1e4, 0 }, 1, &logits);
    ck_assert_double_eq_tol(o.loss, 2e4, 1e-2);
    ck_assert(o.gradient[0] == 1 && o.gradient[1] == -1 && o.gradient[2] == 0);
    for (int y = 0; y <= 1; y++)
        for (double gamma = 0; gamma < 5; gamma += 0.5) {
            o = focal(2, (double[]){ 1e4, -1e4 }, (double[]){ y, y }, gamma, .25, LG_ALPHA_NONE, true);
            ck_assert(isfinite(o.loss) && isfinite(o.gradient[0]) && isfinite(o.gradient[1]));
        }
}
END_TEST

START_TEST(a_loss_near_zero_keeps_its_digits)
{
    /* -log of 1 - 2 exp(-20) and of sigmoid(20): beside 1 a float holds nothing of exp(-20) */
    ck_assert_double_eq_tol(scce(3, (double[]){ 20, 0, 0 }, 0, &logits).loss / log1p(2 * exp(-20)), 1, 1e-6);
    ck_assert_double_eq_tol(scce(3, (double[]){ 20, 0, 0 }, 0, &logits).gradient[0] / -(2 * exp(-20) / (1 + 2 * exp(-20))),
                            1, 1e-6);
    ck_assert_double_eq_tol(bce(1, (double[]){ 20 }, (double[]){ 1 }, &logits).loss / log1p(exp(-20)), 1, 1e-6);
}
END_TEST

START_TEST(probabilities_0_and_1_are_clipped_as_in_double_even_in_float)
{
    outcome o = bce(2, (double[]){ 0, 1 }, (double[]){ 1, 0 }, NULL);
    ck_assert_double_eq_tol(o.loss, -log(1e-7), 1e-5);
    ck_assert(o.gradient[0] == 0 && o.gradient[1] == 0);
    o = bce(1, (double[]){ 1 }, (double[]){ 0 }, &(lg_loss_options){ .eps = 1e-15 });
    ck_assert_double_eq_tol(o.loss, -log(1e-15), 1e-4);
    o = bce(1, (double[]){ 1 }, (double[]){ 0 }, &(lg_loss_options){ .clip_log100 = true });
    ck_assert_double_eq_tol(o.loss, 100, 1e-5);
}
END_TEST

/* ------------------------------------------------ invariances, equivalences */

START_TEST(a_constant_added_to_all_logits_changes_nothing)
{
    const outcome a = scce(4, (double[]){ .5, -1, 2, .25 }, 1, &logits);
    const outcome b = scce(4, (double[]){ 8.5, 7, 10, 8.25 }, 1, &logits);
    double sum = 0;
    ck_assert_double_eq_tol(a.loss, b.loss, tight);
    for (size_t k = 0; k < 4; k++) {
        ck_assert_double_eq_tol(a.gradient[k], b.gradient[k], tight);
        sum += a.gradient[k];
    }
    ck_assert_double_eq_tol(sum, 0, tight);
}
END_TEST

START_TEST(softmax_of_two_classes_is_binary_cross_entropy_of_their_difference)
{
    const outcome two = scce(2, (double[]){ .75, -.5 }, 1, &logits), one = bce(1, (double[]){ -1.25 }, (double[]){ 1 }, &logits);
    ck_assert_double_eq_tol(two.loss, one.loss, tight);
    ck_assert_double_eq_tol(two.gradient[1], one.gradient[0], tight);
}
END_TEST

START_TEST(focal_loss_with_gamma_zero_is_binary_cross_entropy)
{
    const double z[] = { -2, .5, 3 }, y[] = { 1, 0, .25 };
    const outcome a = focal(3, z, y, 0, .25, LG_ALPHA_NONE, true), b = bce(3, z, y, &logits);
    ck_assert_double_eq_tol(a.loss, b.loss, tight);
    for (size_t i = 0; i < 3; i++)
        ck_assert_double_eq_tol(a.gradient[i], b.gradient[i], tight);
}
END_TEST

/* ------------------------------------------------------------------ mistakes */

static void assert_mistake(lg_tensor *loss, lg_status status, const char *message)
{
    ck_assert_ptr_null(loss);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), status);
    lg_error_clear();
}

START_TEST(a_wrong_label_shape_or_value_is_named_with_its_place)
{
    lg_tape *tape = lg_tape_new();
    lg_tensor *z = lg_constant(tape, LG_SHAPE(2, 3), (lg_real[]){ 1, 2, 3, 4, 5, 6 });
    lg_tensor *labels = lg_constant_indices(tape, LG_SHAPE(2), (int32_t[]){ 0, 3 });
    lg_tensor *negative = lg_constant_indices(tape, LG_SHAPE(2), (int32_t[]){ -1, 0 });
    lg_tensor *three = lg_constant_indices(tape, LG_SHAPE(3), (int32_t[]){ 0, 1, 2 });
    assert_mistake(lg_sparse_categorical_crossentropy(tape, z, labels, &logits), LG_E_INDEX,
                   "sparse_categorical_crossentropy: target[1] is 3, but there are 3 classes (0..2)");
    assert_mistake(lg_sparse_categorical_crossentropy(tape, z, negative,
                                                      &(lg_loss_options){ .from_logits = true, .unchecked = true }),
                   LG_E_INDEX, "sparse_categorical_crossentropy: target[0] is -1, but there are 3 classes (0..2)");
    assert_mistake(lg_sparse_categorical_crossentropy(tape, z, three, &logits), LG_E_SHAPE,
                   "sparse_categorical_crossentropy: pred has shape [2, 3], target [3]; [2] is wanted");
    assert_mistake(lg_sparse_categorical_crossentropy(tape, z, z, &logits), LG_E_DTYPE,
                   "sparse_categorical_crossentropy: target must hold int32 class indices");
    assert_mistake(lg_sparse_categorical_crossentropy(tape, lg_constant(tape, LG_SHAPE(2, 1), (lg_real[]){ 1, 2 }),
                                                      labels, &logits),
                   LG_E_SHAPE,
                   "sparse_categorical_crossentropy: pred [2, 1] has rows of 1, but at least 2 are needed");
    lg_tensor *p = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ .5, .5, .25, 1.5 });
    lg_tensor *y = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 1, 2, 0 });
    assert_mistake(lg_binary_crossentropy(tape, p, p, NULL), LG_E_DOMAIN,
                   "binary_crossentropy: pred[3] is 1.5, but must be a probability in [0, 1] (or set from_logits)");
    assert_mistake(lg_binary_crossentropy(tape, p, y, &logits), LG_E_DOMAIN,
                   "binary_crossentropy: target[2] is 2, but must be in [0, 1]");
    assert_mistake(lg_binary_crossentropy(tape, p, p, &(lg_loss_options){ .label_smoothing = 2 }), LG_E_PARAM,
                   "binary_crossentropy: label_smoothing is 2, but must be in [0, 1]");
    assert_mistake(lg_binary_crossentropy(tape, p, p, &(lg_loss_options){ .from_logits = true, .clip_log100 = true }),
                   LG_E_PARAM, "binary_crossentropy: clip=log100 is for probabilities, not with from_logits");
    assert_mistake(lg_binary_crossentropy(tape, p, p, &(lg_loss_options){ .class_weight = p }), LG_E_PARAM,
                   "binary_crossentropy: the option class_weight does not apply here");
    lg_tensor *minus = lg_constant(tape, LG_SHAPE(2, 1), (lg_real[]){ 1, -1 });
    assert_mistake(lg_binary_crossentropy(tape, p, p, &(lg_loss_options){ .sample_weight = minus }), LG_E_DOMAIN,
                   "binary_crossentropy: sample_weight[1] is -1, but a weight is finite and not negative");
    assert_mistake(lg_binary_crossentropy(tape, p, p, &(lg_loss_options){ .sample_weight = z }), LG_E_SHAPE,
                   "binary_crossentropy: sample_weight [2, 3] does not broadcast to the units [2, 2]");
    lg_tensor *wanted = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 1, 1, 0 });
    assert_mistake(lg_binary_focal_crossentropy(tape, z, wanted, 2, .25, LG_ALPHA_NONE, &logits), LG_E_PARAM,
                   "binary_focal_crossentropy: target requires a gradient, but the loss has none by it");
    lg_tensor *zeros = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ .5, .5, 0, 0 });
    lg_tensor *good = lg_constant_indices(tape, LG_SHAPE(2), (int32_t[]){ 0, 1 });
    assert_mistake(lg_sparse_categorical_crossentropy(tape, zeros, good, NULL), LG_E_DOMAIN,
                   "sparse_categorical_crossentropy: the probabilities of row 1 are all 0 (or set from_logits)");
    assert_mistake(lg_binary_crossentropy(tape, NULL, p, NULL), LG_E_PARAM, "binary_crossentropy: pred is NULL");
    lg_tape_free(tape);
}
END_TEST

START_TEST(an_error_that_came_first_is_kept_through_a_loss)
{
    lg_tape *tape = lg_tape_new();
    lg_fail(LG_E_SHAPE, "what went wrong first");
    ck_assert_ptr_null(lg_binary_crossentropy(tape, NULL, NULL, NULL));
    ck_assert_str_eq(lg_error(), "what went wrong first");
    lg_error_clear();
    lg_tape_free(tape);
}
END_TEST

START_TEST(a_trailing_axis_of_one_is_no_difference)
{
    lg_tape *tape = lg_tape_new();
    lg_tensor *column = lg_constant(tape, LG_SHAPE(3, 1), (lg_real[]){ 1, -1, 2 });
    lg_tensor *row = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, 0, 1 });
    lg_tensor *weight = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 1, 2, 3 });
    lg_tensor *a = lg_binary_crossentropy(tape, column, row, &(lg_loss_options){ .from_logits = true,
                                                                                 .sample_weight = weight });
    ck_assert_msg(a != NULL, "%s", lg_error());
    const double want = (log1p(exp(-1)) + 2 * log1p(exp(-1)) + 3 * log1p(exp(-2))) / 3;
    ck_assert_double_eq_tol(lg_tensor_item(a), want, tight);
    lg_tape_free(tape);
}
END_TEST

Suite *losses_core_suite(void)
{
    Suite *suite = suite_create("losses_core");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, cross_entropies_equal_pytorch_in_every_reduction, 0,
                        (int)(sizeof reference_losses / sizeof reference_losses[0]));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_test(cases, the_worked_examples_of_the_textbooks_come_out);
    tcase_add_test(cases, small_cases_have_the_values_and_gradients_worked_out_by_hand);
    tcase_add_test(cases, an_infinite_logit_costs_nothing_when_right_and_everything_when_wrong);
    tcase_add_test(cases, logits_of_ten_thousand_keep_value_and_gradient_finite);
    tcase_add_test(cases, a_loss_near_zero_keeps_its_digits);
    tcase_add_test(cases, probabilities_0_and_1_are_clipped_as_in_double_even_in_float);
    tcase_add_test(cases, a_constant_added_to_all_logits_changes_nothing);
    tcase_add_test(cases, softmax_of_two_classes_is_binary_cross_entropy_of_their_difference);
    tcase_add_test(cases, focal_loss_with_gamma_zero_is_binary_cross_entropy);
    tcase_add_test(cases, a_wrong_label_shape_or_value_is_named_with_its_place);
    tcase_add_test(cases, an_error_that_came_first_is_kept_through_a_loss);
    tcase_add_test(cases, a_trailing_axis_of_one_is_no_difference);
    suite_add_tcase(suite, cases);
    return suite;
}

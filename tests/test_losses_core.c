/* Cross-entropies and focal loss against PyTorch: value and every gradient, in every reduction, options included.
 * The values are made by tests/reference/losses_core.py. */
#include "losses/classification.h"

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

Suite *losses_core_suite(void)
{
    Suite *suite = suite_create("losses_core");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, cross_entropies_equal_pytorch_in_every_reduction, 0,
                        (int)(sizeof reference_losses / sizeof reference_losses[0]));
    suite_add_tcase(suite, reference);
    return suite;
}

/* A loss against values that another library made (loss_reference.h). */
#include "loss_reference.h"

#include "losses/loss.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* Double: rounding of the two implementations. Float: 1e-5 of the value, and 1e-6 of what the sums are made of. */
static const double relative = LG_REAL_BITS == 64 ? 1e-10 : 1e-5;
static const double absolute = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;

static const struct reduction {
    const char *name;
    lg_reduction reduction;
} reductions[REFERENCE_REDUCTIONS] = { { "none", LG_REDUCE_NONE },
                                       { "mean", LG_REDUCE_MEAN },
                                       { "sum", LG_REDUCE_SUM },
                                       { "weighted mean", LG_REDUCE_WEIGHTED_MEAN },
                                       { "element mean", LG_REDUCE_ELEMENT_MEAN } };

static void assert_close(const loss_reference *r, size_t reduction, const char *what, size_t i, double got, double want)
{
    const double error = fabs(got - want);
    const bool same = got == want || (isnan(got) && isnan(want)) || error <= absolute + relative * fabs(want);
    ck_assert_msg(same, "%s, %s (%s), %s: %s[%zu] is %.17g, the reference has %.17g", r->loss, r->what, r->params,
                  reductions[reduction].name, what, i, got, want);
}

static lg_tensor *tensor_of(const reference_tensor *t)
{
    lg_tensor *tensor = t->values ? lg_tensor_zeros(t->rank, t->dims) : NULL;
    for (size_t i = 0; i < lg_tensor_size(tensor); i++)
        lg_tensor_data(tensor)[i] = (lg_real)t->values[i];
    return tensor;
}

static lg_tensor *input_of(const reference_tensor *t, const lg_loss_input *input)
{
    if (input->domain != LG_CLASS_INDEX && input->domain != LG_ANY_INDEX)
        return tensor_of(t);
    size_t size = 1;
    for (size_t i = 0; i < t->rank; i++)
        size *= t->dims[i];
    int32_t *indices = calloc(size + 1, sizeof *indices);
    for (size_t i = 0; i < size; i++)
        indices[i] = (int32_t)t->values[i];
    lg_tensor *tensor = lg_tensor_from_indices(t->rank, t->dims, indices);
    free(indices);
    return tensor;
}

static void check_gradients(const loss_reference *r, size_t k, lg_tensor *const inputs[])
{
    for (size_t n = 0; n < r->count; n++) {
        char what[64];
        snprintf(what, sizeof what, "gradient by input %zu", n);
        for (size_t i = 0; r->gradient[k][n] && i < lg_tensor_size(inputs[n]); i++)
            assert_close(r, k, what, i, (double)lg_tensor_grad(inputs[n])[i], r->gradient[k][n][i]);
    }
}

static void check_reduction(const class_loss_reference *reference, size_t k)
{
    const loss_reference *r = &reference->of;
    lg_loss_spec spec;
    ck_assert_msg(lg_loss_find(r->loss, &spec) == LG_OK && lg_loss_set(&spec, r->params) == LG_OK, "%s", lg_error());
    lg_tensor *inputs[LG_LOSS_MAX_INPUTS] = { NULL }, *weight = tensor_of(&r->sample_weight);
    lg_tensor *class_weight = tensor_of(&reference->class_weight);
    for (size_t n = 0; n < r->count; n++) {
        inputs[n] = input_of(&r->inputs[n], &spec.info->inputs[n]);
        if (r->gradient[k][n])
            ck_assert_int_eq(lg_tensor_require_grad(inputs[n], true), LG_OK);
    }
    lg_tape *tape = lg_tape_new();
    lg_tensor *loss = lg_loss_apply(
        tape, &spec, inputs,
        &(lg_loss_options){ .reduction = reductions[k].reduction,
                            .sample_weight = weight,
                            .class_weight = class_weight,
                            .ignore_index = reference->ignores ? &(int32_t){ reference->ignore_index } : NULL,
                            .class_axis = r->class_axis });
    ck_assert_msg(loss != NULL, "%s, %s: %s", r->loss, r->what, lg_error());
    if (reductions[k].reduction == LG_REDUCE_NONE) {
        lg_tensor *upstream = tensor_of(&r->upstream), *units = tensor_of(&r->units);
        ck_assert_uint_eq(lg_tensor_rank(loss), r->units.rank);
        for (size_t i = 0; i < r->units.rank; i++)
            ck_assert_uint_eq(lg_tensor_dim(loss, i), r->units.dims[i]);
        for (size_t i = 0; i < lg_tensor_size(loss); i++)
            assert_close(r, k, "unit", i, (double)lg_tensor_data(loss)[i], r->units.values[i]);
        ck_assert_msg(lg_backward_from(tape, loss, upstream) == LG_OK, "%s", lg_error());
        lg_tensor_free(upstream);
        lg_tensor_free(units);
    } else {
        assert_close(r, k, "value", 0, lg_tensor_item(loss), r->value[k]);
        ck_assert_msg(lg_backward(tape, loss) == LG_OK, "%s", lg_error());
    }
    check_gradients(r, k, inputs);
    lg_tape_free(tape);
    lg_tensor_free(weight);
    lg_tensor_free(class_weight);
    for (size_t n = 0; n < r->count; n++)
        lg_tensor_free(inputs[n]);
}

void assert_class_loss_reference(const class_loss_reference *reference)
{
    for (size_t k = 0; k < REFERENCE_REDUCTIONS; k++)
        if (reductions[k].reduction == LG_REDUCE_NONE || !isnan(reference->of.value[k]))
            check_reduction(reference, k);
}

void assert_loss_reference(const loss_reference *reference)
{
    assert_class_loss_reference(&(class_loss_reference){ .of = *reference });
}

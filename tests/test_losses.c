/* What is true of every loss of the table, at random shapes, parameters, weights and reductions. */
#include "autograd/gradcheck.h"
#include "losses/loss.h"

#include "loss_trial.h"

#include "support.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const lg_reduction reductions[] = { LG_REDUCE_MEAN, LG_REDUCE_SUM, LG_REDUCE_NONE, LG_REDUCE_WEIGHTED_MEAN };
static const double rounding = LG_REAL_BITS == 64 ? 1e-12 : 2e-5;

/* Runs `check` on every variant of the loss of this loop iteration, redrawn until its parameters fit together. */
static void for_each_trial(int loss, void (*check)(loss_trial *trial, size_t variant))
{
    const lg_loss_info *info = lg_loss_at((size_t)loss);
    lg_rng rng = lg_rng_seed((uint64_t)loss + 1);
    size_t tried = 0;
    ck_assert_msg(loss_variants(info) > 0, "%s: tests/loss_trial.c has no builder for it", info->name);
    const size_t stride = test_stride(7);
    for (size_t variant = 0; variant < loss_variants(info); variant += stride) {
        loss_trial trial;
        if (loss_trial_make(&trial, info, variant, &rng)) {
            check(&trial, variant);
            tried++;
        } else {
            ck_assert_msg(lg_error_code() == LG_E_PARAM, "%s, variant %zu: %s", info->name, variant, lg_error());
            lg_error_clear();
        }
        loss_trial_free(&trial);
    }
    ck_assert_msg(2 * tried * stride >= loss_variants(info), "%s: only %zu of %zu variants fit together", info->name, tried,
                  loss_variants(info));
}

/* -------------------------------------------------------------- gradients */

/* lg_gradcheck takes no absent inputs, so it is given the others, and the loss gets NULL in their place. */
static lg_tensor *apply_trial(lg_tape *tape, lg_tensor *const present[], void *context)
{
    const loss_trial *trial = context;
    lg_tensor *inputs[LG_LOSS_MAX_INPUTS] = { NULL };
    for (size_t i = 0, k = 0; i < trial->count; i++)
        inputs[i] = trial->inputs[i] ? present[k++] : NULL;
    return lg_loss_apply(tape, &trial->spec, inputs, &trial->options);
}

static lg_status gradcheck_trial(loss_trial *trial, const lg_gradcheck_options *options, lg_gradcheck_report *report)
{
    lg_tensor *present[LG_LOSS_MAX_INPUTS];
    size_t count = 0;
    for (size_t i = 0; i < trial->count; i++)
        if (trial->inputs[i])
            present[count++] = trial->inputs[i];
    lg_status status = lg_gradcheck(apply_trial, count, present, trial, options, report);
    /* Anything but a difference is no verdict on the gradient. */
    ck_assert_msg(status == LG_OK || status == LG_E_DOMAIN, "%s: %s", trial->spec.info->name, lg_error());
    return status;
}

/* Central differences fail at a kink of the loss too; there they change with the step. */
static bool kink_at(loss_trial *trial, const lg_gradcheck_options *options, const lg_gradcheck_report *report)
{
    const double scale = fmax(1e-3, fabs(report->analytic));
    for (double shrink = 2; shrink <= 64; shrink *= 2) {
        lg_gradcheck_options finer = *options;
        lg_gradcheck_report again;
        finer.step = (options->step != 0 ? options->step : LG_REAL_BITS == 64 ? 1e-5 : 0x1p-8) / shrink;
        if (gradcheck_trial(trial, &finer, &again) == LG_OK)
            return true;
        if (again.input != report->input || again.element != report->element ||
            fabs(again.numeric - report->numeric) > 1e-2 * scale)
            return true;
    }
    return false;
}

static double largest_unit(loss_trial *trial)
{
    const lg_reduction reduction = trial->options.reduction;
    double largest = 0;
    lg_tape *tape = lg_tape_new();
    trial->options.reduction = LG_REDUCE_NONE;
    lg_tensor *units = loss_trial_apply(tape, trial);
    for (size_t i = 0; i < lg_tensor_size(units); i++)
        largest = fmax(largest, fabs((double)lg_tensor_data(units)[i]));
    trial->options.reduction = reduction;
    lg_tape_free(tape);
    return largest;
}

static void check_gradient(loss_trial *trial, size_t variant)
{
    if (trial->holds_constant)
        return;
    for (size_t r = 0; r < sizeof reductions / sizeof reductions[0]; r++) {
        lg_gradcheck_report report;
        trial->options.reduction = reductions[r];
        /* In float the numeric derivative of a sum of values of this size is no better than its rounding over the step. */
        const double size = largest_unit(trial);
        const lg_gradcheck_options options = { .floor = LG_REAL_BITS == 64 ? fmax(1e-3, 0.1 * size)
                                                                           : fmax(1, size * (double)trial->units) };
        if (gradcheck_trial(trial, &options, &report) == LG_OK)
            continue;
        ck_assert_msg(strncmp(lg_error(), "lg_gradcheck", 12) == 0, "%s, variant %zu: %s", trial->spec.info->name, variant, lg_error());
        ck_assert_msg(kink_at(trial, &options, &report),
                      "%s, variant %zu, reduction %d: input %zu, element %zu: numeric %.10g, analytic %.10g (error %.3g)",
                      trial->spec.info->name, variant, (int)reductions[r], report.input, report.element, report.numeric,
                      report.analytic, report.error);
    }
}

START_TEST(every_loss_has_the_gradient_of_its_value)
{
    for_each_trial(_i, check_gradient);
}
END_TEST

/* -------------------------------------------------------------- reductions */

/* The loss by a reduction, and the gradient of the first differentiable input under `upstream`. */
static double value_and_gradient(loss_trial *trial, lg_reduction reduction, double upstream, lg_real **gradient,
                                 size_t *size, double *sum, double *divisor)
{
    lg_tape *tape = lg_tape_new();
    lg_tensor *input = NULL;
    for (size_t i = 0; i < trial->count; i++) {
        lg_tensor_zero_grad(trial->inputs[i]);
        if (!input && lg_tensor_requires_grad(trial->inputs[i]))
            input = trial->inputs[i];
    }
    trial->options.reduction = reduction;
    lg_tensor *loss = loss_trial_apply(tape, trial);
    ck_assert_msg(loss != NULL, "%s: %s", trial->spec.info->name, lg_error());
    const double value = lg_tensor_item(loss);
    ck_assert(lg_loss_terms(loss, sum, divisor));
    lg_tensor *seed = lg_tensor_full(LG_SCALAR_SHAPE, upstream);
    ck_assert_msg(lg_backward_from(tape, loss, seed) == LG_OK, "%s", lg_error());
    *size = lg_tensor_size(input);
    *gradient = malloc((*size + 1) * sizeof **gradient);
    for (size_t i = 0; i < *size; i++)
        (*gradient)[i] = lg_tensor_grad(input)[i];
    lg_tensor_free(seed);
    lg_tape_free(tape);
    return value;
}

static void assert_near(const loss_trial *trial, size_t variant, const char *what, double got, double want)
{
    ck_assert_msg(fabs(got - want) <= rounding * fmax(1, fabs(want)), "%s, variant %zu: %s is %.15g, not %.15g",
                  trial->spec.info->name, variant, what, got, want);
}

static void check_reductions(loss_trial *trial, size_t variant)
{
    lg_real *by_mean, *by_sum, *scaled;
    size_t size;
    double numerator, divisor, sum_numerator, sum_divisor;
    const double mean = value_and_gradient(trial, LG_REDUCE_MEAN, 1, &by_mean, &size, &numerator, &divisor);
    assert_near(trial, variant, "sum / divisor of the mean", divisor > 0 ? numerator / divisor : 0, mean);
    const double sum = value_and_gradient(trial, LG_REDUCE_SUM, 1, &by_sum, &size, &sum_numerator, &sum_divisor);
    value_and_gradient(trial, LG_REDUCE_MEAN, 2.5, &scaled, &size, &numerator, &divisor);
    for (size_t i = 0; i < size; i++) {
        assert_near(trial, variant, "gradient under upstream 2.5", (double)scaled[i], 2.5 * (double)by_mean[i]);
        if (!(trial->spec.info->takes & LG_OWN_REDUCTION))
            assert_near(trial, variant, "gradient of the sum", (double)by_sum[i], divisor * (double)by_mean[i]);
    }
    double total = 0;
    lg_tape *tape = lg_tape_new();
    trial->options.reduction = LG_REDUCE_NONE;
    lg_tensor *units = loss_trial_apply(tape, trial);
    for (size_t i = 0; i < lg_tensor_size(units); i++)
        total += (double)lg_tensor_data(units)[i];
    if (!(trial->spec.info->takes & LG_OWN_REDUCTION)) {
        assert_near(trial, variant, "the sum of the units", total, sum);
        assert_near(trial, variant, "mean x divisor", mean * divisor, divisor > 0 ? sum : 0);
    }
    lg_tape_free(tape);
    free(by_mean);
    free(by_sum);
    free(scaled);
}

START_TEST(sum_mean_and_units_of_every_loss_agree)
{
    for_each_trial(_i, check_reductions);
}
END_TEST

/* A loss must be the same whether its gradient is wanted or not. */
static void check_evaluation(loss_trial *trial, size_t variant)
{
    lg_tape *tape = lg_tape_new();
    trial->options.reduction = LG_REDUCE_NONE;
    lg_tensor *with = loss_trial_apply(tape, trial);
    lg_tape_set_gradients(tape, false);
    lg_tensor *without = loss_trial_apply(tape, trial);
    ck_assert(!lg_tensor_requires_grad(without));
    for (size_t i = 0; i < lg_tensor_size(with); i++)
        assert_near(trial, variant, "a unit without gradients", (double)lg_tensor_data(without)[i],
                    (double)lg_tensor_data(with)[i]);
    lg_tape_free(tape);
}

START_TEST(every_loss_is_the_same_without_gradients)
{
    for_each_trial(_i, check_evaluation);
}
END_TEST

/* ----------------------------------------------------- units stand alone */

/* The same trial with the parts of two units exchanged in every input and weight. */
static void swap_units(loss_trial *trial, size_t a, size_t b)
{
    for (size_t i = 0; i <= trial->count; i++) {
        lg_tensor *tensor = i < trial->count ? trial->inputs[i] : trial->sample_weight;
        if (!tensor || (i < trial->count && i > 0 && trial->spec.info->inputs[i].layout == LG_WHOLE))
            continue;
        const size_t width = lg_tensor_size(tensor) / trial->units;
        const bool index = lg_tensor_dtype(tensor) == LG_INT32;
        const size_t bytes = width * (index ? sizeof(int32_t) : sizeof(lg_real));
        char *base = index ? (char *)lg_tensor_indices(tensor) : (char *)lg_tensor_data(tensor);
        char *spare = malloc(bytes + 1);
        memcpy(spare, base + a * bytes, bytes);
        memcpy(base + a * bytes, base + b * bytes, bytes);
        memcpy(base + b * bytes, spare, bytes);
        free(spare);
    }
}

static void check_permutation(loss_trial *trial, size_t variant)
{
    /* a weight per column belongs to a place, not to a unit */
    if (!trial->units_are_rows || trial->units < 2 || trial->pos_weight)
        return;
    const size_t a = 0, b = trial->units - 1;
    lg_tape *tape = lg_tape_new();
    trial->options.reduction = LG_REDUCE_NONE;
    lg_tensor *before = loss_trial_apply(tape, trial);
    swap_units(trial, a, b);
    lg_tensor *after = loss_trial_apply(tape, trial);
    for (size_t i = 0; i < trial->units; i++)
        assert_near(trial, variant, "a unit after exchanging two", (double)lg_tensor_data(after)[i],
                    (double)lg_tensor_data(before)[i == a ? b : i == b ? a : i]);
    lg_tape_free(tape);
}

START_TEST(exchanging_samples_exchanges_their_losses)
{
    for_each_trial(_i, check_permutation);
}
END_TEST

/* NaN in unit 0 of the prediction: that unit is NaN, all others and their gradients are what they were. */
static void check_nan(loss_trial *trial, size_t variant)
{
    if (!trial->units_are_rows || lg_tensor_dtype(trial->inputs[0]) != LG_REAL || trial->options.ignore_index)
        return;
    const size_t width = lg_tensor_size(trial->inputs[0]) / trial->units;
    lg_tape *tape = lg_tape_new();
    trial->options.reduction = LG_REDUCE_NONE;
    lg_tensor *before = loss_trial_apply(tape, trial);
    lg_tensor_data(trial->inputs[0])[width - 1] = (lg_real)NAN;
    lg_tensor *after = loss_trial_apply(tape, trial);
    ck_assert_msg(after != NULL, "%s: %s", trial->spec.info->name, lg_error());
    ck_assert_msg(isnan((double)lg_tensor_data(after)[0]), "%s, variant %zu: NaN gave %g", trial->spec.info->name,
                  variant, (double)lg_tensor_data(after)[0]);
    for (size_t i = 1; i < trial->units; i++)
        assert_near(trial, variant, "a unit beside NaN", (double)lg_tensor_data(after)[i],
                    (double)lg_tensor_data(before)[i]);
    lg_tensor *seed = lg_tensor_full(lg_tensor_rank(after), lg_tensor_dims(after), 1);
    lg_tensor_zero_grad(trial->inputs[0]);
    ck_assert(lg_backward_from(tape, after, seed) == LG_OK);
    for (size_t i = width; i < lg_tensor_size(trial->inputs[0]); i++)
        ck_assert_msg(isfinite((double)lg_tensor_grad(trial->inputs[0])[i]), "%s, variant %zu: NaN spread to element %zu",
                      trial->spec.info->name, variant, i);
    lg_tensor_free(seed);
    lg_tape_free(tape);
}

START_TEST(nan_in_one_sample_stays_in_that_sample)
{
    for_each_trial(_i, check_nan);
}
END_TEST

/* A unit of weight 0 counts 0 in value and gradient even where its loss is NaN. */
static void check_zero_weight(loss_trial *trial, size_t variant)
{
    if (!trial->units_are_rows || !trial->sample_weight || trial->units < 2 ||
        lg_tensor_dtype(trial->inputs[0]) != LG_REAL)
        return;
    const size_t width = lg_tensor_size(trial->inputs[0]) / trial->units;
    for (size_t k = 0; k < width; k++)
        lg_tensor_data(trial->inputs[0])[width + k] = (lg_real)NAN; /* unit 1 has weight 0 */
    lg_real *gradient;
    size_t size;
    double sum, divisor;
    const double mean = value_and_gradient(trial, LG_REDUCE_MEAN, 1, &gradient, &size, &sum, &divisor);
    ck_assert_msg(isfinite(mean), "%s, variant %zu: a unit of weight 0 made the mean %g", trial->spec.info->name, variant,
                  mean);
    for (size_t k = 0; k < size; k++)
        ck_assert_msg(k / width == 1 ? gradient[k] == 0 : (bool)isfinite((double)gradient[k]),
                      "%s, variant %zu: gradient[%zu] is %g", trial->spec.info->name, variant, k, (double)gradient[k]);
    free(gradient);
}

START_TEST(a_sample_of_weight_zero_counts_nothing_even_if_nan)
{
    for_each_trial(_i, check_zero_weight);
}
END_TEST

/* ------------------------------------------------------------------- empty */

/* The inputs of the loss for no samples at all, of the shapes that its chunks take. */
static void empty_inputs(const lg_loss_info *info, lg_tensor *inputs[])
{
    for (size_t i = 0; i < lg_loss_input_count(info); i++) {
        const lg_loss_input *input = &info->inputs[i];
        const size_t dims[] = { input->layout == LG_WHOLE ? 1 : 0, info->least_width > 3 ? info->least_width : 3 };
        const bool unit = i > 0 && (input->layout == LG_PER_UNIT || input->layout == LG_WHOLE);
        const size_t rank = unit || info->units == LG_UNIT_ELEMENT ? 1 : 2;
        inputs[i] = input->domain == LG_CLASS_INDEX || input->domain == LG_ANY_INDEX
                        ? lg_tensor_from_indices(rank, dims, NULL)
                        : lg_tensor_zeros(rank, dims);
    }
}

/* A loss of whole batches says itself what its inputs are: those of a trial, without their samples. */
static void empty_batch(const loss_trial *trial, lg_tensor *inputs[])
{
    const size_t samples = lg_tensor_dim(trial->inputs[0], 0);
    for (size_t i = 0; i < trial->count; i++) {
        const lg_tensor *input = trial->inputs[i];
        const size_t rank = lg_tensor_rank(input);
        size_t dims[LG_MAX_RANK];
        if (!input)
            continue;
        memcpy(dims, lg_tensor_dims(input), rank * sizeof *dims);
        if (trial->second_batch == i || (rank > 0 && dims[0] == samples))
            dims[0] = 0;
        inputs[i] = lg_tensor_dtype(input) == LG_INT32 ? lg_tensor_from_indices(rank, dims, NULL)
                                                       : lg_tensor_zeros(rank, dims);
    }
}

START_TEST(an_empty_batch_costs_nothing)
{
    const lg_loss_info *info = lg_loss_at((size_t)_i);
    lg_tensor *inputs[LG_LOSS_MAX_INPUTS] = { NULL };
    lg_loss_spec spec;
    ck_assert_int_eq(lg_loss_find(info->name, &spec), LG_OK);
    if (info->units == LG_UNIT_BATCH) {
        loss_trial trial;
        lg_rng rng = lg_rng_seed(1);
        ck_assert(loss_trial_make(&trial, info, 0, &rng));
        empty_batch(&trial, inputs);
        loss_trial_free(&trial);
    } else {
        empty_inputs(info, inputs);
    }
    for (size_t i = 0; i < lg_loss_input_count(info); i++)
        if (info->inputs[i].differentiable && inputs[i])
            ck_assert_int_eq(lg_tensor_require_grad(inputs[i], true), LG_OK);
    lg_tape *tape = lg_tape_new();
    lg_tensor *mean = lg_loss_apply(tape, &spec, inputs, NULL);
    ck_assert_msg(mean != NULL, "%s: %s", info->name, lg_error());
    ck_assert_msg(lg_tensor_item(mean) == 0, "%s: %g", info->name, lg_tensor_item(mean));
    ck_assert_int_eq(lg_backward(tape, mean), LG_OK);
    for (size_t i = 0; i < lg_loss_input_count(info); i++)
        for (size_t k = 0; lg_tensor_requires_grad(inputs[i]) && k < lg_tensor_size(inputs[i]); k++)
            ck_assert_msg(lg_tensor_grad(inputs[i])[k] == 0, "%s: %s has a gradient", info->name, info->inputs[i].name);
    lg_tape_reset(tape);
    lg_tensor *none = lg_loss_apply(tape, &spec, inputs, &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    ck_assert_msg(none != NULL, "%s: %s", info->name, lg_error());
    ck_assert_uint_eq(lg_tensor_size(none), lg_tensor_rank(none) == 0);
    lg_tape_free(tape);
    for (size_t i = 0; i < lg_loss_input_count(info); i++)
        lg_tensor_free(inputs[i]);
}
END_TEST

/* ------------------------------------------------- options that do not apply */

static void check_refused(loss_trial *trial, size_t variant)
{
    const lg_loss_info *info = trial->spec.info;
    lg_tape *tape = lg_tape_new();
    lg_tensor *ones = lg_tensor_full(LG_SHAPE(1), 1);
    lg_loss_options options = trial->options;
    if (info->units != LG_UNIT_ROW && !(info->takes & LG_TAKES_CLASS_AXIS)) {
        options.class_axis = 1;
        ck_assert_msg(!lg_loss_apply(tape, &trial->spec, trial->inputs, &options) && lg_error_code() == LG_E_PARAM,
                      "%s, variant %zu: class_axis is taken", info->name, variant);
    }
    options.class_axis = trial->options.class_axis;
    if (info->units == LG_UNIT_BATCH && trial->unit_rank == 0 && !(info->takes & LG_OWN_REDUCTION)) {
        options.sample_weight = ones;
        ck_assert_msg(!lg_loss_apply(tape, &trial->spec, trial->inputs, &options) && lg_error_code() == LG_E_SHAPE,
                      "%s, variant %zu: one number for the batch takes a sample_weight", info->name, variant);
    }
    lg_error_clear();
    lg_tensor_free(ones);
    lg_tape_free(tape);
}

START_TEST(an_option_that_does_not_apply_is_refused)
{
    for_each_trial(_i, check_refused);
}
END_TEST

/* ------------------------------------------------------------------- table */

START_TEST(every_name_and_alias_is_found_and_is_the_only_one)
{
    for (size_t i = 0; i < lg_loss_count(); i++) {
        const lg_loss_info *info = lg_loss_at(i);
        lg_loss_spec spec;
        ck_assert_msg(lg_loss_find(info->name, &spec) == LG_OK && spec.info == info, "%s", info->name);
        for (size_t a = 0; a < LG_LOSS_MAX_ALIASES && info->aliases[a].name; a++)
            ck_assert_msg(lg_loss_find(info->aliases[a].name, &spec) == LG_OK && spec.info == info, "%s: %s",
                          info->aliases[a].name, lg_error());
    }
}
END_TEST

START_TEST(every_row_is_documented_and_its_defaults_are_in_range)
{
    for (size_t i = 0; i < lg_loss_count(); i++) {
        const lg_loss_info *info = lg_loss_at(i);
        ck_assert_msg(info->family && info->summary && info->formula && info->output && info->reference && info->tasks,
                      "%s: a description is missing", info->name);
        const bool batch = info->units == LG_UNIT_BATCH;
        ck_assert_msg(batch ? info->plan && info->value && info->derivative && !info->kernel : info->kernel && !info->plan,
                      "%s: functions and units do not fit", info->name);
        for (size_t p = 0; p < lg_loss_param_count(info); p++) {
            const lg_loss_param *param = &info->params[p];
            char assignment[96];
            if (param->choices)
                continue;
            snprintf(assignment, sizeof assignment, "%s=%.17g", param->name, param->initial);
            lg_loss_spec spec;
            ck_assert_int_eq(lg_loss_find(info->name, &spec), LG_OK);
            ck_assert_msg(lg_loss_set(&spec, assignment) == LG_OK, "%s", lg_error());
        }
    }
}
END_TEST

START_TEST(presets_of_an_alias_are_set_and_can_be_changed)
{
    lg_loss_spec spec;
    ck_assert_int_eq(lg_loss_find("focal", &spec), LG_OK);
    ck_assert_str_eq(spec.info->name, "binary_focal_crossentropy");
    ck_assert(lg_loss_get(&spec, "from_logits") == 1 && lg_loss_get(&spec, "alpha_mode") == 1);
    ck_assert(lg_loss_get(&spec, "gamma") == 2 && lg_loss_get(&spec, "alpha") == 0.25);
    ck_assert_int_eq(lg_loss_set(&spec, "gamma=1.5,alpha_mode=uniform"), LG_OK);
    ck_assert(lg_loss_get(&spec, "gamma") == 1.5 && lg_loss_get(&spec, "alpha_mode") == 2);
    ck_assert(isnan(lg_loss_get(&spec, "delta")));
}
END_TEST

START_TEST(wrong_names_and_parameters_are_explained)
{
    lg_loss_spec spec;
    ck_assert_int_eq(lg_loss_find("binary_crossentopy", &spec), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "there is no loss \"binary_crossentopy\", did you mean \"binary_crossentropy\"?");
    ck_assert_int_eq(lg_loss_find("zzz", &spec), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "there is no loss \"zzz\"");
    ck_assert_int_eq(lg_loss_find("focal", &spec), LG_OK);
    const lg_loss_spec before = spec;
    ck_assert_int_eq(lg_loss_set(&spec, "gamma=-1"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "binary_focal_crossentropy: gamma is -1, but must be finite and >= 0");
    ck_assert_int_eq(lg_loss_set(&spec, "alpha=1.5"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "binary_focal_crossentropy: alpha is 1.5, but must be in [0, 1]");
    ck_assert_int_eq(lg_loss_set(&spec, "alpha=x"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "binary_focal_crossentropy: alpha is \"x\", which is not a number");
    ck_assert_int_eq(lg_loss_set(&spec, "gamma=1,alpha_mode=sometimes"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "binary_focal_crossentropy: alpha_mode is \"sometimes\", but must be one of "
                                 "none|balanced|uniform");
    ck_assert_int_eq(lg_loss_set(&spec, "gama=1"), LG_E_PARAM);
    ck_assert_msg(strstr(lg_error(), "did you mean \"gamma\"?") != NULL, "%s", lg_error());
    ck_assert_int_eq(lg_loss_set(&spec, "gamma"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "binary_focal_crossentropy: \"gamma\" is not of the form name=value");
    ck_assert_msg(memcmp(&before, &spec, sizeof spec) == 0, "a failed lg_loss_set changed the specification");
}
END_TEST

/* --------------------------------------------------------- a loss of one's own */

/* log(1 + |e|), as in the header's example. */
static void absolute_log(const lg_loss_chunk *c)
{
    for (size_t i = 0; i < c->units; i++) {
        const double e = (double)(c->x[0][i] - c->x[1][i]);
        c->loss[i] = (lg_real)log1p(fabs(e));
        if (c->d[0])
            c->d[0][i] = c->scale * (lg_real)(((e > 0) - (e < 0)) / (1 + fabs(e)));
    }
}

START_TEST(a_loss_of_ones_own_takes_one_function_and_one_call)
{
    static const lg_loss_info row = { .name = "absolute_log",
                                      .units = LG_UNIT_ELEMENT,
                                      .inputs = { { "pred", .differentiable = true }, { .name = "target" } },
                                      .kernel = absolute_log };
    lg_tape *tape = lg_tape_new();
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(3), (lg_real[]){ 1, 2, 5 });
    lg_tensor *target = lg_constant(tape, LG_SHAPE(3), (lg_real[]){ 2, 2, 2 });
    lg_tensor *weight = lg_tensor_from(LG_SHAPE(3), (lg_real[]){ 1, 1, 2 });
    lg_tensor *loss = lg_loss_custom(tape, &row, (lg_tensor *[]){ pred, target }, NULL,
                                     &(lg_loss_options){ .sample_weight = weight });
    ck_assert_msg(loss != NULL, "%s", lg_error());
    ck_assert_double_eq_tol(lg_tensor_item(loss), (log(2) + 0 + 2 * log(4)) / 3, 1e-6);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert_double_eq_tol((double)lg_tensor_grad(pred)[0], -1.0 / 6, 1e-7);
    ck_assert((double)lg_tensor_grad(pred)[1] == 0);
    ck_assert_double_eq_tol((double)lg_tensor_grad(pred)[2], 2.0 / 12, 1e-7);
    ck_assert_ptr_null(lg_loss_custom(tape, &row, (lg_tensor *[]){ pred, target }, NULL,
                                      &(lg_loss_options){ .from_logits = true }));
    ck_assert_str_eq(lg_error(), "absolute_log: the option from_logits does not apply here");
    lg_tensor_free(weight);
    lg_tape_free(tape);
}
END_TEST

Suite *losses_suite(void)
{
    Suite *suite = suite_create("losses");
    TCase *each = tcase_create("each");
    tcase_set_timeout(each, 30);
    const int count = (int)lg_loss_count();
    tcase_add_loop_test(each, every_loss_has_the_gradient_of_its_value, 0, count);
    tcase_add_loop_test(each, sum_mean_and_units_of_every_loss_agree, 0, count);
    tcase_add_loop_test(each, every_loss_is_the_same_without_gradients, 0, count);
    tcase_add_loop_test(each, exchanging_samples_exchanges_their_losses, 0, count);
    tcase_add_loop_test(each, nan_in_one_sample_stays_in_that_sample, 0, count);
    tcase_add_loop_test(each, a_sample_of_weight_zero_counts_nothing_even_if_nan, 0, count);
    tcase_add_loop_test(each, an_empty_batch_costs_nothing, 0, count);
    tcase_add_loop_test(each, an_option_that_does_not_apply_is_refused, 0, count);
    suite_add_tcase(suite, each);
    TCase *table = tcase_create("table");
    tcase_add_test(table, every_name_and_alias_is_found_and_is_the_only_one);
    tcase_add_test(table, every_row_is_documented_and_its_defaults_are_in_range);
    tcase_add_test(table, presets_of_an_alias_are_set_and_can_be_changed);
    tcase_add_test(table, wrong_names_and_parameters_are_explained);
    tcase_add_test(table, a_loss_of_ones_own_takes_one_function_and_one_call);
    suite_add_tcase(suite, table);
    return suite;
}

/* Segmentation losses: against PyTorch (and, by the script, Keras), worked examples, empty masks, extreme logits, shapes,
 * equivalences, errors. */
#include "losses/segmentation.h"

#include "loss_reference.h"
#include "loss_trial.h"
#include "reference/losses_segmentation.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const double exact = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;
static lg_tape *tape;

static void open_tape(void)
{
    lg_error_clear();
    tape = lg_tape_new();
}

static void close_tape(void)
{
    lg_tape_free(tape);
}

START_TEST(segmentation_losses_equal_pytorch_in_every_reduction)
{
    assert_loss_reference(&segmentation_references[_i]);
}
END_TEST

/* -------------------------------------------------------- builder of trials */

/* Probabilities, logits with sigmoid, logits with softmax; each by batch, sample and channel; classes last or on axis
 * 1. */
static void build_masks(loss_trial *trial, size_t variant, lg_rng *rng)
{
    static const struct {
        size_t rank, dims[4], class_axis;
    } shapes[] = { { 2, { 4, 3 }, 0 }, { 4, { 2, 3, 2, 2 }, 1 }, { 3, { 3, 4, 2 }, 0 } };
    static const char *const outputs[] = { "activation=sigmoid,from_logits=false", "activation=sigmoid,from_logits=true",
                                           "activation=softmax,from_logits=true" };
    static const char *const scopes[] = { "scope=batch", "scope=sample", "scope=channel" };
    const size_t output = variant % 3, scope = variant / 3 % 3, s = variant / 9 % COUNT(shapes);
    ck_assert_int_eq(lg_loss_set(&trial->spec, outputs[output]), LG_OK);
    ck_assert_int_eq(lg_loss_set(&trial->spec, scopes[scope]), LG_OK);
    const size_t rank = shapes[s].rank, *dims = shapes[s].dims, axis = shapes[s].class_axis;
    trial->count = 2;
    trial->options.class_axis = axis;
    trial->unit_rank = scope;
    trial->unit_dims[0] = dims[0];
    trial->unit_dims[1] = dims[axis ? axis : rank - 1];
    trial->units = scope == 0 ? 1 : scope == 1 ? dims[0] : dims[0] * trial->unit_dims[1];
    /* softmax couples the channels of a place */
    trial->units_are_rows = scope == 1 || (scope == 2 && output != 2 && (axis == 1 || rank == 2));
    for (size_t i = 0; i < trial->count; i++)
        trial->inputs[i] = random_input(rank, dims, &trial->spec.info->inputs[i], trial, 0, rng);
}

const loss_builder segmentation_loss_builders[] = { { "dice", 9, build_masks }, { "tversky", 9, build_masks }, { 0 } };

/* ------------------------------------------------------------------ calling */

static lg_loss_options by_unit;

static lg_tensor *apply(const char *name, const char *params, lg_tensor *pred, lg_tensor *target)
{
    lg_loss_spec spec;
    by_unit = (lg_loss_options){ .reduction = LG_REDUCE_NONE };
    ck_assert_msg(lg_loss_find(name, &spec) == LG_OK && lg_loss_set(&spec, params) == LG_OK, "%s", lg_error());
    lg_tensor *loss = lg_loss_apply(tape, &spec, (lg_tensor *[LG_LOSS_MAX_INPUTS]){ pred, target }, &by_unit);
    ck_assert_msg(loss != NULL, "%s", lg_error());
    return loss;
}

/* Backward from the sum of the units. */
static void derive(lg_tensor *loss)
{
    lg_tensor *ones = lg_tensor_full(lg_tensor_rank(loss), lg_tensor_dims(loss), 1);
    ck_assert_msg(lg_backward_from(tape, loss, ones) == LG_OK, "%s", lg_error());
    lg_tensor_free(ones);
}

static void assert_gradient(lg_tensor *tensor, const double *want, double tolerance)
{
    for (size_t i = 0; i < lg_tensor_size(tensor); i++) {
        const double got = (double)lg_tensor_grad(tensor)[i];
        ck_assert_msg(fabs(got - want[i]) <= tolerance * fabs(want[i]), "gradient[%zu] is %.17g, not %.17g", i, got,
                      want[i]);
    }
}

/* ---------------------------------------------------------- worked examples */

START_TEST(worked_examples_have_their_values)
{
    const lg_real p[] = { (lg_real)0.9, (lg_real)0.7, (lg_real)0.4, (lg_real)0.2 };
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(4), p);
    lg_tensor *mask = lg_constant(tape, LG_SHAPE(4), (lg_real[]){ 1, 1, 0, 0 });
    lg_tensor *dice = apply("dice", "eps=1e-30", pred, mask);
    /* I = 1.6, the sums 2.2 and 2 */
    ck_assert_double_eq_tol(lg_tensor_item(dice), 1 - 3.2 / 4.2, exact);
    derive(dice);
    const double inside = (3.2 / 4.2 - 2) / 4.2, outside = 3.2 / 4.2 / 4.2;
    assert_gradient(pred, (const double[]){ inside, inside, outside, outside }, 1e-6);
    /* TP 1.6, FP 0.6, FN 0.4 */
    ck_assert_double_eq_tol(lg_tensor_item(apply("tversky", "eps=1e-30,alpha=0.3,beta=0.7", pred, mask)), 1 - 1.6 / 2.06,
                            exact);
    /* the sums of squares are 0.81 + 0.49 + 0.16 + 0.04 and 2 */
    ck_assert_double_eq_tol(lg_tensor_item(apply("dice", "eps=1e-30,square=true", pred, mask)), 1 - 3.2 / 3.5, exact);
    ck_assert_double_eq_tol(
        lg_tensor_item(lg_dice(tape, pred, mask, LG_SCOPE_BATCH, 1, false, LG_MASK_SIGMOID, NULL)), 1 - 4.2 / 5.2, 1e-6);
    ck_assert_double_eq_tol(
        lg_tensor_item(lg_tversky(tape, pred, mask, LG_SCOPE_BATCH, 0, 1, 0, LG_MASK_SIGMOID, NULL)), 0.4 / 2, 1e-6);
}
END_TEST

/* -------------------------------------------------------------------- edges */

/* As Keras has it; with smooth it is nearly 0. */
START_TEST(two_empty_masks_cost_1_with_gradient_0_unless_smooth)
{
    static const char *const names[] = { "dice", "tversky" };
    static const char *const variants[] = { "scope=sample", "scope=channel" };
    for (size_t i = 0; i < COUNT(names) * COUNT(variants); i++) {
        lg_tensor *pred = lg_variable(tape, LG_SHAPE(2, 3), (lg_real[6]){ 0 });
        lg_tensor *mask = lg_constant(tape, LG_SHAPE(2, 3), (lg_real[6]){ 0 });
        lg_tensor *loss = apply(names[i / 2], variants[i % 2], pred, mask);
        for (size_t u = 0; u < lg_tensor_size(loss); u++)
            ck_assert((double)lg_tensor_data(loss)[u] == 1);
        derive(loss);
        assert_gradient(pred, (const double[6]){ 0 }, 0);
        lg_tape_reset(tape);
    }
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(3), (lg_real[3]){ 0 });
    lg_tensor *mask = lg_constant(tape, LG_SHAPE(3), (lg_real[3]){ 0 });
    ck_assert((double)lg_tensor_item(apply("dice", "smooth=1", pred, mask)) < 1e-6);
    ck_assert((double)lg_tensor_item(apply("dice", "square=true", pred, mask)) == 1);
    ck_assert((double)lg_tensor_item(apply("tversky", "smooth=1", pred, mask)) < 1e-6);
}
END_TEST

/* With e = 1 / (1 + e^20) = 1 - p inside and p outside, two pixels each: FP = FN = 2 e, so dice is e, and tversky too;
 * 1 - p is 0 in float. */
START_TEST(nearly_perfect_masks_keep_their_digits)
{
    const double e = 1 / (1 + exp(20)), tolerance = LG_REAL_BITS == 64 ? 1e-12 : 1e-5;
    static const char *const names[] = { "dice", "tversky" };
    for (size_t i = 0; i < COUNT(names); i++) {
        lg_tensor *pred = lg_variable(tape, LG_SHAPE(4), (lg_real[]){ 20, 20, -20, -20 });
        lg_tensor *mask = lg_constant(tape, LG_SHAPE(4), (lg_real[]){ 1, 1, 0, 0 });
        lg_tensor *loss = apply(names[i], "from_logits=true,eps=1e-30", pred, mask);
        ck_assert_double_eq_tol(lg_tensor_item(loss) / e, 1, tolerance);
        derive(loss);
        const double slope = e * (1 - e) / 4;
        assert_gradient(pred, (const double[]){ -slope * (1 + e), -slope * (1 + e), slope * (1 - e), slope * (1 - e) },
                        tolerance);
        lg_tape_reset(tape);
    }
    /* the same by softmax over two classes, of which the first is 20 ahead at the first place and behind at the second */
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 20, 0, 0, 20 });
    lg_tensor *mask = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ 1, 0, 0, 1 });
    lg_tensor *loss = apply("dice", "from_logits=true,activation=softmax,eps=1e-30", pred, mask);
    ck_assert_double_eq_tol(lg_tensor_item(loss) / e, 1, tolerance);
    derive(loss);
    const double slope = e * (1 - e) / 2; /* p_0 (1 - p_0) times the difference of the slopes by p_0 and p_1, 2 / D */
    assert_gradient(pred, (const double[]){ -slope, slope, slope, -slope }, tolerance);
    /* (p - t)^2 is e^2 everywhere: the squared one is 4 e^2 / (2 + 2 (1 - e)^2 + 2 e^2) */
    lg_tape_reset(tape);
    pred = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 20, 0, 0, 20 });
    mask = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ 1, 0, 0, 1 });
    loss = apply("dice", "from_logits=true,activation=softmax,eps=1e-30,square=true", pred, mask);
    ck_assert_double_eq_tol(lg_tensor_item(loss) / (e * e), 1, 1e-5);
}
END_TEST

START_TEST(extreme_logits_have_finite_losses_and_gradients)
{
    static const char *const params[] = { "from_logits=true", "from_logits=true,square=true",
                                          "from_logits=true,activation=softmax", "from_logits=true,scope=channel" };
    for (size_t i = 0; i < COUNT(params); i++) {
        lg_tensor *pred = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ (lg_real)1e4, (lg_real)-1e4, (lg_real)-1e4, 0 });
        lg_tensor *mask = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 1, 0, 1 });
        lg_tensor *loss = apply("dice", params[i], pred, mask);
        for (size_t u = 0; u < lg_tensor_size(loss); u++)
            ck_assert(isfinite((double)lg_tensor_data(loss)[u]));
        derive(loss);
        for (size_t k = 0; k < 4; k++)
            ck_assert(isfinite((double)lg_tensor_grad(pred)[k]));
        lg_tape_reset(tape);
    }
}
END_TEST

START_TEST(a_mask_without_elements_costs_nothing)
{
    static const size_t shapes[][2] = { { 0, 3 }, { 3, 0 } };
    static const lg_mask_scope scopes[] = { LG_SCOPE_BATCH, LG_SCOPE_SAMPLE, LG_SCOPE_CHANNEL };
    for (size_t i = 0; i < COUNT(shapes); i++) {
        for (size_t s = 0; s < COUNT(scopes); s++) {
            lg_tensor *pred = lg_variable(tape, 2, shapes[i], NULL), *mask = lg_constant(tape, 2, shapes[i], NULL);
            for (size_t logits = 0; logits < 3; logits++) {
                const lg_mask_activation activation = logits == 2 ? LG_MASK_SOFTMAX : LG_MASK_SIGMOID;
                lg_loss_options options = { .from_logits = logits > 0 };
                lg_tensor *mean = lg_dice(tape, pred, mask, scopes[s], 0, false, activation, &options);
                ck_assert_msg(mean != NULL, "%s", lg_error());
                ck_assert(lg_tensor_item(mean) == 0);
                double sum, divisor;
                ck_assert(lg_loss_terms(mean, &sum, &divisor) && sum == 0 && divisor == 0);
                ck_assert_int_eq(lg_backward(tape, mean), LG_OK);
                options.reduction = LG_REDUCE_NONE;
                lg_tensor *units = lg_tversky(tape, pred, mask, scopes[s], 1, 1, 0, activation, &options);
                ck_assert_msg(units != NULL, "%s", lg_error());
                for (size_t u = 0; u < lg_tensor_size(units); u++)
                    ck_assert((double)lg_tensor_data(units)[u] == 0);
                lg_tape_reset(tape);
                pred = lg_variable(tape, 2, shapes[i], NULL);
                mask = lg_constant(tape, 2, shapes[i], NULL);
            }
        }
    }
}
END_TEST

START_TEST(samples_of_one_element_are_units_of_their_own)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(2), (lg_real[]){ (lg_real)0.5, (lg_real)0.25 });
    lg_tensor *mask = lg_constant(tape, LG_SHAPE(2, 1), (lg_real[]){ 1, 0 });
    lg_tensor *loss = apply("dice", "scope=sample,eps=1e-30", pred, mask);
    ck_assert_uint_eq(lg_tensor_rank(loss), 1);
    ck_assert_uint_eq(lg_tensor_size(loss), 2);
    ck_assert_double_eq_tol((double)lg_tensor_data(loss)[0], 1 - 1 / 1.5, exact);
    ck_assert((double)lg_tensor_data(loss)[1] == 1);
    lg_tensor *scalar = lg_variable(tape, LG_SCALAR_SHAPE, (lg_real[]){ (lg_real)0.5 });
    lg_tensor *one = lg_constant(tape, LG_SCALAR_SHAPE, (lg_real[]){ 1 });
    ck_assert_double_eq_tol(lg_tensor_item(apply("dice", "eps=1e-30", scalar, one)), 1 - 1 / 1.5, exact);
}
END_TEST

/* ------------------------------------------------------------- equivalences */

static void random_masks(size_t rank, const size_t *dims, uint64_t seed, lg_tensor **pred, lg_tensor **mask)
{
    lg_rng rng = lg_rng_seed(seed);
    lg_real values[64], labels[64];
    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = (lg_real)(2 * lg_rng_normal(&rng));
        labels[i] = lg_rng_uniform(&rng) < 0.4 ? 1 : 0;
    }
    *pred = lg_variable(tape, rank, dims, values);
    *mask = lg_constant(tape, rank, dims, labels);
}

START_TEST(tversky_with_equal_prices_of_one_half_is_dice)
{
    /* smooth and eps stand beside 2 TP in the one and beside TP in the other */
    static const char *const names[] = { "dice", "tversky" };
    static const char *const params[] = { "from_logits=true,scope=sample,smooth=1,eps=0.25",
                                          "from_logits=true,scope=sample,smooth=0.5,eps=0.125" };
    double losses[2][3], gradients[2][15];
    for (size_t k = 0; k < 2; k++) {
        lg_tensor *pred, *mask;
        random_masks(LG_SHAPE(3, 5), 4, &pred, &mask);
        lg_tensor *loss = apply(names[k], params[k], pred, mask);
        derive(loss);
        for (size_t u = 0; u < 3; u++)
            losses[k][u] = (double)lg_tensor_data(loss)[u];
        for (size_t i = 0; i < 15; i++)
            gradients[k][i] = (double)lg_tensor_grad(pred)[i];
        lg_tape_reset(tape);
    }
    for (size_t u = 0; u < 3; u++)
        ck_assert_double_eq_tol(losses[0][u], losses[1][u], exact);
    for (size_t i = 0; i < 15; i++)
        ck_assert_double_eq_tol(gradients[0][i], gradients[1][i], exact);
}
END_TEST

START_TEST(softmax_of_two_classes_is_a_sigmoid_of_their_difference)
{
    lg_tensor *both, *mask;
    random_masks(LG_SHAPE(3, 2, 4), 6, &both, &mask);
    lg_real difference[12], second[12];
    for (size_t i = 0; i < 12; i++) {
        const size_t first = i / 4 * 8 + i % 4;
        difference[i] = lg_tensor_data(both)[first + 4] - lg_tensor_data(both)[first];
        second[i] = lg_tensor_data(mask)[first + 4];
    }
    const lg_loss_options softmax = { .from_logits = true, .reduction = LG_REDUCE_NONE, .class_axis = 1 };
    lg_tensor *channels = lg_dice(tape, both, mask, LG_SCOPE_CHANNEL, 0, false, LG_MASK_SOFTMAX, &softmax);
    ck_assert_msg(channels != NULL, "%s", lg_error());
    /* from the second channel alone */
    lg_tensor *upstream = lg_constant(tape, LG_SHAPE(3, 2), (lg_real[]){ 0, 1, 0, 1, 0, 1 });
    ck_assert_int_eq(lg_backward_from(tape, channels, upstream), LG_OK);
    lg_tape *two_classes = tape;
    tape = lg_tape_new();
    lg_tensor *one = lg_variable(tape, LG_SHAPE(3, 4), difference), *its_mask = lg_constant(tape, LG_SHAPE(3, 4), second);
    lg_tensor *samples = apply("dice", "from_logits=true,scope=sample", one, its_mask);
    derive(samples);
    for (size_t n = 0; n < 3; n++)
        ck_assert_double_eq_tol((double)lg_tensor_data(channels)[2 * n + 1], (double)lg_tensor_data(samples)[n], exact);
    for (size_t i = 0; i < 12; i++) {
        const size_t first = i / 4 * 8 + i % 4;
        ck_assert_double_eq_tol((double)lg_tensor_grad(both)[first + 4], (double)lg_tensor_grad(one)[i], exact);
        ck_assert_double_eq_tol((double)lg_tensor_grad(both)[first], -(double)lg_tensor_grad(one)[i], exact);
    }
    lg_tape_free(two_classes);
}
END_TEST

START_TEST(a_constant_added_to_the_logits_of_a_place_changes_nothing)
{
    lg_tensor *pred, *mask;
    random_masks(LG_SHAPE(4, 5), 9, &pred, &mask);
    lg_tensor *before = apply("tversky", "from_logits=true,activation=softmax,scope=batch,alpha=0.3", pred, mask);
    derive(before);
    double size = 0;
    for (size_t n = 0; n < 4; n++) {
        double sum = 0;
        for (size_t c = 0; c < 5; c++) {
            sum += (double)lg_tensor_grad(pred)[n * 5 + c];
            size += fabs((double)lg_tensor_grad(pred)[n * 5 + c]);
            lg_tensor_data(pred)[n * 5 + c] += 16;
        }
        ck_assert_double_eq_tol(sum, 0, 0.1 * exact);
    }
    ck_assert(size > 0.1);
    lg_tensor *after = apply("tversky", "from_logits=true,activation=softmax,scope=batch,alpha=0.3", pred, mask);
    ck_assert_double_eq_tol(lg_tensor_item(after), lg_tensor_item(before), 10 * exact);
}
END_TEST

/* ------------------------------------------------------------------- errors */

static void assert_fails(const lg_tensor *loss, lg_status code, const char *message)
{
    ck_assert_ptr_null(loss);
    ck_assert_int_eq(lg_error_code(), code);
    ck_assert_str_eq(lg_error(), message);
    lg_error_clear();
}

#define DICE(pred, mask, scope, smooth, activation, ...) \
    lg_dice(tape, pred, mask, scope, smooth, false, activation, &(lg_loss_options){ __VA_ARGS__ })

START_TEST(wrong_calls_say_what_would_be_right)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 1, (lg_real)0.5, (lg_real)0.5 });
    lg_tensor *mask = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 1, 1, 0 });
    lg_tensor *counts = lg_constant(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 2, 0, 0 });
    lg_tensor *row = lg_constant(tape, LG_SHAPE(3), (lg_real[3]){ 0 });
    lg_tensor *scalar = lg_constant(tape, LG_SCALAR_SHAPE, (lg_real[]){ 0 });
    lg_tensor *logits = lg_variable(tape, LG_SHAPE(2, 2), (lg_real[]){ 0, 3, 0, 0 });
    lg_tensor *weight = lg_tensor_from(LG_SHAPE(2), (lg_real[]){ 1, 2 });
    const lg_mask_activation sigmoid = LG_MASK_SIGMOID, softmax = LG_MASK_SOFTMAX;
    assert_fails(DICE(pred, row, LG_SCOPE_BATCH, 0, sigmoid, .eps = 0), LG_E_SHAPE,
                 "dice: pred has shape [2, 2], target [3]; they must be the same");
    assert_fails(DICE(row, row, LG_SCOPE_CHANNEL, 0, sigmoid, .eps = 0), LG_E_SHAPE,
                 "dice: pred is [3], but needs an axis of samples and one of classes");
    assert_fails(DICE(row, row, LG_SCOPE_SAMPLE, 0, softmax, .from_logits = true), LG_E_SHAPE,
                 "dice: pred is [3], but needs an axis of samples and one of classes");
    assert_fails(DICE(scalar, scalar, LG_SCOPE_SAMPLE, 0, sigmoid, .eps = 0), LG_E_SHAPE,
                 "dice: pred is [], but needs at least one axis");
    assert_fails(DICE(pred, mask, LG_SCOPE_CHANNEL, 0, sigmoid, .class_axis = 2), LG_E_SHAPE,
                 "dice: pred [2, 2] has no class axis 2");
    assert_fails(DICE(pred, mask, LG_SCOPE_BATCH, 0, softmax, .eps = 0), LG_E_PARAM,
                 "dice: activation is softmax, but pred holds probabilities; set from_logits");
    assert_fails(DICE(logits, mask, LG_SCOPE_BATCH, 0, sigmoid, .eps = 0), LG_E_DOMAIN,
                 "dice: pred[1] is 3, but must be a probability in [0, 1] (or set from_logits)");
    assert_fails(DICE(pred, counts, LG_SCOPE_BATCH, 0, sigmoid, .eps = 0), LG_E_DOMAIN,
                 "dice: target[1] is 2, but must be in [0, 1]");
    assert_fails(DICE(pred, pred, LG_SCOPE_BATCH, 0, sigmoid, .eps = 0), LG_E_PARAM,
                 "dice: target requires a gradient, but the loss has none by it");
    assert_fails(DICE(pred, mask, LG_SCOPE_BATCH, 0, sigmoid, .sample_weight = weight), LG_E_SHAPE,
                 "dice: its value is one number for the whole batch; sample_weight does not apply");
    assert_fails(DICE(pred, mask, LG_SCOPE_BATCH, -1, sigmoid, .eps = 0), LG_E_PARAM,
                 "dice: smooth is -1, but must be finite and >= 0");
    assert_fails(DICE(pred, mask, (lg_mask_scope)3, 0, sigmoid, .eps = 0), LG_E_PARAM,
                 "dice: scope must be one of batch|sample|channel");
    assert_fails(DICE(pred, mask, LG_SCOPE_BATCH, 0, sigmoid, .eps = 0.75), LG_E_PARAM,
                 "dice: eps is 0.75, but must be in (0, 0.5)");
    assert_fails(DICE(pred, mask, LG_SCOPE_BATCH, 0, sigmoid, .label_smoothing = 0.5), LG_E_PARAM,
                 "dice: the option label_smoothing does not apply here");
    assert_fails(lg_tversky(tape, pred, mask, LG_SCOPE_BATCH, -0.5, 1, 0, sigmoid, NULL), LG_E_PARAM,
                 "tversky: alpha is -0.5, but must be finite and >= 0");
    assert_fails(lg_tversky(tape, pred, mask, LG_SCOPE_BATCH, 1, (double)NAN, 0, sigmoid, NULL), LG_E_PARAM,
                 "tversky: beta is nan, but must be finite and >= 0");
    assert_fails(lg_tversky(tape, NULL, mask, LG_SCOPE_BATCH, 1, 1, 0, sigmoid, NULL), LG_E_PARAM,
                 "tversky: pred is NULL");
    lg_tensor_free(weight);
}
END_TEST

Suite *losses_segmentation_suite(void)
{
    Suite *suite = suite_create("losses_segmentation");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, segmentation_losses_equal_pytorch_in_every_reduction, 0,
                        (int)COUNT(segmentation_references));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, worked_examples_have_their_values);
    tcase_add_test(cases, two_empty_masks_cost_1_with_gradient_0_unless_smooth);
    tcase_add_test(cases, nearly_perfect_masks_keep_their_digits);
    tcase_add_test(cases, extreme_logits_have_finite_losses_and_gradients);
    tcase_add_test(cases, a_mask_without_elements_costs_nothing);
    tcase_add_test(cases, samples_of_one_element_are_units_of_their_own);
    tcase_add_test(cases, tversky_with_equal_prices_of_one_half_is_dice);
    tcase_add_test(cases, softmax_of_two_classes_is_a_sigmoid_of_their_difference);
    tcase_add_test(cases, a_constant_added_to_the_logits_of_a_place_changes_nothing);
    tcase_add_test(cases, wrong_calls_say_what_would_be_right);
    suite_add_tcase(suite, cases);
    return suite;
}

/* Losses of boxes: against PyTorch (torchvision's formulas), worked examples, ties, empty and inverted boxes, invariances,
 * errors. */
#include "losses/boxes.h"

#include "loss_reference.h"
#include "loss_trial.h"
#include "reference/losses_boxes.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const names[] = { "iou", "giou", "diou", "ciou" };
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

START_TEST(box_losses_equal_torchvision_s_formulas_in_every_reduction)
{
    assert_loss_reference(&boxes_references[_i]);
}
END_TEST

/* -------------------------------------------------------- builder of trials */

/* A box of its format into x, with `stride` between its numbers. */
static void random_box(lg_real *x, size_t stride, bool centred, lg_rng *rng)
{
    for (size_t a = 0; a < 2; a++) {
        const double low = 4 * lg_rng_uniform(rng), side = 0.5 + 4 * lg_rng_uniform(rng);
        x[a * stride] = (lg_real)(centred ? low + side / 2 : low);
        x[(a + 2) * stride] = (lg_real)(centred ? side : low + side);
    }
}

static void build_boxes(loss_trial *trial, size_t variant, lg_rng *rng)
{
    static const struct {
        size_t rank, dims[3], class_axis;
    } shapes[] = { { 2, { 6, 4 }, 0 }, { 1, { 4 }, 0 }, { 3, { 2, 3, 4 }, 0 }, { 3, { 2, 4, 3 }, 1 } };
    const size_t s = variant % COUNT(shapes), rank = shapes[s].rank, axis = shapes[s].class_axis;
    const bool centred = lg_loss_get(&trial->spec, "format") != 0;
    trial->count = 2;
    trial->options.class_axis = axis;
    trial->units_are_rows = axis == 0;
    trial->units = 1;
    for (size_t i = 0; i < rank; i++)
        if (i != (axis ? axis : rank - 1))
            trial->units *= trial->unit_dims[trial->unit_rank++] = shapes[s].dims[i];
    const size_t stride = axis ? shapes[s].dims[2] : 1;
    for (size_t n = 0; n < trial->count; n++) {
        trial->inputs[n] = lg_tensor_zeros(rank, shapes[s].dims);
        for (size_t u = 0; u < trial->units; u++)
            random_box(lg_tensor_data(trial->inputs[n]) + u / stride * 4 * stride + u % stride, stride, centred, rng);
        ck_assert_int_eq(lg_tensor_require_grad(trial->inputs[n], true), LG_OK);
    }
}

static void build_complete(loss_trial *trial, size_t variant, lg_rng *rng)
{
    build_boxes(trial, variant, rng);
    trial->holds_constant = true; /* alpha */
}

const loss_builder box_loss_builders[] = { { "iou", 4, build_boxes },
                                           { "giou", 4, build_boxes },
                                           { "diou", 4, build_boxes },
                                           { "ciou", 4, build_complete },
                                           { 0 } };

/* ---------------------------------------------------------- worked examples */

/* The loss of one pair, and its derivatives. */
typedef struct outcome {
    double loss, by_pred[4], by_target[4];
} outcome;

static outcome outcome_of(const char *name, const char *params, const double pred[4], const double target[4])
{
    lg_loss_spec spec;
    lg_real p[4], t[4];
    for (size_t k = 0; k < 4; k++) {
        p[k] = (lg_real)pred[k];
        t[k] = (lg_real)target[k];
    }
    ck_assert_msg(lg_loss_find(name, &spec) == LG_OK && lg_loss_set(&spec, params) == LG_OK, "%s", lg_error());
    lg_tensor *x = lg_variable(tape, LG_SHAPE(1, 4), p), *y = lg_variable(tape, LG_SHAPE(1, 4), t);
    lg_tensor *loss = lg_loss_apply(tape, &spec, (lg_tensor *[LG_LOSS_MAX_INPUTS]){ x, y }, NULL);
    ck_assert_msg(loss != NULL && lg_backward(tape, loss) == LG_OK, "%s: %s", name, lg_error());
    outcome result = { .loss = lg_tensor_item(loss) };
    for (size_t k = 0; k < 4; k++) {
        result.by_pred[k] = (double)lg_tensor_grad(x)[k];
        result.by_target[k] = (double)lg_tensor_grad(y)[k];
    }
    lg_tape_reset(tape);
    return result;
}

#define BOX(...) ((const double[4]){ __VA_ARGS__ })

static void assert_slopes(const char *what, const double got[4], const double want[4], double tolerance)
{
    for (size_t k = 0; k < 4; k++)
        ck_assert_msg(fabs(got[k] - want[k]) <= tolerance, "%s: slope %zu is %.17g, not %.17g", what, k, got[k], want[k]);
}

static const double exact = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;

/* I = 1, U = 7, C = 9, r^2 = 2, c^2 = 18, equal proportions. */
START_TEST(worked_examples_have_their_values)
{
    static const double values[] = { 6.0 / 7, 6.0 / 7 + 2.0 / 9, 6.0 / 7 + 1.0 / 9, 6.0 / 7 + 1.0 / 9 };
    for (size_t i = 0; i < COUNT(names); i++) {
        const outcome corners = outcome_of(names[i], "eps=1e-30", BOX(0, 0, 2, 2), BOX(1, 1, 3, 3));
        ck_assert_double_eq_tol(corners.loss, values[i], exact);
        const outcome centres = outcome_of(names[i], "eps=1e-30,format=cxcywh", BOX(1, 1, 2, 2), BOX(2, 2, 2, 2));
        ck_assert_double_eq_tol(centres.loss, values[i], exact);
    }
    ck_assert_double_eq_tol(outcome_of("iou", "form=log", BOX(0, 0, 2, 2), BOX(1, 1, 3, 3)).loss, log(7), 1e-6);
    /* sides 1 and 2 against 2 and 1 around one centre: IoU = 1/3, v = (4 / pi^2)(atan 2 - atan 1/2)^2 */
    const double turn = atan(2) - atan(0.5), v = 4 * turn * turn / (M_PI * M_PI), alpha = v / (2.0 / 3 + v);
    ck_assert_double_eq_tol(
        outcome_of("ciou", "eps=1e-30,format=cxcywh", BOX(0, 0, 1, 2), BOX(0, 0, 2, 1)).loss, 2.0 / 3 + alpha * v, exact);
}
END_TEST

/* The last example: I = w H, U = w h + W H - w H, as w < W and h > H. With k = 8 turn / (pi^2 (w^2 + h^2)):
 * dv/dw = -k h, dv/dh = k w, and alpha does not move. */
START_TEST(alpha_of_ciou_is_constant_in_the_derivative)
{
    const double turn = atan(2) - atan(0.5), v = 4 * turn * turn / (M_PI * M_PI), alpha = v / (2.0 / 3 + v);
    const outcome got = outcome_of("ciou", "eps=1e-30,format=cxcywh", BOX(0, 0, 1, 2), BOX(0, 0, 2, 1));
    const double k = 8 * turn / (M_PI * M_PI * 5);
    /* dIoU/dw = (H U - I (h - H)) / U^2 = (3 - 1) / 9, dIoU/dh = -I w / U^2 = -1 / 9; the centres stay */
    assert_slopes("prediction", got.by_pred, BOX(0, 0, -2.0 / 9 - alpha * k * 2, 1.0 / 9 + alpha * k * 1), exact);
    /* by the target, whose roles of the axes are exchanged */
    assert_slopes("target", got.by_target, BOX(0, 0, 1.0 / 9 + alpha * k * 1, -2.0 / 9 - alpha * k * 2), exact);
}
END_TEST

/* -------------------------------------------------------------------- edges */

/* I = 4, A = 4, B = U = 8. At a common edge dI is half of what it would be if that box ended there alone: for the
 * prediction's x1, dI = -1, dA = -2, dU = -1, so dIoU = (-8 + 4) / 64. */
START_TEST(a_common_edge_gives_each_box_half_of_its_slope)
{
    const outcome got = outcome_of("iou", "eps=1e-30", BOX(0, 0, 2, 2), BOX(0, 0, 4, 2));
    assert_slopes("prediction", got.by_pred, BOX(0.0625, 0.0625, -0.25, -0.0625), exact);
    /* x2: dI = 0, dU = 2, dIoU = -4 * 2 / 64; y2: dI = 1, dB = 4, dU = 3, dIoU = (8 - 12) / 64 */
    assert_slopes("target", got.by_target, BOX(0.0625, -0.0625, 0.125, 0.0625), exact);
}
END_TEST

START_TEST(a_perfect_box_is_not_pushed_away)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        for (size_t centred = 0; centred < 2; centred++) {
            const outcome got = outcome_of(names[i], centred ? "format=cxcywh" : "", BOX(1, 2, 4, 8), BOX(1, 2, 4, 8));
            ck_assert_msg(got.loss >= 0 && got.loss < 1e-7, "%s is %g", names[i], got.loss);
            assert_slopes(names[i], got.by_pred, BOX(0, 0, 0, 0), 1e-7);
            assert_slopes(names[i], got.by_target, BOX(0, 0, 0, 0), 1e-7);
        }
    }
    const outcome logarithm = outcome_of("iou", "form=log", BOX(1, 2, 4, 8), BOX(1, 2, 4, 8));
    ck_assert(logarithm.loss >= 0 && logarithm.loss < 1e-7);
    assert_slopes("log", logarithm.by_pred, BOX(0, 0, 0, 0), 1e-7);
}
END_TEST

START_TEST(distant_boxes_attract_except_under_iou)
{
    const double *pred = BOX(10, 0, 12, 2), *target = BOX(0, 0, 2, 2);
    ck_assert(outcome_of("iou", "", pred, target).loss == 1);
    assert_slopes("iou", outcome_of("iou", "", pred, target).by_pred, BOX(0, 0, 0, 0), 0);
    const outcome logarithm = outcome_of("iou", "form=log,eps=0.125", pred, target);
    ck_assert_double_eq_tol(logarithm.loss, log(8), 1e-6);
    assert_slopes("log", logarithm.by_pred, BOX(0, 0, 0, 0), 0);
    for (size_t i = 1; i < COUNT(names); i++) {
        const outcome got = outcome_of(names[i], "", pred, target);
        ck_assert_msg(got.by_pred[0] + got.by_pred[2] > 0.01, "%s does not pull to the left: %g", names[i],
                      got.by_pred[0] + got.by_pred[2]);
        ck_assert_msg(got.by_target[0] + got.by_target[2] < -0.01, "%s does not pull the target", names[i]);
    }
    /* C = 24, U = 8 */
    ck_assert_double_eq_tol(outcome_of("giou", "", pred, target).loss, 1 + 16.0 / 24, 1e-6);
    const double farthest = outcome_of("giou", "", BOX(1e6, 1e6, 1e6 + 1, 1e6 + 1), target).loss;
    ck_assert(farthest > 1.99 && farthest <= 2);
}
END_TEST

/* torchvision's ciou is NaN for a box without sides; luge takes the angle of nothing for 0 and gives it no slope. */
START_TEST(empty_boxes_have_finite_losses_and_slopes)
{
    const outcome both = outcome_of("iou", "", BOX(1, 1, 1, 1), BOX(3, 3, 3, 3));
    ck_assert(both.loss == 1);
    assert_slopes("both empty", both.by_pred, BOX(0, 0, 0, 0), 0);
    assert_slopes("both empty", both.by_target, BOX(0, 0, 0, 0), 0);
    static const double boxes[][4] = { { 1, 1, 1, 1 }, { 1, 1, 1, 3 }, { 1, 1, 3, 1 }, { 0, 0, 2, 2 } };
    for (size_t i = 0; i < COUNT(names); i++) {
        for (size_t p = 0; p < COUNT(boxes); p++) {
            for (size_t t = 0; t < COUNT(boxes); t++) {
                const outcome got = outcome_of(names[i], "", boxes[p], boxes[t]);
                ck_assert_msg(isfinite(got.loss) && got.loss >= 0, "%s of boxes %zu, %zu is %g", names[i], p, t, got.loss);
                for (size_t k = 0; k < 4; k++)
                    ck_assert_msg(isfinite(got.by_pred[k]) && isfinite(got.by_target[k]), "%s of boxes %zu, %zu", names[i],
                                  p, t);
            }
        }
    }
}
END_TEST

START_TEST(a_negative_side_counts_as_0_and_passes_no_slope)
{
    const outcome got = outcome_of("iou", "", BOX(3, 0, 1, 2), BOX(0, 0, 4, 4));
    ck_assert(got.loss == 1);
    assert_slopes("iou", got.by_pred, BOX(0, 0, 0, 0), 0);
    /* the surrounding box is the target, C = U: nothing to gain by moving inside */
    assert_slopes("giou", outcome_of("giou", "", BOX(3, 1, 1, 2), BOX(0, 0, 4, 4)).by_pred, BOX(0, 0, 0, 0), 1e-7);
    /* centres (2, 1) and (2, 2), diagonal^2 = 32 */
    const outcome distance = outcome_of("diou", "format=cxcywh", BOX(2, 1, -1, 1), BOX(2, 2, 4, 4));
    ck_assert_double_eq_tol(distance.loss, 1 + 1.0 / 32, 1e-6);
    assert_slopes("diou", distance.by_pred, BOX(0, -2.0 / 32, 0, 0), 1e-6);
}
END_TEST

START_TEST(squares_of_large_sides_do_not_overflow)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        const outcome large = outcome_of(names[i], "", BOX(0, 0, 2e25, 2e25), BOX(1e25, 1e25, 3e25, 3e25));
        const outcome small = outcome_of(names[i], "eps=1e-30", BOX(0, 0, 2, 2), BOX(1, 1, 3, 3));
        ck_assert_double_eq_tol(large.loss, small.loss, 1e-6);
    }
}
END_TEST

/* ------------------------------------------------------------- invariances */

START_TEST(box_losses_ignore_translation_and_scale)
{
    lg_rng rng = lg_rng_seed(8);
    for (size_t trial = 0; trial < 40; trial++) {
        double box[2][4], moved[2][4];
        const double scale = ldexp(1, (int)lg_rng_below(&rng, 12) - 6), shift = (double)lg_rng_below(&rng, 64) - 32;
        for (size_t n = 0; n < 2; n++) {
            for (size_t a = 0; a < 2; a++) {
                box[n][a] = (double)lg_rng_below(&rng, 64) / 8;
                box[n][a + 2] = box[n][a] + (1 + (double)lg_rng_below(&rng, 63)) / 8;
            }
            for (size_t k = 0; k < 4; k++)
                moved[n][k] = scale * (box[n][k] + shift);
        }
        for (size_t i = 0; i < COUNT(names); i++) {
            const outcome here = outcome_of(names[i], "eps=1e-30", box[0], box[1]);
            const outcome there = outcome_of(names[i], "eps=1e-30", moved[0], moved[1]);
            ck_assert_msg(fabs(here.loss - there.loss) <= exact, "%s: %.15g, moved %.15g", names[i], here.loss, there.loss);
            double along_x = 0, along_y = 0, outwards = 0;
            for (size_t k = 0; k < 4; k++) {
                ck_assert_double_eq_tol(there.by_pred[k] * scale, here.by_pred[k], exact);
                along_x += k % 2 == 0 ? here.by_pred[k] + here.by_target[k] : 0;
                along_y += k % 2 == 1 ? here.by_pred[k] + here.by_target[k] : 0;
                outwards += here.by_pred[k] * box[0][k] + here.by_target[k] * box[1][k];
            }
            /* moving or scaling both boxes together changes nothing */
            ck_assert_double_eq_tol(along_x, 0, exact);
            ck_assert_double_eq_tol(along_y, 0, exact);
            ck_assert_double_eq_tol(outwards, 0, 10 * exact);
        }
    }
}
END_TEST

START_TEST(exchanging_the_boxes_exchanges_their_slopes)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        const double *a = BOX(0, 1, 3, 2), *b = BOX(1, 0, 2, 4);
        const outcome one = outcome_of(names[i], "", a, b), other = outcome_of(names[i], "", b, a);
        ck_assert_double_eq_tol(one.loss, other.loss, exact);
        assert_slopes(names[i], one.by_pred, other.by_target, exact);
        assert_slopes(names[i], one.by_target, other.by_pred, exact);
    }
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

START_TEST(wrong_calls_say_what_would_be_right)
{
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(2, 4), (lg_real[]){ 0, 0, 1, 1, 0, 0, 2, 2 });
    lg_tensor *narrow = lg_variable(tape, LG_SHAPE(2, 3), (lg_real[6]){ 0 });
    lg_tensor *wide = lg_variable(tape, LG_SHAPE(2, 5), (lg_real[10]){ 0 });
    lg_tensor *inverted = lg_constant(tape, LG_SHAPE(2, 4), (lg_real[]){ 0, 0, 1, 1, 3, 1, 2, 4 });
    lg_tensor *infinite = lg_constant(tape, LG_SHAPE(2, 4), (lg_real[]){ 0, 0, 1, (lg_real)INFINITY, 0, 0, 1, 1 });
    lg_tensor *nan = lg_constant(tape, LG_SHAPE(2, 4), (lg_real[]){ 0, 0, 1, 1, (lg_real)NAN, 0, 1, 1 });
    lg_tensor *centres = lg_constant(tape, LG_SHAPE(2, 4), (lg_real[]){ 0, 0, 1, 1, 3, 1, -2, 4 });
    assert_fails(lg_iou(tape, narrow, narrow, LG_BOX_XYXY, LG_IOU_LINEAR, NULL), LG_E_SHAPE,
                 "iou: pred [2, 3] has rows of 3, but at least 4 are needed");
    assert_fails(lg_giou(tape, wide, wide, LG_BOX_XYXY, NULL), LG_E_SHAPE,
                 "giou: pred [2, 5] has rows of 5, but at most 4 are possible");
    assert_fails(lg_diou(tape, pred, narrow, LG_BOX_XYXY, NULL), LG_E_SHAPE,
                 "diou: pred has shape [2, 4], target [2, 3]; [2, 4] is wanted");
    assert_fails(lg_ciou(tape, pred, inverted, LG_BOX_XYXY, NULL), LG_E_DOMAIN,
                 "ciou: target box 1 is (3, 1, 2, 4), but must be finite with x1 <= x2 and y1 <= y2");
    assert_fails(lg_iou(tape, pred, infinite, LG_BOX_XYXY, LG_IOU_LOG, NULL), LG_E_DOMAIN,
                 "iou: target box 0 is (0, 0, 1, inf), but must be finite with x1 <= x2 and y1 <= y2");
    assert_fails(lg_iou(tape, pred, nan, LG_BOX_XYXY, LG_IOU_LINEAR, NULL), LG_E_DOMAIN,
                 "iou: target box 1 is (nan, 0, 1, 1), but must be finite with x1 <= x2 and y1 <= y2");
    assert_fails(lg_giou(tape, pred, centres, LG_BOX_CXCYWH, NULL), LG_E_DOMAIN,
                 "giou: target box 1 is (3, 1, -2, 4), but must be finite with sides >= 0 (cx, cy, w, h)");
    assert_fails(lg_iou(tape, pred, pred, (lg_box_format)2, LG_IOU_LINEAR, NULL), LG_E_PARAM,
                 "iou: format must be one of xyxy|cxcywh");
    assert_fails(lg_iou(tape, pred, pred, LG_BOX_XYXY, (lg_iou_form)7, NULL), LG_E_PARAM,
                 "iou: form must be one of linear|log");
    assert_fails(lg_giou(tape, pred, pred, LG_BOX_XYXY, &(lg_loss_options){ .eps = 0.5 }), LG_E_PARAM,
                 "giou: eps is 0.5, but must be in (0, 0.5)");
    assert_fails(lg_giou(tape, pred, pred, LG_BOX_XYXY, &(lg_loss_options){ .from_logits = true }), LG_E_PARAM,
                 "giou: the option from_logits does not apply here");
    assert_fails(lg_diou(tape, pred, NULL, LG_BOX_XYXY, NULL), LG_E_PARAM, "diou: target is NULL");
    /* unchecked, the same targets are computed with: an inverted one is empty, NaN stays NaN */
    const lg_loss_options unchecked = { .unchecked = true, .reduction = LG_REDUCE_NONE };
    lg_tensor *loss = lg_iou(tape, pred, inverted, LG_BOX_XYXY, LG_IOU_LINEAR, &unchecked);
    ck_assert_msg(loss != NULL, "%s", lg_error());
    ck_assert((double)lg_tensor_data(loss)[1] == 1);
    loss = lg_ciou(tape, pred, nan, LG_BOX_XYXY, &unchecked);
    ck_assert_msg(loss != NULL, "%s", lg_error());
    ck_assert(!isnan((double)lg_tensor_data(loss)[0]) && isnan((double)lg_tensor_data(loss)[1]));
}
END_TEST

Suite *losses_boxes_suite(void)
{
    Suite *suite = suite_create("losses_boxes");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, box_losses_equal_torchvision_s_formulas_in_every_reduction, 0,
                        (int)COUNT(boxes_references));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, worked_examples_have_their_values);
    tcase_add_test(cases, alpha_of_ciou_is_constant_in_the_derivative);
    tcase_add_test(cases, a_common_edge_gives_each_box_half_of_its_slope);
    tcase_add_test(cases, a_perfect_box_is_not_pushed_away);
    tcase_add_test(cases, distant_boxes_attract_except_under_iou);
    tcase_add_test(cases, empty_boxes_have_finite_losses_and_slopes);
    tcase_add_test(cases, a_negative_side_counts_as_0_and_passes_no_slope);
    tcase_add_test(cases, squares_of_large_sides_do_not_overflow);
    tcase_add_test(cases, box_losses_ignore_translation_and_scale);
    tcase_add_test(cases, exchanging_the_boxes_exchanges_their_slopes);
    tcase_add_test(cases, wrong_calls_say_what_would_be_right);
    suite_add_tcase(suite, cases);
    return suite;
}

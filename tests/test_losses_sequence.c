/* Connectionist temporal classification: against PyTorch, against all paths, at its edges. Values of PyTorch are made by
 * tests/reference/losses_sequence.py. */
#include "losses/sequence.h"
#include "tensor/threads.h"

#include "fail_alloc.h"
#include "loss_trial.h"
#include "reference/losses_sequence.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Double: rounding of the two implementations. Float: 1e-5 of the value, 1e-6 of what the sums are made of. */
static const double relative = LG_REAL_BITS == 64 ? 1e-10 : 1e-5;
static const double absolute = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;

/* Indices to be filled in. */
static lg_tensor *blank_indices(size_t rank, const size_t *dims)
{
    static const int32_t zeros[256] = { 0 };
    size_t size = 1;
    for (size_t i = 0; i < rank; i++)
        size *= dims[i];
    ck_assert_uint_le(size, 256);
    return lg_tensor_from_indices(rank, dims, zeros);
}

/* ----------------------------------------------------------------- PyTorch */

static void assert_close(const struct reference_ctc *row, const char *what, size_t i, double got, double want)
{
    const bool same = got == want || fabs(got - want) <= absolute + relative * fabs(want);
    ck_assert_msg(same, "%s, %s: %s[%zu] is %.17g, PyTorch has %.17g", row->loss, row->what, what, i, got, want);
}

static lg_tensor *tensor_of(size_t rank, const size_t *dims, const double *values)
{
    lg_tensor *tensor = lg_tensor_zeros(rank, dims);
    for (size_t i = 0; i < lg_tensor_size(tensor); i++)
        lg_tensor_data(tensor)[i] = (lg_real)values[i];
    return tensor;
}

static lg_tensor *lengths_of(size_t samples, const int32_t *lengths)
{
    return lengths ? lg_tensor_from_indices(LG_SHAPE(samples), lengths) : NULL;
}

static void check_reduction(const struct reference_ctc *row, lg_reduction reduction, const char *name,
                            const double *values, const double *gradient)
{
    lg_tensor *pred = tensor_of(row->rank, row->dims, row->pred);
    lg_tensor *target = lg_tensor_from_indices(row->target_rank, row->target_dims, row->target);
    lg_tensor *input_lengths = lengths_of(row->samples, row->input_lengths);
    lg_tensor *target_lengths = lengths_of(row->samples, row->target_lengths);
    lg_tensor *weight = row->sample_weight ? tensor_of(LG_SHAPE(row->samples), row->sample_weight) : NULL;
    lg_tensor *upstream = tensor_of(LG_SHAPE(row->samples), row->upstream);
    lg_tape *tape = lg_tape_new();
    lg_tensor_require_grad(pred, true);
    const lg_loss_options options = { .reduction = reduction, .sample_weight = weight, .eps = row->eps };
    lg_tensor *loss = strcmp(row->loss, "ctc") == 0
                          ? lg_ctc(tape, pred, target, input_lengths, target_lengths, row->input, row->blank,
                                   row->zero_infinity, row->time_major, &options)
                          : lg_ctc_simplified(tape, pred, target, input_lengths, target_lengths, row->time_major, &options);
    ck_assert_msg(loss != NULL, "%s, %s: %s", row->loss, row->what, lg_error());
    const bool none = reduction == LG_REDUCE_NONE;
    ck_assert_uint_eq(lg_tensor_size(loss), none ? row->samples : 1);
    for (size_t i = 0; i < lg_tensor_size(loss); i++)
        assert_close(row, name, i, (double)lg_tensor_data(loss)[i], values[i]);
    ck_assert_int_eq(none ? lg_backward_from(tape, loss, upstream) : lg_backward(tape, loss), LG_OK);
    for (size_t i = 0; i < lg_tensor_size(pred); i++)
        assert_close(row, name, i, (double)lg_tensor_grad(pred)[i], gradient[i]);
    lg_tape_free(tape);
    lg_tensor *all[] = { pred, target, input_lengths, target_lengths, weight, upstream };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        lg_tensor_free(all[i]);
}

START_TEST(values_and_gradients_equal_pytorch_in_every_reduction)
{
    const struct reference_ctc *row = &reference_ctc[_i];
    check_reduction(row, LG_REDUCE_NONE, "none", row->none, row->none_gradient);
    check_reduction(row, LG_REDUCE_MEAN, "mean", &row->mean, row->mean_gradient);
    check_reduction(row, LG_REDUCE_SUM, "sum", &row->sum, row->sum_gradient);
    if (strcmp(row->loss, "ctc") == 0)
        check_reduction(row, LG_REDUCE_MEAN_PER_LABEL, "mean per label", &row->mean_per_label,
                        row->mean_per_label_gradient);
}
END_TEST

/* --------------------------------------------------------------- all paths */

/* One sample on a tape of its own: value, and gradient into `gradient` if not NULL. */
static double ctc_of(size_t frames, size_t classes, const lg_real *pred, size_t labels, const int32_t *label,
                     lg_ctc_input input, size_t blank, double *gradient)
{
    lg_tape *tape = lg_tape_new();
    lg_tensor *x = lg_variable(tape, LG_SHAPE(1, frames, classes), pred);
    lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(1, labels), label);
    lg_tensor *length = lg_tensor_from_indices(LG_SHAPE(1), (const int32_t[]){ (int32_t)labels });
    lg_tensor *loss = lg_ctc(tape, x, target, NULL, length, input, blank, false, false, NULL);
    ck_assert_msg(loss != NULL, "%s", lg_error());
    const double value = lg_tensor_item(loss);
    if (gradient) {
        ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
        for (size_t i = 0; i < frames * classes; i++)
            gradient[i] = (double)lg_tensor_grad(x)[i];
    }
    lg_tensor_free(target);
    lg_tensor_free(length);
    lg_tape_free(tape);
    return value;
}

enum { MOST_FRAMES = 5, MOST_CLASSES = 4 };

/* Whether a path spells the labels: repeats merged, then blanks removed. */
static bool spells(size_t frames, const size_t *path, size_t labels, const int32_t *label, size_t blank)
{
    size_t found = 0;
    for (size_t t = 0; t < frames; t++) {
        if (path[t] == blank || (t > 0 && path[t] == path[t - 1]))
            continue;
        if (found == labels || path[t] != (size_t)label[found])
            return false;
        found++;
    }
    return found == labels;
}

/* P and its derivative by every probability, summed over all V^T paths. */
static double all_paths(size_t frames, size_t classes, const double *y, size_t labels, const int32_t *label, size_t blank,
                        double *occupancy)
{
    size_t path[MOST_FRAMES] = { 0 }, count = 1;
    double p = 0;
    memset(occupancy, 0, frames * classes * sizeof *occupancy);
    for (size_t t = 0; t < frames; t++)
        count *= classes;
    for (size_t i = 0; i < count; i++) {
        double product = 1;
        for (size_t t = 0, rest = i; t < frames; t++, rest /= classes) {
            path[t] = rest % classes;
            product *= y[t * classes + path[t]];
        }
        if (!spells(frames, path, labels, label, blank))
            continue;
        p += product;
        for (size_t t = 0; t < frames; t++)
            occupancy[t * classes + path[t]] += product;
    }
    return p;
}

static void softmax(size_t classes, const lg_real *z, double *y)
{
    double sum = 0;
    for (size_t k = 0; k < classes; k++)
        sum += y[k] = exp((double)z[k]);
    for (size_t k = 0; k < classes; k++)
        y[k] /= sum;
}

/* Every sequence of up to `frames` labels, for T = 1 .. 5 and V = 2 .. 4, logits of all sizes. */
START_TEST(loss_and_gradient_are_those_of_all_paths_summed_one_by_one)
{
    const size_t frames = (size_t)_i % MOST_FRAMES + 1, classes = (size_t)_i / MOST_FRAMES + 2;
    lg_rng rng = lg_rng_seed((uint64_t)_i);
    size_t possible = 0, sequences = 1;
    for (size_t labels = 0; labels <= frames; labels++, sequences *= classes - 1) {
        for (size_t s = 0; s < sequences; s++) {
            const size_t blank = s % classes;
            int32_t label[MOST_FRAMES];
            lg_real z[MOST_FRAMES * MOST_CLASSES];
            double y[MOST_FRAMES * MOST_CLASSES], occupancy[MOST_FRAMES * MOST_CLASSES], got[MOST_FRAMES * MOST_CLASSES];
            for (size_t u = 0, rest = s; u < labels; u++, rest /= classes - 1) {
                const size_t k = rest % (classes - 1);
                label[u] = (int32_t)(k < blank ? k : k + 1);
            }
            for (size_t i = 0; i < frames * classes; i++)
                z[i] = (lg_real)(2 * lg_rng_normal(&rng));
            for (size_t t = 0; t < frames; t++)
                softmax(classes, z + t * classes, y + t * classes);
            const double p = all_paths(frames, classes, y, labels, label, blank, occupancy);
            const double loss = ctc_of(frames, classes, z, labels, label, LG_CTC_LOGITS, blank, got);
            if (p == 0) {
                ck_assert_msg(loss == INFINITY, "%zu labels in %zu frames: %g", labels, frames, loss);
                for (size_t i = 0; i < frames * classes; i++)
                    ck_assert(got[i] == 0);
                continue;
            }
            possible++;
            ck_assert_msg(fabs(loss + log(p)) <= absolute + relative * fabs(log(p)), "%zu labels in %zu frames: %.15g, not %.15g",
                          labels, frames, loss, -log(p));
            for (size_t i = 0; i < frames * classes; i++)
                ck_assert_msg(fabs(got[i] - (y[i] - occupancy[i] / p)) <= 2 * absolute, "gradient[%zu] is %.15g, not %.15g",
                              i, got[i], y[i] - occupancy[i] / p);
        }
    }
    ck_assert_uint_ge(possible, frames + 1 > 2 ? 2 : frames + 1);
}
END_TEST

/* ------------------------------------------------------------ closed forms */

/* Uniform frames: loss = T ln V - ln C(T + U - R, T - U + R), R adjacent equal labels. */
static double uniform_loss(size_t frames, size_t classes, size_t labels, size_t repeats)
{
    const double n = (double)(frames + labels - repeats), k = (double)(frames - labels - repeats);
    return (double)frames * log((double)classes) - (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1));
}

START_TEST(uniform_frames_give_the_binomial_closed_form)
{
    static const struct {
        size_t frames, classes, labels;
        int32_t label[5];
        size_t repeats;
        double value; /* to the sixth digit */
    } cases[] = { { 10, 20, 5, { 1, 2, 3, 4, 5 }, 0, 21.949956 }, { 4, 20, 2, { 1, 2 }, 0, 9.274879 },
                  { 7, 20, 3, { 1, 1, 2 }, 1, 16.539309 },        { 6, 20, 3, { 1, 1, 1 }, 2, 16.028483 },
                  { 5, 20, 4, { 1, 2, 3, 4 }, 0, 12.781437 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lg_real z[10 * 20] = { 0 };
        double g[10 * 20];
        const double loss = ctc_of(cases[i].frames, cases[i].classes, z, cases[i].labels, cases[i].label, LG_CTC_LOGITS, 0, g);
        ck_assert_double_eq_tol(loss, cases[i].value, 3e-6);
        ck_assert_double_eq_tol(
            loss, uniform_loss(cases[i].frames, cases[i].classes, cases[i].labels, cases[i].repeats), relative * loss);
    }
}
END_TEST

/* P far below what a double holds: 1000 frames of 64 classes, e^-3300; and where states vanish beside their row's sum. */
START_TEST(long_sequences_do_not_underflow)
{
    static const size_t lengths[][2] = { { 150, 20 }, { 300, 40 }, { 1000, 10 }, { 1000, 300 }, { 1200, 1100 } };
    enum { CLASSES = 64 };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const size_t frames = lengths[i][0], labels = lengths[i][1];
        lg_real *z = calloc(frames * CLASSES, sizeof *z);
        double *g = malloc(frames * CLASSES * sizeof *g);
        int32_t *label = malloc(labels * sizeof *label);
        for (size_t u = 0; u < labels; u++)
            label[u] = (int32_t)(1 + u * 7 % (CLASSES - 1));
        const double loss = ctc_of(frames, CLASSES, z, labels, label, LG_CTC_LOGITS, 0, g);
        const double want = uniform_loss(frames, CLASSES, labels, 0);
        ck_assert_msg(fabs(loss - want) <= relative * want, "%zu frames, %zu labels: %.15g, not %.15g", frames, labels, loss,
                      want);
        for (size_t t = 0; t < frames; t++) {
            double sum = 0;
            for (size_t k = 0; k < CLASSES; k++)
                sum += g[t * CLASSES + k];
            ck_assert_msg(fabs(sum) < 10 * absolute, "%zu frames, %zu labels: the gradient of frame %zu sums to %g", frames,
                          labels, t, sum);
        }
        free(z);
        free(g);
        free(label);
    }
}
END_TEST

/* With as many frames as labels and none repeated there is one path: the summed cross-entropy of its frames. */
START_TEST(as_many_frames_as_labels_is_the_summed_cross_entropy)
{
    enum { T = 6, V = 7 };
    lg_rng rng = lg_rng_seed(5);
    lg_real z[T * V];
    double g[T * V], y[V], want = 0;
    const int32_t label[T] = { 1, 4, 2, 6, 5, 3 };
    for (size_t i = 0; i < T * V; i++)
        z[i] = (lg_real)(3 * lg_rng_normal(&rng));
    const double loss = ctc_of(T, V, z, T, label, LG_CTC_LOGITS, 0, g);
    for (size_t t = 0; t < T; t++) {
        softmax(V, z + t * V, y);
        want -= log(y[label[t]]);
        for (size_t k = 0; k < V; k++)
            ck_assert_double_eq_tol(g[t * V + k], y[k] - ((int32_t)k == label[t]), absolute);
    }
    ck_assert_double_eq_tol(loss, want, relative * want);
}
END_TEST

START_TEST(worked_examples_have_their_values)
{
    const lg_real p[] = { (lg_real)0.6, (lg_real)0.4, (lg_real)0.6, (lg_real)0.4 };
    const lg_real z[] = { (lg_real)log(0.6), (lg_real)log(0.4), (lg_real)log(0.6), (lg_real)log(0.4) };
    double g[4];
    ck_assert_double_eq_tol(ctc_of(2, 2, z, 1, (const int32_t[]){ 1 }, LG_CTC_LOGITS, 0, g), -log(0.64), 1e-6);
    for (size_t t = 0; t < 2; t++) {
        ck_assert_double_eq_tol(g[2 * t], 0.225, 1e-6);
        ck_assert_double_eq_tol(g[2 * t + 1], -0.225, 1e-6);
    }
    ck_assert_double_eq_tol(ctc_of(2, 2, p, 1, (const int32_t[]){ 1 }, LG_CTC_PROBS, 0, g), 0.446287, 1e-6);
    ck_assert(ctc_of(2, 2, z, 2, (const int32_t[]){ 1, 1 }, LG_CTC_LOGITS, 0, g) == INFINITY);
    for (size_t i = 0; i < 4; i++)
        ck_assert(g[i] == 0);
}
END_TEST

/* Uniform rows without blanks: T ln V - ln C(T - 1, U - 1). */
START_TEST(the_simplified_recursion_has_its_closed_form)
{
    static const size_t sizes[][3] = { { 10, 20, 5 }, { 4, 3, 4 }, { 6, 5, 1 }, { 800, 40, 100 } };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t frames = sizes[i][0], classes = sizes[i][1], labels = sizes[i][2];
        lg_tensor *pred = lg_tensor_full(LG_SHAPE(1, frames, classes), 1 / (double)classes);
        lg_tensor *target = blank_indices(LG_SHAPE(1, labels));
        lg_tape *tape = lg_tape_new();
        for (size_t u = 0; u < labels; u++)
            lg_tensor_indices(target)[u] = (int32_t)(u % classes);
        lg_tensor *loss = lg_ctc_simplified(tape, pred, target, NULL, NULL, false, NULL);
        ck_assert_msg(loss != NULL, "%s", lg_error());
        const double choices = lgamma((double)frames) - lgamma((double)labels) - lgamma((double)(frames - labels + 1));
        const double want = (double)frames * log((double)classes) - choices;
        ck_assert_msg(fabs(lg_tensor_item(loss) - want) <= relative * want, "%.15g, not %.15g", lg_tensor_item(loss), want);
        if (i == 0)
            ck_assert_double_eq_tol(want, 25.121041, 1e-6);
        lg_tape_free(tape);
        lg_tensor_free(pred);
        lg_tensor_free(target);
    }
}
END_TEST

/* ------------------------------------------------------------------- edges */

static lg_tensor *indices(size_t n, const int32_t *values)
{
    return lg_tensor_from_indices(LG_SHAPE(n), values);
}

START_TEST(adding_a_constant_to_the_logits_of_a_frame_changes_nothing)
{
    enum { T = 7, V = 5 };
    lg_rng rng = lg_rng_seed(9);
    lg_real z[T * V], shifted[T * V];
    double g[T * V], h[T * V];
    const int32_t label[] = { 1, 3, 3, 2 };
    for (size_t i = 0; i < T * V; i++) {
        z[i] = (lg_real)ldexp(rint(ldexp(lg_rng_normal(&rng), 6)), -6);
        shifted[i] = z[i] + (lg_real)(i / V) * 8 - 24; /* exact: sixteenths of small numbers */
    }
    const double loss = ctc_of(T, V, z, 4, label, LG_CTC_LOGITS, 0, g);
    ck_assert(loss == ctc_of(T, V, shifted, 4, label, LG_CTC_LOGITS, 0, h));
    ck_assert(memcmp(g, h, sizeof g) == 0);
    for (size_t t = 0; t < T; t++) {
        double sum = 0;
        for (size_t k = 0; k < V; k++)
            sum += g[t * V + k];
        ck_assert_double_eq_tol(sum, 0, absolute);
    }
}
END_TEST

/* An impossible sample costs infinity, or nothing with zero_infinity; its gradient is 0 both times and the others' is
 * not touched (PyTorch: NaN without zero_infinity). */
START_TEST(an_impossible_sample_has_no_gradient_with_and_without_zero_infinity)
{
    lg_rng rng = lg_rng_seed(3);
    lg_tensor *pred = lg_tensor_normal(LG_SHAPE(2, 3, 4), 0, 1, &rng);
    lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(2, 2), (const int32_t[]){ 1, 1, 2, 3 });
    lg_tensor *lengths = indices(2, (const int32_t[]){ 2, 3 });
    lg_tensor *ones = lg_tensor_full(LG_SHAPE(2), 1);
    lg_tape *tape = lg_tape_new();
    lg_tensor_require_grad(pred, true);
    for (int zero_infinity = 0; zero_infinity < 2; zero_infinity++) {
        lg_tape_reset(tape);
        lg_tensor_zero_grad(pred);
        lg_tensor *loss = lg_ctc(tape, pred, target, lengths, NULL, LG_CTC_LOGITS, 0, zero_infinity, false,
                                 &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
        ck_assert_msg(loss != NULL, "%s", lg_error());
        ck_assert((double)lg_tensor_data(loss)[0] == (zero_infinity ? 0 : INFINITY));
        ck_assert(lg_tensor_data(loss)[1] > 0 && isfinite((double)lg_tensor_data(loss)[1]));
        ck_assert_int_eq(lg_backward_from(tape, loss, ones), LG_OK);
        double others = 0;
        for (size_t i = 0; i < 12; i++) {
            ck_assert(lg_tensor_grad(pred)[i] == 0);
            others += fabs((double)lg_tensor_grad(pred)[12 + i]);
        }
        ck_assert(others > 0.1 && isfinite(others));
    }
    lg_tape_free(tape);
    lg_tensor *all[] = { pred, target, lengths, ones };
    for (size_t i = 0; i < 4; i++)
        lg_tensor_free(all[i]);
}
END_TEST

/* Frames beyond a sample's length may hold anything, NaN included; within it NaN makes that sample NaN. */
START_TEST(only_frames_within_the_length_count)
{
    lg_rng rng = lg_rng_seed(4);
    lg_tensor *pred = lg_tensor_normal(LG_SHAPE(2, 4, 3), 0, 1, &rng);
    lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(2, 1), (const int32_t[]){ 1, 2 });
    lg_tensor *lengths = indices(2, (const int32_t[]){ 3, 4 }), *ones = lg_tensor_full(LG_SHAPE(2), 1);
    lg_tape *tape = lg_tape_new();
    lg_tensor_require_grad(pred, true);
    for (size_t k = 0; k < 3; k++)
        lg_tensor_data(pred)[3 * 3 + k] = (lg_real)NAN;
    const lg_loss_options none = { .reduction = LG_REDUCE_NONE };
    lg_tensor *loss = lg_ctc(tape, pred, target, lengths, NULL, LG_CTC_LOGITS, 0, false, false, &none);
    ck_assert(isfinite((double)lg_tensor_data(loss)[0]) && isfinite((double)lg_tensor_data(loss)[1]));
    ck_assert_int_eq(lg_backward_from(tape, loss, ones), LG_OK);
    for (size_t i = 0; i < 24; i++)
        ck_assert(i >= 9 && i < 12 ? lg_tensor_grad(pred)[i] == 0 : (bool)isfinite((double)lg_tensor_grad(pred)[i]));
    for (lg_ctc_input input = LG_CTC_LOGITS; input <= LG_CTC_LOG_PROBS; input++) {
        lg_tape_reset(tape);
        lg_tensor_zero_grad(pred);
        lg_tensor_data(pred)[2] = (lg_real)NAN; /* of a class that is no label */
        loss = lg_ctc(tape, pred, target, lengths, NULL, input, 0, false, false, &none);
        ck_assert(isnan((double)lg_tensor_data(loss)[0]) && isfinite((double)lg_tensor_data(loss)[1]));
        ck_assert_int_eq(lg_backward_from(tape, loss, ones), LG_OK);
        for (size_t i = 0; i < 24; i++)
            ck_assert(i < 9 ? (bool)isnan((double)lg_tensor_grad(pred)[i]) : (bool)isfinite((double)lg_tensor_grad(pred)[i]));
    }
    lg_tape_free(tape);
    lg_tensor *all[] = { pred, target, lengths, ones };
    for (size_t i = 0; i < 4; i++)
        lg_tensor_free(all[i]);
}
END_TEST

/* A class that is ruled out (-infinity) costs nothing off the labels, and makes its labels impossible. */
START_TEST(a_logit_of_minus_infinity_rules_a_class_out)
{
    const lg_real ruled_out = -(lg_real)INFINITY, z[] = { 1, 2, ruled_out, 0, 1, ruled_out };
    double g[6];
    const double with = ctc_of(2, 3, z, 1, (const int32_t[]){ 1 }, LG_CTC_LOGITS, 0, g);
    const double without = ctc_of(2, 2, (const lg_real[]){ 1, 2, 0, 1 }, 1, (const int32_t[]){ 1 }, LG_CTC_LOGITS, 0, NULL);
    ck_assert_double_eq_tol(with, without, absolute);
    ck_assert(g[2] == 0 && g[5] == 0);
    ck_assert(ctc_of(2, 3, z, 1, (const int32_t[]){ 2 }, LG_CTC_LOGITS, 0, g) == INFINITY);
    for (size_t i = 0; i < 6; i++)
        ck_assert(g[i] == 0);
}
END_TEST

/* Paths that are worth e^-1160 of their row's sum until a late frame rules all others out must not be lost. */
START_TEST(a_late_frame_can_rule_out_all_but_the_least_likely_paths)
{
    enum { T = 60, V = 3 };
    const double gap = 40; /* in 58 frames blank is e^40 times likelier than label 1, then it is impossible */
    lg_real z[T * V];
    int32_t label[30];
    double g[T * V];
    for (size_t t = 0; t < T; t++) {
        z[t * V] = t < 58 ? 0 : -(lg_real)INFINITY;
        z[t * V + 1] = t < 58 ? (lg_real)-gap : 0;
        z[t * V + 2] = t < 58 ? (lg_real)-gap : (lg_real)-1000;
    }
    for (size_t u = 0; u < 30; u++)
        label[u] = u % 2 == 0 ? 2 : 1;
    /* The last two frames leave only label 1, the last of 30. Before them 29 labels cost e^-40 a frame: the paths that
     * spend one frame on each dominate, C(58, 29) of them. */
    const double loss = ctc_of(T, V, z, 30, label, LG_CTC_LOGITS, 0, g);
    const double dominant = 29 * gap - (lgamma(59) - 2 * lgamma(30));
    ck_assert_msg(fabs(loss - dominant) < 1e-6 * dominant, "%.10g, not %.10g", loss, dominant);
    for (size_t t = 0; t < T; t++)
        ck_assert_double_eq_tol(g[t * V] + g[t * V + 1] + g[t * V + 2], 0, 1e-6);
}
END_TEST

START_TEST(an_empty_batch_costs_nothing)
{
    lg_tensor *pred = lg_tensor_zeros(LG_SHAPE(0, 4, 3)), *target = lg_tensor_zeros(LG_SHAPE(0, 2));
    lg_tensor *labels = lg_tensor_from_indices(LG_SHAPE(0, 2), NULL);
    lg_tape *tape = lg_tape_new();
    lg_tensor_require_grad(pred, true);
    lg_tensor *mean = lg_ctc(tape, pred, labels, NULL, NULL, LG_CTC_LOGITS, 0, false, false, NULL);
    ck_assert_msg(mean && lg_tensor_item(mean) == 0, "%s", lg_error());
    ck_assert_int_eq(lg_backward(tape, mean), LG_OK);
    lg_tensor *none = lg_ctc_simplified(tape, pred, labels, NULL, NULL, false,
                                        &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    ck_assert_msg(none && lg_tensor_size(none) == 0, "%s", lg_error());
    lg_tape_free(tape);
    lg_tensor_free(pred);
    lg_tensor_free(target);
    lg_tensor_free(labels);
}
END_TEST

/* ----------------------------------------------------------------- threads */

/* Twelve samples of several lengths; one is impossible, one has a NaN, one needs logarithms. Loss and gradient go to
 * `result`, 12 + 12 x 60 x 8 values. */
enum { SAMPLES = 12, FRAMES = 60, CLASSES = 8, RESULTS = SAMPLES + SAMPLES * FRAMES * CLASSES };

static void compute_batch(size_t threads, lg_real *result)
{
    lg_rng rng = lg_rng_seed(8);
    lg_tensor *pred = lg_tensor_normal(LG_SHAPE(SAMPLES, FRAMES, CLASSES), 0, 2, &rng);
    int32_t labels[SAMPLES * 30], frames[SAMPLES], counts[SAMPLES];
    lg_real up[SAMPLES];
    for (size_t i = 0; i < SAMPLES * 30; i++)
        labels[i] = (int32_t)(1 + lg_rng_below(&rng, CLASSES - 1));
    for (size_t n = 0; n < SAMPLES; n++) {
        frames[n] = (int32_t)(FRAMES - 3 * n);
        counts[n] = n == 3 ? 30 : (int32_t)n;
        up[n] = (lg_real)(0.1 + (double)n);
    }
    frames[3] = 20;
    lg_real *z = lg_tensor_data(pred);
    z[5 * FRAMES * CLASSES + 7] = (lg_real)NAN;
    for (size_t t = 0; t < 16; t++) /* of sample 9: label classes are ruled out but in the last frames */
        for (size_t k = 1; k < CLASSES; k++)
            z[(9 * FRAMES + t) * CLASSES + k] = -500;
    lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(SAMPLES, 30), labels), *lengths = indices(SAMPLES, frames);
    lg_tensor *sizes = indices(SAMPLES, counts), *upstream = lg_tensor_from(LG_SHAPE(SAMPLES), up);
    lg_tape *tape = lg_tape_new();
    lg_tensor_require_grad(pred, true);
    ck_assert_int_eq(lg_set_num_threads(threads), LG_OK);
    lg_tensor *loss = lg_ctc(tape, pred, target, lengths, sizes, LG_CTC_LOGITS, 0, false, false,
                             &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    ck_assert_msg(loss != NULL, "%s", lg_error());
    ck_assert_int_eq(lg_set_num_threads(threads == 4 ? 1 : threads), LG_OK); /* may change in between */
    ck_assert_int_eq(lg_backward_from(tape, loss, upstream), LG_OK);
    lg_set_num_threads(0);
    memcpy(result, lg_tensor_data(loss), SAMPLES * sizeof *result);
    memcpy(result + SAMPLES, lg_tensor_grad(pred), (RESULTS - SAMPLES) * sizeof *result);
    lg_tape_free(tape);
    lg_tensor *all[] = { pred, target, lengths, sizes, upstream };
    for (size_t i = 0; i < 5; i++)
        lg_tensor_free(all[i]);
}

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    static lg_real alone[RESULTS], divided[RESULTS];
    compute_batch(1, alone);
    ck_assert(isinf((double)alone[3]) && isnan((double)alone[5]));
    ck_assert(isfinite((double)alone[9]) && alone[11] > 1);
    for (size_t threads = 2; threads <= 4; threads += 2) {
        for (size_t repeat = 0; repeat < 10; repeat++) {
            memset(divided, 0, sizeof divided);
            compute_batch(threads, divided);
            ck_assert_msg(memcmp(alone, divided, sizeof alone) == 0, "%zu threads", threads);
        }
    }
}
END_TEST

START_TEST(a_steady_step_on_several_threads_allocates_nothing)
{
    lg_rng rng = lg_rng_seed(2);
    lg_tensor *pred = lg_tensor_normal(LG_SHAPE(12, 40, 6), 0, 1, &rng);
    lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(12, 3), (const int32_t[36]){ 1, 2, 3, 4, 5, 1, 2, 2, 2 });
    lg_tape *tape = lg_tape_new();
    lg_tensor_require_grad(pred, true);
    lg_set_num_threads(3);
    lg_status status = LG_OK;
    for (int step = 0; step < 12; step++) {
        if (step == 4) /* the tape has its memory and the team its threads */
            fail_alloc_at(0);
        lg_tape_reset(tape);
        if (status == LG_OK)
            status = lg_backward(tape, lg_ctc(tape, pred, target, NULL, NULL, LG_CTC_LOGITS, 0, false, false, NULL));
    }
    fail_alloc_off();
    lg_set_num_threads(0);
    ck_assert_msg(status == LG_OK, "%s", lg_error());
    ck_assert_uint_eq(fail_alloc_count(), 0);
    lg_tape_free(tape);
    lg_tensor_free(pred);
    lg_tensor_free(target);
}
END_TEST

/* Long samples of ordinary logits, whose probability is e^-3000 and less: against the same in logarithms, which is what
 * log probabilities that sum to more than 1 are computed in: adding c to each adds T c to log P. Float
 * rounds the logarithms themselves, by 1e-7 and more each; over 900 frames that moves posteriors by up to 1e-4. */
START_TEST(long_samples_equal_the_sum_in_logarithms)
{
    enum { T = 900, V = 30, U = 200 };
    lg_rng rng = lg_rng_seed(12);
    lg_real *z = calloc(T * V, sizeof *z), *log_y = calloc(T * V, sizeof *log_y);
    double *g = calloc(T * V, sizeof *g), *h = calloc(T * V, sizeof *h);
    int32_t label[U];
    for (size_t u = 0; u < U; u++)
        label[u] = (int32_t)(1 + lg_rng_below(&rng, V - 1));
    for (size_t t = 0; t < T; t++) {
        double y[V];
        for (size_t k = 0; k < V; k++)
            z[t * V + k] = (lg_real)(2 * lg_rng_normal(&rng));
        softmax(V, z + t * V, y);
        for (size_t k = 0; k < V; k++)
            log_y[t * V + k] = (lg_real)(log(y[k]) + 1);
    }
    const double loss = ctc_of(T, V, z, U, label, LG_CTC_LOGITS, 0, g);
    const double want = ctc_of(T, V, log_y, U, label, LG_CTC_LOG_PROBS, 0, h) + T;
    ck_assert_msg(want > 1000 && fabs(loss - want) <= relative * want, "%.15g, not %.15g", loss, want);
    for (size_t t = 0; t < T; t++) {
        double y[V];
        softmax(V, z + t * V, y);
        for (size_t k = 0; k < V; k++)
            ck_assert_double_eq_tol(g[t * V + k], y[k] + h[t * V + k], LG_REAL_BITS == 64 ? 1e-10 : 2e-4);
    }
    free(z), free(log_y), free(g), free(h);
}
END_TEST

/* ------------------------------------------------------------------ errors */

static void refuses(lg_tensor *loss, lg_status status, const char *message)
{
    ck_assert_ptr_null(loss);
    ck_assert_str_eq(lg_error(), message);
    ck_assert_int_eq(lg_error_code(), status);
    lg_error_clear();
}

START_TEST(wrong_calls_are_explained)
{
    lg_tensor *pred = lg_tensor_zeros(LG_SHAPE(2, 3, 4)), *flat = lg_tensor_zeros(LG_SHAPE(2, 3));
    lg_tensor *target = lg_tensor_from_indices(LG_SHAPE(2, 2), (const int32_t[]){ 1, 2, 3, 5 });
    lg_tensor *with_blank = lg_tensor_from_indices(LG_SHAPE(2, 2), (const int32_t[]){ 1, 2, 3, 0 });
    lg_tensor *row = indices(4, (const int32_t[]){ 1, 2, 3, 1 }), *three = indices(3, (const int32_t[]){ 1, 1, 1 });
    lg_tensor *two = indices(2, (const int32_t[]){ 2, 2 }), *four = indices(2, (const int32_t[]){ 1, 4 });
    lg_tensor *minus = indices(2, (const int32_t[]){ -1, 1 }), *one_three = indices(2, (const int32_t[]){ 1, 2 });
    lg_tensor *padding = lg_tensor_from_indices(LG_SHAPE(2, 2), (const int32_t[]){ 1, 2, -1, -1 });
    lg_tape *tape = lg_tape_new();
#define CTC(pred, target, input_lengths, target_lengths, input, blank) \
    lg_ctc(tape, pred, target, input_lengths, target_lengths, input, blank, false, false, NULL)
    refuses(CTC(flat, target, NULL, NULL, LG_CTC_LOGITS, 0), LG_E_SHAPE,
            "ctc: pred is [2, 3], but must be [samples, frames, classes] with at least one class");
    refuses(CTC(pred, target, NULL, NULL, LG_CTC_LOGITS, 0), LG_E_INDEX,
            "ctc: target[3], label 1 of sample 1, is 5, but there are 4 classes (0..3)");
    refuses(CTC(pred, with_blank, NULL, two, LG_CTC_LOGITS, 0), LG_E_INDEX,
            "ctc: target[3], label 1 of sample 1, is 0, which is the blank");
    refuses(CTC(pred, padding, NULL, two, LG_CTC_LOGITS, 0), LG_E_INDEX,
            "ctc: target[2], label 0 of sample 1, is -1, but there are 4 classes (0..3)");
    refuses(CTC(pred, with_blank, NULL, NULL, LG_CTC_LOGITS, 4), LG_E_PARAM,
            "ctc: blank is 4, but must be one of the 4 classes (0..3)");
    refuses(CTC(pred, with_blank, four, NULL, LG_CTC_LOGITS, 0), LG_E_DOMAIN,
            "ctc: input_lengths[1] is 4, but must be in 0..3");
    refuses(CTC(pred, with_blank, minus, NULL, LG_CTC_LOGITS, 0), LG_E_DOMAIN,
            "ctc: input_lengths[0] is -1, but must be in 0..3");
    refuses(CTC(pred, with_blank, NULL, four, LG_CTC_LOGITS, 0), LG_E_DOMAIN,
            "ctc: target_lengths[1] is 4, but must be in 0..2");
    refuses(CTC(pred, with_blank, three, NULL, LG_CTC_LOGITS, 0), LG_E_SHAPE,
            "ctc: input_lengths is [3], but must be [2], one per sample");
    refuses(CTC(pred, row, NULL, NULL, LG_CTC_LOGITS, 0), LG_E_SHAPE,
            "ctc: target is [4], labels one after the other; that needs target_lengths");
    refuses(CTC(pred, row, NULL, one_three, LG_CTC_LOGITS, 0), LG_E_SHAPE,
            "ctc: target has 4 labels, but target_lengths add up to 3");
    refuses(CTC(pred, pred, NULL, NULL, LG_CTC_LOGITS, 0), LG_E_DTYPE, "ctc: target must hold int32 class indices");
    refuses(CTC(pred, with_blank, flat, NULL, LG_CTC_LOGITS, 0), LG_E_DTYPE,
            "ctc: input_lengths must hold int32 class indices");
    lg_tensor_data(pred)[5] = (lg_real)1.5;
    refuses(CTC(pred, with_blank, NULL, NULL, LG_CTC_PROBS, 0), LG_E_DOMAIN,
            "ctc: pred[5] is 1.5, but must be a probability in [0, 1]");
    refuses(lg_ctc(tape, pred, with_blank, NULL, NULL, LG_CTC_LOGITS, 0, false, true, NULL), LG_E_SHAPE,
            "ctc: target is [2, 2], but must be [3, labels], or [sum of target_lengths]");
    refuses(lg_ctc_simplified(tape, pred, with_blank, NULL, NULL, false, &(lg_loss_options){ .eps = 0.6 }), LG_E_PARAM,
            "ctc_simplified: eps is 0.6, but must be in [0, 0.5)");
    lg_tensor_data(pred)[5] = 1;
    refuses(lg_ctc_simplified(tape, pred, padding, NULL, NULL, false, NULL), LG_E_SHAPE,
            "ctc_simplified: sample 1 has no labels, but needs at least one");
    refuses(lg_ctc_simplified(tape, pred, with_blank, NULL, NULL, false,
                              &(lg_loss_options){ .reduction = LG_REDUCE_MEAN_PER_LABEL }),
            LG_E_PARAM, "ctc_simplified: the reduction mean_per_label does not apply here");
    ck_assert_uint_eq(lg_tape_length(tape), 0);
#undef CTC
    lg_tape_free(tape);
    lg_tensor *all[] = { pred, flat, target, with_blank, row, three, two, four, minus, one_three, padding };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        lg_tensor_free(all[i]);
}
END_TEST

/* ---------------------------------------------------- for the whole table */

static void fill_probabilities(lg_tensor *pred, size_t classes)
{
    lg_real *x = lg_tensor_data(pred);
    for (size_t i = 0; i < lg_tensor_size(pred); i += classes) {
        double y[8];
        softmax(classes, x + i, y);
        for (size_t k = 0; k < classes; k++)
            x[i + k] = (lg_real)(float)(0.02 + 0.9 * y[k]);
    }
}

/* Three to four samples of frames with labels that fit in them; full lengths, since a NaN is put into the last frame. */
static void build_ctc(loss_trial *trial, size_t variant, lg_rng *rng)
{
    static const size_t sizes[][4] = { { 3, 5, 4, 2 }, { 2, 7, 3, 3 }, { 4, 4, 5, 2 } }; /* samples, frames, classes, labels */
    const size_t *size = sizes[variant % 3], samples = size[0], frames = size[1], classes = size[2], labels = size[3];
    const bool simplified = strcmp(trial->spec.info->name, "ctc_simplified") == 0;
    const bool time_major = lg_loss_get(&trial->spec, "time_major") != 0;
    size_t blank = 0;
    if (!simplified)
        trial->spec.params[1] = (double)(blank = variant % classes);
    trial->count = 4;
    trial->units = trial->unit_dims[0] = samples;
    trial->unit_rank = 1;
    trial->units_are_rows = !time_major;
    trial->inputs[0] = trial_normal(3, time_major ? (const size_t[]){ frames, samples, classes }
                                                      : (const size_t[]){ samples, frames, classes }, 0, 1.5, rng);
    if (simplified || lg_loss_get(&trial->spec, "input") == LG_CTC_PROBS)
        fill_probabilities(trial->inputs[0], classes);
    lg_tensor_require_grad(trial->inputs[0], true);
    trial->inputs[1] = blank_indices(LG_SHAPE(samples, labels));
    trial->inputs[2] = blank_indices(LG_SHAPE(samples));
    trial->inputs[3] = blank_indices(LG_SHAPE(samples));
    for (size_t n = 0; n < samples; n++) {
        lg_tensor_indices(trial->inputs[2])[n] = (int32_t)frames;
        lg_tensor_indices(trial->inputs[3])[n] = (int32_t)(1 + n % labels);
        for (size_t u = 0; u < labels; u++) {
            const size_t k = lg_rng_below(rng, classes - 1);
            lg_tensor_indices(trial->inputs[1])[n * labels + u] = (int32_t)(k < blank || simplified ? k : k + 1);
        }
    }
}

const loss_builder sequence_loss_builders[] = { { "ctc", 5, build_ctc }, { "ctc_simplified", 5, build_ctc }, { 0 } };

Suite *losses_sequence_suite(void)
{
    Suite *suite = suite_create("losses_sequence");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, values_and_gradients_equal_pytorch_in_every_reduction, 0,
                        (int)(sizeof reference_ctc / sizeof reference_ctc[0]));
    tcase_add_loop_test(reference, loss_and_gradient_are_those_of_all_paths_summed_one_by_one, 0,
                        MOST_FRAMES * (MOST_CLASSES - 1));
    tcase_add_test(reference, uniform_frames_give_the_binomial_closed_form);
    tcase_add_test(reference, long_sequences_do_not_underflow);
    tcase_add_test(reference, as_many_frames_as_labels_is_the_summed_cross_entropy);
    tcase_add_test(reference, worked_examples_have_their_values);
    tcase_add_test(reference, the_simplified_recursion_has_its_closed_form);
    suite_add_tcase(suite, reference);
    TCase *edges = tcase_create("edges");
    tcase_add_test(edges, adding_a_constant_to_the_logits_of_a_frame_changes_nothing);
    tcase_add_test(edges, an_impossible_sample_has_no_gradient_with_and_without_zero_infinity);
    tcase_add_test(edges, only_frames_within_the_length_count);
    tcase_add_test(edges, a_logit_of_minus_infinity_rules_a_class_out);
    tcase_add_test(edges, a_late_frame_can_rule_out_all_but_the_least_likely_paths);
    tcase_add_test(edges, an_empty_batch_costs_nothing);
    tcase_add_test(edges, wrong_calls_are_explained);
    tcase_add_test(edges, any_number_of_threads_gives_the_same_bits);
    tcase_add_test(edges, a_steady_step_on_several_threads_allocates_nothing);
    tcase_add_test(edges, long_samples_equal_the_sum_in_logarithms);
    suite_add_tcase(suite, edges);
    return suite;
}

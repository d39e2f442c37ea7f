/* Metric losses: against PyTorch, worked examples, edges, invariances, errors. */
#include "losses/metric.h"

#include "losses/regression.h"

#include "loss_reference.h"
#include "loss_trial.h"
#include "reference/losses_metric.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const double tolerance = LG_REAL_BITS == 64 ? 1e-12 : 1e-6; /* relative, of closed forms */

static lg_tape *tape;
static lg_tensor *operands[256]; /* of the test: on the heap, so that several losses of them can be differentiated */
static size_t operand_count;

static void open_tape(void)
{
    lg_error_clear();
    tape = lg_tape_new();
}

static void close_tape(void)
{
    lg_tape_free(tape);
    while (operand_count > 0)
        lg_tensor_free(operands[--operand_count]);
}

START_TEST(metric_losses_equal_pytorch_in_every_reduction)
{
    assert_loss_reference(&metric_references[_i]);
}
END_TEST

/* -------------------------------------------------------- builder of trials */

static void build_triplet_from_distance(loss_trial *trial, size_t variant, lg_rng *rng)
{
    static const size_t ranks[] = { 1, 2, 0 }, dims[] = { 4, 3 };
    trial->unit_rank = ranks[variant % COUNT(ranks)];
    memcpy(trial->unit_dims, dims, sizeof dims);
    trial->units = 1;
    for (size_t i = 0; i < trial->unit_rank; i++)
        trial->units *= dims[i];
    trial->units_are_rows = trial->unit_rank > 0;
    trial->count = variant % 2 ? 3 : 2;
    for (size_t i = 0; i < trial->count; i++)
        trial->inputs[i] = random_input(trial->unit_rank, dims, &trial->spec.info->inputs[i], trial, 0, rng);
}

/* Rows of length 1, by themselves or against references. Finite differences leave that length, hence unchecked; the
 * derivative with detached weights is not that of the value (test_losses_circle.c has its values). */
static lg_tensor *unit_rows(size_t n, size_t width, const loss_trial *trial, lg_rng *rng)
{
    lg_tensor *x = random_input(LG_SHAPE(n, width), &trial->spec.info->inputs[0], trial, 0, rng);
    for (size_t i = 0; i < n; i++) {
        lg_real *row_i = lg_tensor_data(x) + i * width;
        double squares = 0;
        for (size_t k = 0; k < width; k++)
            squares += (double)row_i[k] * (double)row_i[k];
        for (size_t k = 0; k < width; k++)
            row_i[k] = (lg_real)((double)row_i[k] / sqrt(squares));
    }
    return x;
}

static void build_circle(loss_trial *trial, size_t variant, lg_rng *rng)
{
    const size_t n = 4 + variant % 3, references = variant % 2 ? 5 : 0;
    const lg_loss_input *inputs = trial->spec.info->inputs;
    trial->options.unchecked = true;
    ck_assert_int_eq(lg_loss_set(&trial->spec, "detach_weights=false"), LG_OK);
    trial->unit_rank = 1;
    trial->units = trial->unit_dims[0] = n;
    trial->count = references ? 4 : 2;
    trial->inputs[0] = unit_rows(n, 3, trial, rng);
    trial->inputs[1] = random_input(LG_SHAPE(n), &inputs[1], trial, 2, rng);
    if (references) {
        trial->inputs[2] = unit_rows(references, 3, trial, rng);
        trial->inputs[3] = random_input(LG_SHAPE(references), &inputs[3], trial, 2, rng);
    }
}

const loss_builder metric_loss_builders[] = { { "circle", 4, build_circle },
                                              { "triplet_from_distance", 5, build_triplet_from_distance },
                                              { 0 } };

/* ---------------------------------------------------------------- helpers */

/* NULL for the values is zeros. */
static lg_tensor *constant(size_t rank, const size_t *dims, const lg_real *values)
{
    lg_tensor *x = values ? lg_tensor_from(rank, dims, values) : lg_tensor_zeros(rank, dims);
    ck_assert_msg(x != NULL && operand_count < COUNT(operands), "%s", lg_error());
    return operands[operand_count++] = x;
}

static lg_tensor *variable(size_t rank, const size_t *dims, const lg_real *values)
{
    lg_tensor *x = constant(rank, dims, values);
    ck_assert_int_eq(lg_tensor_require_grad(x, true), LG_OK);
    return x;
}

static lg_tensor *row(size_t width, const lg_real *values)
{
    return variable(LG_SHAPE(1, width), values);
}

static lg_tensor *label(double value)
{
    return constant(LG_SHAPE(1), (lg_real[]){ (lg_real)value });
}

static void assert_near(const char *what, double got, double want)
{
    ck_assert_msg(got == want || fabs(got - want) <= tolerance * fabs(want), "%s is %.17g, not %.17g", what, got, want);
}

static void assert_value(const char *what, const lg_tensor *loss, double want)
{
    ck_assert_msg(loss != NULL, "%s: %s", what, lg_error());
    assert_near(what, lg_tensor_item(loss), want);
}

/* Gradients of this loss alone; forgets the record. */
static void differentiate(lg_tensor *loss)
{
    for (size_t i = 0; i < operand_count; i++)
        if (lg_tensor_requires_grad(operands[i]))
            lg_tensor_zero_grad(operands[i]);
    lg_tensor *upstream = lg_tensor_full(lg_tensor_rank(loss), lg_tensor_dims(loss), 1);
    ck_assert_msg(loss != NULL && lg_backward_from(tape, loss, upstream) == LG_OK, "%s", lg_error());
    lg_tensor_free(upstream);
    lg_tape_reset(tape);
}

static void assert_gradient(const char *what, lg_tensor *x, const double *want)
{
    for (size_t i = 0; i < lg_tensor_size(x); i++) {
        const double got = (double)lg_tensor_grad(x)[i];
        ck_assert_msg(got == want[i] || fabs(got - want[i]) <= tolerance * fmax(1, fabs(want[i])),
                      "%s: gradient[%zu] is %.17g, not %.17g", what, i, got, want[i]);
    }
}

/* The value of a loss of one number, and its derivative by that number. */
static void assert_outcome(const char *name, const char *params, double x, double target, double loss, double slope)
{
    lg_loss_spec spec;
    ck_assert_msg(lg_loss_find(name, &spec) == LG_OK && lg_loss_set(&spec, params) == LG_OK, "%s", lg_error());
    lg_tensor *input = variable(LG_SHAPE(1), (lg_real[]){ (lg_real)x });
    lg_tensor *value = lg_loss_apply(tape, &spec, (lg_tensor *[LG_LOSS_MAX_INPUTS]){ input, label(target) }, NULL);
    assert_value(name, value, loss);
    differentiate(value);
    assert_near(name, (double)lg_tensor_grad(input)[0], slope);
}

/* ---------------------------------------------------------- worked examples */

START_TEST(contrastive_examples_have_their_values)
{
    lg_tensor *a = row(2, (lg_real[]){ (lg_real)0.5, 0 }), *b = row(2, (lg_real[]){ 0, 0 });
    lg_tensor *far = row(2, (lg_real[]){ 0, (lg_real)1.5 });
    lg_loss_spec siamese;
    ck_assert_int_eq(lg_loss_find("contrastive_siamese", &siamese), LG_OK);
    assert_value("similar", lg_contrastive(tape, a, b, label(1), 1, 1, 1, NULL), 0.25);
    assert_value("dissimilar", lg_contrastive(tape, a, b, label(0), 1, 1, 1, NULL), 0.25);
    assert_value("far", lg_contrastive(tape, far, b, label(0), 1, 1, 1, NULL), 0);
    for (int similar = 0; similar < 2; similar++)
        assert_value("siamese", lg_loss_apply(tape, &siamese, (lg_tensor *[]){ a, b, label(similar) }, NULL), 0.125);
    assert_value("siamese, far", lg_loss_apply(tape, &siamese, (lg_tensor *[]){ far, b, label(1) }, NULL), 0);
    assert_outcome("contrastive_from_distance", "", 0.5, 1, 0.25, 1);
    assert_outcome("contrastive_from_distance", "", 0.5, 0, 0.25, -1);
    assert_outcome("contrastive_from_distance", "", 1.5, 0, 0, 0);
    assert_outcome("contrastive_from_distance", "similar_label=0,scale=0.5", 0.5, 0, 0.125, 0.5);
}
END_TEST

START_TEST(triplet_examples_have_their_values)
{
    lg_tensor *a = row(2, (lg_real[]){ 0, 0 }), *p = row(2, (lg_real[]){ (lg_real)0.3, (lg_real)0.4 });
    lg_tensor *n = row(2, (lg_real[]){ (lg_real)0.6, (lg_real)0.8 });
    /* eps of 1e-6 on each difference moves the plain distances by (0.7 - 1.4 + 1.4 - 0.7) 1e-6: not at all to first order */
    const lg_loss_options exact = { .eps = 1e-300 };
    assert_value("squared", lg_triplet_margin(tape, a, p, n, 1, LG_DISTANCE_SQEUCLIDEAN, 2, false, false, NULL), 0.25);
    assert_value("plain", lg_triplet_margin(tape, a, p, n, 1, LG_DISTANCE_EUCLIDEAN, 2, false, false, &exact), 0.5);
    lg_loss_spec spec;
    ck_assert_int_eq(lg_loss_find("triplet", &spec), LG_OK);
    ck_assert(lg_loss_get(&spec, "margin") == 0.2 && lg_loss_get(&spec, "distance") == LG_DISTANCE_SQEUCLIDEAN);
    assert_value("triplet", lg_loss_apply(tape, &spec, (lg_tensor *[]){ a, p, n }, NULL), 0);
    ck_assert_int_eq(lg_loss_set(&spec, "distance=euclidean"), LG_OK);
    assert_value("triplet, plain", lg_loss_apply(tape, &spec, (lg_tensor *[]){ a, p, n }, NULL), 0);
    differentiate(lg_triplet_margin(tape, a, p, n, 1, LG_DISTANCE_SQEUCLIDEAN, 2, false, false, NULL));
    assert_gradient("anchor, 2 (n - p)", a, (double[]){ 0.6, 0.8 });
    assert_gradient("positive, 2 (p - a)", p, (double[]){ 0.6, 0.8 });
    assert_gradient("negative, 2 (a - n)", n, (double[]){ -1.2, -1.6 });
}
END_TEST

START_TEST(embedding_examples_have_their_values)
{
    lg_tensor *a = row(2, (lg_real[]){ 1, 0 }), *b = row(2, (lg_real[]){ 1, 1 });
    assert_value("similar", lg_cosine_embedding(tape, a, b, label(1), 0, NULL), 1 - sqrt(0.5));
    assert_value("dissimilar", lg_cosine_embedding(tape, a, b, label(-1), 0.25, NULL), sqrt(0.5) - 0.25);
    assert_value("dissimilar enough", lg_cosine_embedding(tape, a, b, label(-1), 0.75, NULL), 0);
    assert_outcome("hinge_embedding", "", 0.25, 1, 0.25, 1);
    assert_outcome("hinge_embedding", "", 0.25, -1, 0.75, -1);
    assert_outcome("hinge_embedding", "margin=0.125", 0.25, -1, 0, 0);
    assert_outcome("hinge_embedding", "", -2, 1, -2, 1);
}
END_TEST

/* -------------------------------------------------------------------- edges */

/* PyTorch's clamp has derivative 1 where the hinge begins; luge has 0. */
START_TEST(hinges_have_derivative_zero_where_they_begin)
{
    assert_outcome("hinge_embedding", "", 1, -1, 0, 0);
    assert_outcome("contrastive_from_distance", "margin=0.5", 0.5, 0, 0, 0);
    lg_tensor *a = row(1, (lg_real[]){ 0 }), *p = row(1, (lg_real[]){ 1 }), *n = row(1, (lg_real[]){ 3 });
    const struct {
        lg_distance distance;
        double margin; /* d(a, n) - d(a, p) */
    } at[] = { { LG_DISTANCE_EUCLIDEAN, 2 }, { LG_DISTANCE_MANHATTAN, 2 }, { LG_DISTANCE_SQEUCLIDEAN, 8 } };
    for (size_t i = 0; i < COUNT(at); i++) {
        differentiate(lg_triplet_margin(tape, a, p, n, at[i].margin, at[i].distance, 2, false, false,
                                        &(lg_loss_options){ .eps = 1e-300 }));
        ck_assert((double)lg_tensor_grad(a)[0] == 0 && (double)lg_tensor_grad(p)[0] == 0 && (double)lg_tensor_grad(n)[0] == 0);
    }
    lg_tensor *x = row(2, (lg_real[]){ 1, 0 }), *y = row(2, (lg_real[]){ 0, 1 });
    differentiate(lg_cosine_embedding(tape, x, y, label(-1), 0, NULL)); /* c = margin = 0 */
    assert_gradient("cosine_embedding", x, (double[]){ 0, 0 });
    assert_gradient("cosine_embedding", y, (double[]){ 0, 0 });
}
END_TEST

/* Where a = b the direction of the push is undefined; luge gives 0. The form that takes distances has -2 margin. */
START_TEST(equal_embeddings_of_a_dissimilar_pair_cost_the_margin_and_have_no_gradient)
{
    lg_tensor *a = row(3, (lg_real[]){ 1, 2, 3 }), *b = row(3, (lg_real[]){ 1, 2, 3 });
    for (int similar = 0; similar < 2; similar++) {
        lg_tensor *loss = lg_contrastive(tape, a, b, label(similar), 2, 1, 1, NULL);
        assert_value("equal", loss, similar ? 0 : 4);
        differentiate(loss);
        assert_gradient("a", a, (double[]){ 0, 0, 0 });
        assert_gradient("b", b, (double[]){ 0, 0, 0 });
    }
    assert_outcome("contrastive_from_distance", "margin=2", 0, 0, 4, -4);
    assert_outcome("contrastive_from_distance", "margin=2", 0, 1, 0, 0);
}
END_TEST

/* eps keeps the derivative of PyTorch's distance finite at equal vectors; without it luge gives 0. */
START_TEST(distances_of_zero_have_derivative_zero)
{
    static const char *const params[] = { "distance=euclidean,eps=0", "distance=manhattan,eps=0", "distance=sqeuclidean",
                                          "distance=pnorm,p=3,eps=0", "distance=euclidean,eps=0,swap=true" };
    for (size_t i = 0; i < COUNT(params); i++) {
        lg_tensor *a = row(2, (lg_real[]){ 1, 2 }), *p = row(2, (lg_real[]){ 1, 2 }), *n = row(2, (lg_real[]){ 1, 2 });
        lg_loss_spec spec;
        ck_assert_int_eq(lg_loss_find("triplet_margin", &spec), LG_OK);
        ck_assert_int_eq(lg_loss_set(&spec, params[i]), LG_OK);
        lg_tensor *loss = lg_loss_apply(tape, &spec, (lg_tensor *[]){ a, p, n }, NULL);
        assert_value(params[i], loss, 1);
        differentiate(loss);
        assert_gradient(params[i], a, (double[]){ 0, 0 });
        assert_gradient(params[i], p, (double[]){ 0, 0 });
        assert_gradient(params[i], n, (double[]){ 0, 0 });
    }
}
END_TEST

/* As in PyTorch, eps is added to the difference: d(u, v) is not d(v, u). */
START_TEST(eps_is_added_to_each_difference)
{
    lg_tensor *a = row(2, (lg_real[]){ 1, 2 }), *p = row(2, (lg_real[]){ 0, 0 }), *n = row(2, (lg_real[]){ 2, 4 });
    lg_tensor *loss = lg_triplet_margin(tape, a, p, n, 0.75, LG_DISTANCE_MANHATTAN, 2, false, false,
                                        &(lg_loss_options){ .eps = 0.5 });
    assert_value("manhattan", loss, 1.5 + 2.5 - 0.5 - 1.5 + 0.75);
    loss = lg_triplet_margin(tape, a, p, n, 0.75, LG_DISTANCE_EUCLIDEAN, 2, false, false, &(lg_loss_options){ .eps = 0.5 });
    assert_value("euclidean", loss, sqrt(8.5) - sqrt(2.5) + 0.75);
}
END_TEST

/* The first two triplets differ only in the side on which the positive lies of the anchor and negative. */
START_TEST(swap_takes_the_nearer_of_two_negatives_and_a_tie_is_the_anchors)
{
    const lg_loss_options none = { .reduction = LG_REDUCE_NONE };
    lg_tensor *a = variable(LG_SHAPE(3, 1), (lg_real[]){ 0, 0, 0 });
    lg_tensor *p = variable(LG_SHAPE(3, 1), (lg_real[]){ 2, -2, 2 });
    lg_tensor *n = variable(LG_SHAPE(3, 1), (lg_real[]){ 3, 3, 1 });
    lg_tensor *loss = lg_triplet_margin(tape, a, p, n, 0.5, LG_DISTANCE_SQEUCLIDEAN, 2, true, false, &none);
    const double want[] = { 4 - 1 + 0.5, 0, 4 - 1 + 0.5 };
    for (size_t i = 0; i < 3; i++)
        ck_assert((double)lg_tensor_data(loss)[i] == want[i]);
    differentiate(loss);
    assert_gradient("anchor", a, (double[]){ -4, 0, 2 * (1 - 2) });
    assert_gradient("positive", p, (double[]){ 4 + 2, 0, 4 });
    assert_gradient("negative", n, (double[]){ -2, 0, -2 });

    lg_tensor *d_ap = variable(LG_SHAPE(3), (lg_real[]){ 4, 4, 4 });
    lg_tensor *d_an = variable(LG_SHAPE(3), (lg_real[]){ 3, 2, 2 });
    lg_tensor *d_pn = variable(LG_SHAPE(3), (lg_real[]){ 2, 3, 2 });
    differentiate(lg_triplet_from_distance(tape, d_ap, d_an, d_pn, 1, false, &(lg_loss_options){ .reduction = LG_REDUCE_SUM }));
    assert_gradient("d_ap", d_ap, (double[]){ 1, 1, 1 });
    assert_gradient("d_an", d_an, (double[]){ 0, -1, -1 });
    assert_gradient("d_pn", d_pn, (double[]){ -1, 0, 0 });
}
END_TEST

/* d(a, p) = |3| and d(a, n) = |4| in units whose squares overflow or vanish in the type of the elements. */
START_TEST(distances_of_enormous_and_tiny_vectors_are_exact)
{
    const double scales[] = { LG_REAL_BITS == 64 ? 1e300 : 1e30, LG_REAL_BITS == 64 ? 1e-300 : 1e-30 };
    const lg_loss_options exact = { .eps = LG_REAL_BITS == 64 ? 1e-320 : 1e-50 };
    for (size_t i = 0; i < COUNT(scales); i++) {
        const lg_real s = (lg_real)scales[i];
        lg_tensor *a = row(2, (lg_real[]){ 0, 0 }), *p = row(2, (lg_real[]){ 12 * s, 9 * s }), *n = row(2, (lg_real[]){ 3 * s, 4 * s });
        static const double norms[] = { 1.5, 2, 3 };
        for (size_t k = 0; k < COUNT(norms); k++) {
            const double r = norms[k], near = pow(pow(12, r) + pow(9, r), 1 / r), far = pow(pow(3, r) + pow(4, r), 1 / r);
            lg_tensor *loss = lg_triplet_margin(tape, a, p, n, 0, LG_DISTANCE_PNORM, r, false, false, &exact);
            assert_value("p-norm", loss, (near - far) * (double)s);
            differentiate(loss);
            assert_gradient("positive", p, (double[]){ pow(12 / near, r - 1), pow(9 / near, r - 1) });
            assert_gradient("negative", n, (double[]){ -pow(3 / far, r - 1), -pow(4 / far, r - 1) });
        }
        lg_tensor *dissimilar = lg_contrastive(tape, p, a, label(0), 20 * (double)s, 1, 1 / (double)s, NULL);
        differentiate(dissimilar);
        assert_gradient("contrastive", p, (double[]){ -2 * 5 * 0.8, -2 * 5 * 0.6 });
    }
}
END_TEST

START_TEST(soft_triplets_are_stable_at_extreme_gaps)
{
    const double gaps[] = { -1e4, -50, 0, 50, 1e4 };
    for (size_t i = 0; i < COUNT(gaps); i++) {
        lg_tensor *near = variable(LG_SHAPE(1), (lg_real[]){ (lg_real)(gaps[i] > 0 ? gaps[i] : 0) });
        lg_tensor *far = variable(LG_SHAPE(1), (lg_real[]){ (lg_real)(gaps[i] < 0 ? -gaps[i] : 0) });
        lg_tensor *loss = lg_triplet_from_distance(tape, near, far, NULL, 0, true, NULL);
        assert_value("soft", loss, fmax(gaps[i], 0) + log1p(exp(-fabs(gaps[i]))));
        differentiate(loss);
        const double sigmoid = gaps[i] < 0 ? exp(gaps[i]) / (1 + exp(gaps[i])) : 1 / (1 + exp(-gaps[i]));
        assert_gradient("near", near, (double[]){ sigmoid });
        assert_gradient("far", far, (double[]){ -sigmoid });
    }
}
END_TEST

START_TEST(a_zero_vector_has_no_direction_to_turn)
{
    lg_tensor *zero = row(2, (lg_real[]){ 0, 0 }), *x = row(2, (lg_real[]){ 1, 2 }), *y = row(2, (lg_real[]){ 2, -1 });
    const struct {
        double label, margin, loss;
    } pairs[] = { { 1, 0, 1 }, { -1, 0, 0 }, { -1, -0.5, 0.5 } };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        lg_tensor *loss = lg_cosine_embedding(tape, zero, x, label(pairs[i].label), pairs[i].margin, NULL);
        assert_value("c = 0", loss, pairs[i].loss);
        differentiate(loss);
        assert_gradient("zero", zero, (double[]){ 0, 0 });
        assert_gradient("x", x, (double[]){ 0, 0 });
    }
    lg_tensor *loss = lg_triplet_margin(tape, x, zero, y, 1, LG_DISTANCE_COSINE, 2, false, false, NULL);
    assert_value("both distances are 1", loss, 1);
    differentiate(loss);
    assert_gradient("positive", zero, (double[]){ 0, 0 });
    assert_gradient("anchor, dc/da = y / (|x| |y|)", x, (double[]){ 0.4, -0.2 });
}
END_TEST

/* An infinite distance to the negative, or of a dissimilar pair, is far enough; to the positive it costs infinity. */
START_TEST(infinite_distances_are_far)
{
    const double infinity = (double)INFINITY;
    assert_outcome("contrastive_from_distance", "", infinity, 0, 0, 0);
    assert_outcome("contrastive_from_distance", "", infinity, 1, infinity, infinity);
    assert_outcome("hinge_embedding", "", infinity, -1, 0, 0);
    assert_outcome("hinge_embedding", "", infinity, 1, infinity, 1);
    lg_tensor *a = row(2, (lg_real[]){ 0, 1 }), *far = row(2, (lg_real[]){ (lg_real)INFINITY, 1 }), *p = row(2, (lg_real[]){ 0, 3 });
    for (lg_distance distance = LG_DISTANCE_EUCLIDEAN; distance <= LG_DISTANCE_PNORM; distance++) {
        lg_tensor *loss = lg_triplet_margin(tape, a, p, far, 1, distance, 3, false, false, NULL);
        assert_value("far negative", loss, 0);
        differentiate(loss);
        assert_gradient("anchor", a, (double[]){ 0, 0 });
        assert_value("far positive", lg_triplet_margin(tape, a, far, p, 1, distance, 3, false, false, NULL), infinity);
    }
    lg_tensor *loss = lg_contrastive(tape, a, far, label(0), 1, 1, 1, NULL);
    assert_value("dissimilar", loss, 0);
    differentiate(loss);
    assert_gradient("dissimilar", a, (double[]){ 0, 0 });
}
END_TEST

START_TEST(nan_stays_nan_in_every_input)
{
    static const char *const names[] = { "contrastive", "cosine_embedding", "triplet_margin", "triplet",
                                         "contrastive_from_distance", "hinge_embedding", "triplet_from_distance" };
    for (size_t k = 0; k < COUNT(names); k++) {
        lg_loss_spec spec;
        ck_assert_int_eq(lg_loss_find(names[k], &spec), LG_OK);
        if (!isnan(lg_loss_get(&spec, "swap")))
            ck_assert_int_eq(lg_loss_set(&spec, "swap=true"), LG_OK);
        for (size_t i = 0; i < lg_loss_input_count(spec.info); i++) {
            if (!spec.info->inputs[i].differentiable)
                continue;
            size_t tried = 0;
            for (int similar = 1; similar >= -1; similar--) { /* labels that the loss does not have are errors */
                lg_tensor *inputs[LG_LOSS_MAX_INPUTS] = { NULL };
                for (size_t n = 0; n < lg_loss_input_count(spec.info); n++)
                    inputs[n] = spec.info->inputs[n].differentiable
                                    ? variable(LG_SHAPE(1, 1), (lg_real[]){ n == i ? (lg_real)NAN : (lg_real)n + 1 })
                                    : label(similar);
                lg_tensor *loss = lg_loss_apply(tape, &spec, inputs, NULL);
                if (!loss) {
                    ck_assert_int_eq(lg_error_code(), LG_E_DOMAIN);
                    lg_error_clear();
                    continue;
                }
                tried++;
                ck_assert_msg(isnan(lg_tensor_item(loss)), "%s of NaN in input %zu is %g", names[k], i, lg_tensor_item(loss));
                differentiate(loss);
                ck_assert_msg(isnan((double)lg_tensor_grad(inputs[i])[0]), "%s: gradient by NaN in input %zu is %g", names[k],
                              i, (double)lg_tensor_grad(inputs[i])[0]);
            }
            ck_assert_uint_ge(tried, 2);
        }
    }
}
END_TEST

START_TEST(an_empty_batch_of_distances_costs_nothing)
{
    lg_tensor *d = variable(LG_SHAPE(0, 2), NULL);
    lg_tensor *loss = lg_triplet_from_distance(tape, d, d, d, 1, false, NULL);
    assert_value("empty", loss, 0);
    differentiate(loss);
}
END_TEST

/* ----------------------------------------------- invariances, equivalences */

static lg_tensor *random_rows(size_t rows, size_t width, lg_rng *rng)
{
    lg_tensor *x = variable(LG_SHAPE(rows, width), NULL);
    for (size_t i = 0; i < rows * width; i++)
        lg_tensor_data(x)[i] = (lg_real)lg_rng_normal(rng);
    return x;
}

START_TEST(gradients_of_a_triplet_of_differences_add_up_to_zero)
{
    lg_rng rng = lg_rng_seed(11);
    for (lg_distance distance = LG_DISTANCE_EUCLIDEAN; distance <= LG_DISTANCE_PNORM; distance++) {
        for (int swap = 0; swap < 2; swap++) {
            lg_tensor *a = random_rows(6, 5, &rng), *p = random_rows(6, 5, &rng), *n = random_rows(6, 5, &rng);
            differentiate(lg_triplet_margin(tape, a, p, n, 30, distance, 2.5, swap, false, NULL));
            for (size_t i = 0; i < 30; i++) {
                const double by_a = (double)lg_tensor_grad(a)[i], by_p = (double)lg_tensor_grad(p)[i];
                const double by_n = (double)lg_tensor_grad(n)[i];
                ck_assert(by_n != 0);
                ck_assert_double_le(fabs(by_a + by_p + by_n), (LG_REAL_BITS == 64 ? 1e-15 : 1e-7) * (1 + fabs(by_a) + fabs(by_p)));
            }
        }
    }
}
END_TEST

START_TEST(losses_of_angles_ignore_lengths_and_their_gradients_are_across)
{
    lg_rng rng = lg_rng_seed(12);
    lg_tensor *a = random_rows(1, 6, &rng), *b = random_rows(1, 6, &rng), *c = random_rows(1, 6, &rng);
    lg_tensor *longer = variable(LG_SHAPE(1, 6), NULL);
    for (size_t i = 0; i < 6; i++)
        lg_tensor_data(longer)[i] = 1024 * lg_tensor_data(a)[i];
    for (size_t k = 0; k < 3; k++) {
        lg_tensor *losses[2] = { NULL };
        for (size_t i = 0; i < 2; i++) {
            lg_tensor *x = i ? longer : a;
            losses[i] = k == 2 ? lg_triplet_margin(tape, x, b, c, 2, LG_DISTANCE_COSINE, 2, false, false, NULL)
                               : lg_cosine_embedding(tape, x, b, label(k ? 1 : -1), -1, NULL);
        }
        assert_value("scaled", losses[1], lg_tensor_item(losses[0]));
        differentiate(losses[1]);
        double along = 0, size = 0;
        for (size_t i = 0; i < 6; i++) {
            along += (double)lg_tensor_grad(longer)[i] * (double)lg_tensor_data(longer)[i];
            size += fabs((double)lg_tensor_grad(longer)[i] * (double)lg_tensor_data(longer)[i]);
        }
        ck_assert(size > 0.01);
        ck_assert_double_le(fabs(along), (LG_REAL_BITS == 64 ? 1e-14 : 1e-6) * size);
    }
}
END_TEST

START_TEST(losses_that_coincide_have_equal_values)
{
    lg_rng rng = lg_rng_seed(13);
    lg_tensor *a = random_rows(4, 5, &rng), *p = random_rows(4, 5, &rng), *n = random_rows(4, 5, &rng);
    lg_tensor *ones = constant(LG_SHAPE(4), (lg_real[]){ 1, 1, 1, 1 });
    assert_value("cosine_embedding of similar pairs is cosine_similarity with offset 1",
                 lg_cosine_embedding(tape, a, p, ones, 0, NULL),
                 lg_tensor_item(lg_cosine_similarity(tape, a, p, 1, NULL)));
    assert_value("contrastive of similar pairs is the squared error, times the width",
                 lg_contrastive(tape, a, p, ones, 1, 1, 1, NULL), 5 * lg_tensor_item(lg_mean_squared_error(tape, a, p, NULL)));
    const lg_distance named[] = { LG_DISTANCE_MANHATTAN, LG_DISTANCE_EUCLIDEAN };
    for (int power = 1; power <= 2; power++)
        assert_value("p-norms of 1 and 2 have names",
                     lg_triplet_margin(tape, a, p, n, 1, LG_DISTANCE_PNORM, power, true, false, NULL),
                     lg_tensor_item(lg_triplet_margin(tape, a, p, n, 1, named[power - 1], 7, true, false, NULL)));
    const double euclidean = lg_tensor_item(lg_triplet_margin(tape, a, p, n, 9, LG_DISTANCE_EUCLIDEAN, 2, false, false, NULL));
    const double close = lg_tensor_item(lg_triplet_margin(tape, a, p, n, 9, LG_DISTANCE_PNORM, 2.000001, false, false, NULL));
    ck_assert_double_eq_tol(close, euclidean, 1e-4); /* the general p-norm runs into the special one */
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

START_TEST(wrong_pairs_say_what_would_be_right)
{
    lg_tensor *a = variable(LG_SHAPE(2, 3), NULL), *wide = variable(LG_SHAPE(2, 4), NULL);
    lg_tensor *y = constant(LG_SHAPE(2), (lg_real[]){ 1, 0 }), *signs = constant(LG_SHAPE(2), (lg_real[]){ 1, -1 });
    lg_tensor *free_label = variable(LG_SHAPE(2), (lg_real[]){ 1, 0 });
    lg_tensor *d = variable(LG_SHAPE(2), (lg_real[]){ 1, (lg_real)-0.5 });
    lg_tensor *labels = lg_tensor_from_indices(LG_SHAPE(2), (int32_t[]){ 1, 0 });
    const lg_real nan = (lg_real)NAN;
    assert_fails(lg_contrastive(tape, a, wide, y, 1, 1, 1, NULL), LG_E_SHAPE,
                 "contrastive: a has shape [2, 3], b [2, 4]; [2, 3] is wanted");
    assert_fails(lg_contrastive(tape, a, a, a, 1, 1, 1, NULL), LG_E_PARAM,
                 "contrastive: target requires a gradient, but the loss has none by it");
    assert_fails(lg_contrastive(tape, a, a, constant(LG_SHAPE(3), NULL), 1, 1, 1, NULL), LG_E_SHAPE,
                 "contrastive: a has shape [2, 3], target [3]; [2] is wanted");
    assert_fails(lg_contrastive(tape, a, a, labels, 1, 1, 1, NULL), LG_E_DTYPE, "contrastive: target must hold real numbers");
    assert_fails(lg_contrastive(tape, a, a, signs, 1, 1, 1, NULL), LG_E_DOMAIN,
                 "contrastive: target[1] is -1, but must be 0 or 1");
    assert_fails(lg_contrastive(tape, a, a, constant(LG_SHAPE(2), (lg_real[]){ 1, nan }), 1, 1, 1, NULL), LG_E_DOMAIN,
                 "contrastive: target[1] is nan, but must be 0 or 1");
    assert_fails(lg_contrastive(tape, a, a, y, 0, 1, 1, NULL), LG_E_PARAM,
                 "contrastive: margin is 0, but must be finite and > 0");
    assert_fails(lg_contrastive(tape, a, a, y, 1, 2, 1, NULL), LG_E_PARAM,
                 "contrastive: similar_label must be one of 0|1");
    assert_fails(lg_contrastive(tape, a, a, y, 1, 1, 0, NULL), LG_E_PARAM,
                 "contrastive: scale is 0, but must be finite and > 0");
    assert_fails(lg_contrastive(tape, a, NULL, y, 1, 1, 1, NULL), LG_E_PARAM, "contrastive: b is NULL");
    assert_fails(lg_contrastive(tape, a, a, y, 1, 1, 1, &(lg_loss_options){ .eps = 0.1 }), LG_E_PARAM,
                 "contrastive: the option eps does not apply here");
    assert_fails(lg_contrastive_from_distance(tape, d, y, 1, 1, 1, NULL), LG_E_DOMAIN,
                 "contrastive_from_distance: distance[1] is -0.5, but must be not negative");
    assert_fails(lg_cosine_embedding(tape, a, a, y, 0, NULL), LG_E_DOMAIN,
                 "cosine_embedding: target[1] is 0, but must be -1 or 1");
    assert_fails(lg_cosine_embedding(tape, a, a, signs, 1.5, NULL), LG_E_PARAM,
                 "cosine_embedding: margin is 1.5, but must be in [-1, 1]");
    assert_fails(lg_hinge_embedding(tape, d, y, 1, NULL), LG_E_DOMAIN,
                 "hinge_embedding: target[1] is 0, but must be -1 or 1");
    assert_fails(lg_hinge_embedding(tape, d, signs, (double)INFINITY, NULL), LG_E_PARAM,
                 "hinge_embedding: margin is inf, but must be finite");
    assert_fails(lg_hinge_embedding(tape, d, free_label, 1, NULL), LG_E_PARAM,
                 "hinge_embedding: target requires a gradient, but the loss has none by it");
    lg_tensor_free(labels);
}
END_TEST

START_TEST(wrong_triplets_say_what_would_be_right)
{
    lg_tensor *a = variable(LG_SHAPE(2, 3), NULL), *wide = variable(LG_SHAPE(2, 4), NULL);
    assert_fails(lg_triplet_margin(tape, a, a, wide, 1, LG_DISTANCE_EUCLIDEAN, 2, false, false, NULL), LG_E_SHAPE,
                 "triplet_margin: anchor has shape [2, 3], negative [2, 4]; [2, 3] is wanted");
    assert_fails(lg_triplet_margin(tape, a, a, a, 1, LG_DISTANCE_PNORM, 0.5, false, false, NULL), LG_E_PARAM,
                 "triplet_margin: p is 0.5, but must be finite and >= 1");
    assert_fails(lg_triplet_margin(tape, a, a, a, (double)NAN, LG_DISTANCE_PNORM, 2, false, false, NULL), LG_E_PARAM,
                 "triplet_margin: margin is nan, but must be finite");
    assert_fails(lg_triplet_margin(tape, a, a, a, 1, (lg_distance)9, 2, false, false, NULL), LG_E_PARAM,
                 "triplet_margin: distance must be one of euclidean|sqeuclidean|manhattan|pnorm|cosine");
    assert_fails(lg_triplet_margin(tape, a, a, a, 1, LG_DISTANCE_PNORM, 2, false, false, &(lg_loss_options){ .eps = -1 }),
                 LG_E_PARAM, "triplet_margin: eps is -1, but must be finite and >= 0");
    assert_fails(lg_triplet_from_distance(tape, a, a, wide, 1, false, NULL), LG_E_SHAPE,
                 "triplet_from_distance: positive has shape [2, 3], between [2, 4]; they must be the same");
    assert_fails(lg_triplet_from_distance(tape, a, NULL, a, 1, false, NULL), LG_E_PARAM,
                 "triplet_from_distance: negative is NULL");
    lg_loss_spec spec;
    ck_assert_int_eq(lg_loss_find("triplet", &spec), LG_OK);
    ck_assert_int_eq(lg_loss_set(&spec, "distance=hamming"), LG_E_PARAM);
    ck_assert_str_eq(lg_error(), "triplet_margin: distance is \"hamming\", but must be one of "
                                 "euclidean|sqeuclidean|manhattan|pnorm|cosine");
}
END_TEST

Suite *losses_metric_suite(void)
{
    Suite *suite = suite_create("losses_metric");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, metric_losses_equal_pytorch_in_every_reduction, 0, (int)COUNT(metric_references));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, contrastive_examples_have_their_values);
    tcase_add_test(cases, triplet_examples_have_their_values);
    tcase_add_test(cases, embedding_examples_have_their_values);
    tcase_add_test(cases, hinges_have_derivative_zero_where_they_begin);
    tcase_add_test(cases, equal_embeddings_of_a_dissimilar_pair_cost_the_margin_and_have_no_gradient);
    tcase_add_test(cases, distances_of_zero_have_derivative_zero);
    tcase_add_test(cases, eps_is_added_to_each_difference);
    tcase_add_test(cases, swap_takes_the_nearer_of_two_negatives_and_a_tie_is_the_anchors);
    tcase_add_test(cases, distances_of_enormous_and_tiny_vectors_are_exact);
    tcase_add_test(cases, soft_triplets_are_stable_at_extreme_gaps);
    tcase_add_test(cases, a_zero_vector_has_no_direction_to_turn);
    tcase_add_test(cases, infinite_distances_are_far);
    tcase_add_test(cases, nan_stays_nan_in_every_input);
    tcase_add_test(cases, an_empty_batch_of_distances_costs_nothing);
    tcase_add_test(cases, gradients_of_a_triplet_of_differences_add_up_to_zero);
    tcase_add_test(cases, losses_of_angles_ignore_lengths_and_their_gradients_are_across);
    tcase_add_test(cases, losses_that_coincide_have_equal_values);
    tcase_add_test(cases, wrong_pairs_say_what_would_be_right);
    tcase_add_test(cases, wrong_triplets_say_what_would_be_right);
    suite_add_tcase(suite, cases);
    return suite;
}

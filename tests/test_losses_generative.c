/* Generative and anomaly losses: against PyTorch, worked examples, edges, mistakes. Values of PyTorch are made by
 * tests/reference/losses_generative.py. */
#include "losses/anomaly.h"
#include "losses/generative.h"

#include "loss_trial.h"
#include "reference/losses_generative.h"

#include <check.h>
#include <math.h>
#include <string.h>

/* Double: rounding of the two implementations. Float: 1e-5 of the value, 1e-6 of what the sums are made of. */
static const double relative = LG_REAL_BITS == 64 ? 1e-10 : 1e-5;
static const double absolute = LG_REAL_BITS == 64 ? 1e-12 : 1e-6;

/* ----------------------------------------------------------------- PyTorch */

static void assert_close(const struct reference_call *row, const char *what, size_t i, double got, double want)
{
    const bool same = got == want || fabs(got - want) <= absolute + relative * fabs(want);
    ck_assert_msg(same, "%s, %s: %s[%zu] is %.17g, PyTorch has %.17g", row->loss, row->assignments, what, i, got, want);
}

static lg_tensor *tensor_of(size_t rank, const size_t *dims, const double *values)
{
    lg_tensor *tensor = lg_tensor_zeros(rank, dims);
    for (size_t i = 0; i < lg_tensor_size(tensor); i++)
        lg_tensor_data(tensor)[i] = (lg_real)values[i];
    return tensor;
}

static void check_reduction(const struct reference_call *row, lg_reduction reduction, const char *name, const double *values,
                            const double *const gradient[])
{
    lg_loss_spec spec;
    lg_tensor *inputs[LG_LOSS_MAX_INPUTS] = { NULL };
    ck_assert_msg(lg_loss_find(row->loss, &spec) == LG_OK && lg_loss_set(&spec, row->assignments) == LG_OK, "%s", lg_error());
    for (size_t i = 0; i < row->inputs; i++) {
        inputs[i] = tensor_of(row->input[i].rank, row->input[i].dims, row->input[i].values);
        lg_tensor_require_grad(inputs[i], row->input[i].differentiable);
    }
    lg_tensor *weight = row->sample_weight ? tensor_of(row->unit_rank, row->unit_dims, row->sample_weight) : NULL;
    lg_tensor *upstream = tensor_of(row->unit_rank, row->unit_dims, row->upstream);
    lg_tape *tape = lg_tape_new();
    lg_tensor *loss =
        lg_loss_apply(tape, &spec, inputs, &(lg_loss_options){ .reduction = reduction, .sample_weight = weight });
    ck_assert_msg(loss != NULL, "%s, %s: %s", row->loss, row->assignments, lg_error());
    ck_assert_uint_eq(lg_tensor_size(loss), reduction == LG_REDUCE_NONE ? row->units : 1);
    for (size_t i = 0; i < lg_tensor_size(loss); i++)
        assert_close(row, name, i, (double)lg_tensor_data(loss)[i], values[i]);
    ck_assert_int_eq(reduction == LG_REDUCE_NONE ? lg_backward_from(tape, loss, upstream) : lg_backward(tape, loss), LG_OK);
    for (size_t i = 0; i < row->inputs; i++)
        for (size_t k = 0; row->input[i].differentiable && k < lg_tensor_size(inputs[i]); k++)
            assert_close(row, name, k, (double)lg_tensor_grad(inputs[i])[k], gradient[i][k]);
    lg_tape_free(tape);
    for (size_t i = 0; i < row->inputs; i++)
        lg_tensor_free(inputs[i]);
    lg_tensor_free(weight);
    lg_tensor_free(upstream);
}

START_TEST(values_and_gradients_equal_pytorch_in_every_reduction)
{
    const struct reference_call *row = &reference_calls[_i];
    check_reduction(row, LG_REDUCE_NONE, "none", row->none, row->none_gradient);
    check_reduction(row, LG_REDUCE_MEAN, "mean", &row->mean, row->mean_gradient);
    check_reduction(row, LG_REDUCE_SUM, "sum", &row->sum, row->sum_gradient);
    check_reduction(row, LG_REDUCE_WEIGHTED_MEAN, "weighted mean", &row->weighted_mean, row->weighted_mean_gradient);
}
END_TEST

/* --------------------------------------------------------- worked examples */

static lg_tape *tape;

static void open_tape(void)
{
    tape = lg_tape_new();
}

static void close_tape(void)
{
    lg_tape_free(tape);
}

#define VALUES(...) (sizeof((lg_real[]){ __VA_ARGS__ }) / sizeof(lg_real)), (const lg_real[]){ __VA_ARGS__ }

static lg_tensor *row_of(size_t n, const lg_real *values)
{
    return lg_variable(tape, LG_SHAPE(n), values);
}

static double value_of(lg_tensor *loss)
{
    ck_assert_msg(loss != NULL, "%s", lg_error());
    return lg_tensor_item(loss);
}

START_TEST(a_gan_that_knows_nothing_costs_logarithms_of_two)
{
    lg_tensor *zero = row_of(VALUES(0, 0));
    ck_assert_double_eq_tol(value_of(lg_gan_discriminator(tape, zero, zero, LG_GAN_MINIMAX, 1, true, NULL)), 2 * log(2), 1e-6);
    ck_assert_double_eq_tol(value_of(lg_gan_generator(tape, zero, LG_GENERATOR_NON_SATURATING, true, NULL)), log(2), 1e-6);
    ck_assert_double_eq_tol(value_of(lg_gan_generator(tape, zero, LG_GENERATOR_MINIMAX, true, NULL)), -log(2), 1e-6);
}
END_TEST

START_TEST(divergence_and_evidence_bound_have_their_worked_values)
{
    lg_tensor *mu = lg_variable(tape, LG_SHAPE(1, 2), (const lg_real[]){ 1, 0 });
    lg_tensor *log_var = lg_variable(tape, LG_SHAPE(1, 2), (const lg_real[]){ 0, (lg_real)log(4) });
    lg_tensor *x = lg_constant(tape, LG_SHAPE(1, 2), (const lg_real[]){ 1, 0 });
    lg_tensor *p = lg_variable(tape, LG_SHAPE(1, 2), (const lg_real[]){ (lg_real)0.9, (lg_real)0.2 });
    ck_assert_double_eq_tol(value_of(lg_gaussian_kl(tape, mu, log_var, NULL)), 1.306853, 1e-6);
    ck_assert_double_eq_tol(value_of(lg_vae(tape, p, x, mu, log_var, 1, LG_RECONSTRUCT_BCE, NULL)), 1.635357, 1e-6);
}
END_TEST

START_TEST(boundaries_have_their_worked_values)
{
    lg_tensor *z = lg_variable(tape, LG_SHAPE(2, 1), (const lg_real[]){ 1, 2 });
    lg_tensor *centre = lg_constant(tape, LG_SHAPE(1), (const lg_real[]){ 0 }), *radius2 = row_of(VALUES(2));
    lg_tensor *soft = lg_deep_svdd(tape, z, centre, radius2, LG_SVDD_SOFT_BOUNDARY, 0.5, NULL);
    ck_assert(value_of(soft) == 4);
    ck_assert_int_eq(lg_backward(tape, soft), LG_OK);
    ck_assert(lg_tensor_grad(radius2)[0] == 0 && lg_tensor_grad(z)[0] == 0 && lg_tensor_grad(z)[1] == 4);

    lg_tape_reset(tape);
    lg_tensor *scores = row_of(VALUES((lg_real)0.5, 2)), *rho = row_of(VALUES(1)), *w = row_of(VALUES(1, 0));
    lg_tensor *svm = lg_one_class_svm(tape, scores, rho, w, 0.5, NULL);
    ck_assert(value_of(svm) == 0);
    ck_assert_int_eq(lg_backward(tape, svm), LG_OK);
    ck_assert(lg_tensor_grad(scores)[0] == -1 && lg_tensor_grad(scores)[1] == 0);
    ck_assert(lg_tensor_grad(rho)[0] == 0 && lg_tensor_grad(w)[0] == 1 && lg_tensor_grad(w)[1] == 0);
}
END_TEST

/* ------------------------------------------------------------------- edges */

/* exp(L) - 1 - L = L^2/2 + L^3/6 + L^4/24 + ... cancels to nothing when it is computed as it stands. */
START_TEST(divergence_keeps_its_digits_near_the_standard_normal)
{
    for (int exponent = -20; exponent <= 3; exponent++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            const double L = sign * ldexp(1.25, exponent);
            double term = L * L / 2, want = 0;
            for (int n = 3; n < 80; n++, term *= L / (n - 1))
                want += term;
            lg_tensor *mu = row_of(VALUES(0)), *log_var = row_of(VALUES((lg_real)L));
            lg_tensor *loss = lg_gaussian_kl(tape, mu, log_var, NULL);
            const double tolerance = LG_REAL_BITS == 64 ? 1e-14 : 2e-6;
            ck_assert_msg(fabs(value_of(loss) - want / 2) <= tolerance * want, "log_var %g: %.17g, not %.17g", L,
                          lg_tensor_item(loss), want / 2);
        }
    }
}
END_TEST

START_TEST(extreme_values_stay_finite_or_become_what_they_must)
{
    const lg_real huge = 10000, infinite = (lg_real)INFINITY;
    const lg_loss_options none = { .reduction = LG_REDUCE_NONE };
    lg_tensor *f = row_of(VALUES(huge, -huge, infinite, -infinite));
    lg_tensor *loss = lg_gan_generator(tape, f, LG_GENERATOR_NON_SATURATING, true, &none);
    const lg_real *l = lg_tensor_data(loss);
    ck_assert(l[0] == 0 && l[1] == huge && l[2] == 0 && l[3] == infinite);
    ck_assert_int_eq(lg_backward_from(tape, loss, lg_constant(tape, LG_SHAPE(4), (const lg_real[]){ 1, 1, 1, 1 })), LG_OK);
    const lg_real *g = lg_tensor_grad(f);
    ck_assert(g[0] == 0 && g[1] == -1 && g[2] == 0 && g[3] == -1);

    lg_tensor *mu = row_of(VALUES(0)), *far = row_of(VALUES(infinite)), *never = row_of(VALUES(-infinite));
    ck_assert(value_of(lg_gaussian_kl(tape, mu, far, NULL)) == INFINITY);
    ck_assert(value_of(lg_gaussian_kl(tape, mu, never, NULL)) == INFINITY);
    ck_assert(value_of(lg_gaussian_kl(tape, mu, row_of(VALUES(-huge)), NULL)) == (10000 - 1) / 2.0);
}
END_TEST

/* The derivative of max(0, u) is 0 at u = 0, of |u| too. */
START_TEST(at_kinks_the_derivative_is_zero)
{
    lg_tensor *r = row_of(VALUES(1, 0)), *f = row_of(VALUES(-1, 0));
    lg_tensor *loss = lg_gan_discriminator(tape, r, f, LG_GAN_HINGE, 1, true, NULL);
    ck_assert(value_of(loss) == 1);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert(lg_tensor_grad(r)[0] == 0 && lg_tensor_grad(r)[1] == (lg_real)-0.5);
    ck_assert(lg_tensor_grad(f)[0] == 0 && lg_tensor_grad(f)[1] == (lg_real)0.5);

    lg_tape_reset(tape);
    lg_tensor *scores = row_of(VALUES(1, 1)), *rho = row_of(VALUES(1));
    loss = lg_one_class_svm(tape, scores, rho, NULL, 0.5, NULL);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert(lg_tensor_grad(scores)[0] == 0 && lg_tensor_grad(rho)[0] == -1);

    lg_tape_reset(tape);
    lg_tensor *pred = lg_variable(tape, LG_SHAPE(1, 2), (const lg_real[]){ 3, 4 });
    lg_tensor *target = lg_constant(tape, LG_SHAPE(1, 2), (const lg_real[]){ 3, 5 });
    loss = lg_reconstruction(tape, pred, target, LG_RECONSTRUCT_MAE, LG_FEATURES_SUM, NULL);
    ck_assert_int_eq(lg_backward(tape, loss), LG_OK);
    ck_assert(lg_tensor_grad(pred)[0] == 0 && lg_tensor_grad(pred)[1] == -1);
}
END_TEST

START_TEST(without_samples_a_batch_costs_nothing)
{
    lg_tensor *empty = lg_variable(tape, LG_SHAPE(0), NULL), *rho = row_of(VALUES(2)), *w = row_of(VALUES(3, 4));
    lg_tensor *svm = lg_one_class_svm(tape, empty, rho, w, 0.1, NULL);
    ck_assert(value_of(svm) == 0);
    ck_assert_int_eq(lg_backward(tape, svm), LG_OK);
    ck_assert(lg_tensor_grad(rho)[0] == 0 && lg_tensor_grad(w)[0] == 0 && lg_tensor_grad(w)[1] == 0);

    lg_tape_reset(tape);
    lg_tensor *z = lg_variable(tape, LG_SHAPE(0, 2), NULL), *centre = lg_constant(tape, LG_SHAPE(2), (const lg_real[]){ 1, 1 });
    lg_tensor *radius2 = row_of(VALUES(2));
    lg_tensor *soft = lg_deep_svdd(tape, z, centre, radius2, LG_SVDD_SOFT_BOUNDARY, 0.1, NULL);
    ck_assert(value_of(soft) == 0);
    ck_assert_int_eq(lg_backward(tape, soft), LG_OK);
    ck_assert(lg_tensor_grad(radius2)[0] == 0);
    ck_assert(value_of(lg_deep_svdd(tape, z, centre, NULL, LG_SVDD_ONE_CLASS, 0.1, NULL)) == 0);

    lg_tape_reset(tape); /* a part without samples is 0, the other counts */
    empty = lg_variable(tape, LG_SHAPE(0), NULL);
    lg_tensor *fake = row_of(VALUES(0));
    lg_tensor *critic = lg_gan_discriminator(tape, empty, fake, LG_GAN_MINIMAX, 1, true, NULL);
    ck_assert_double_eq_tol(value_of(critic), log(2), 1e-7);
    ck_assert_int_eq(lg_backward(tape, critic), LG_OK);
    ck_assert(lg_tensor_grad(fake)[0] == (lg_real)0.5);
    ck_assert(value_of(lg_gan_discriminator(tape, empty, empty, LG_GAN_WGAN, 1, true, NULL)) == 0);
}
END_TEST

START_TEST(nan_makes_the_loss_of_its_batch_or_sample_nan)
{
    const lg_real nan_value = (lg_real)NAN;
    lg_tensor *bad = row_of(VALUES(1, nan_value)), *good = row_of(VALUES(1));
    for (int mode = LG_GAN_MINIMAX; mode <= LG_GAN_HINGE; mode++)
        ck_assert_msg(isnan(value_of(lg_gan_discriminator(tape, good, bad, (lg_gan_critic)mode, 1, true, NULL))), "mode %d", mode);
    ck_assert(isnan(value_of(lg_one_class_svm(tape, bad, good, NULL, 0.5, NULL))));
    lg_tensor *z = lg_variable(tape, LG_SHAPE(2, 1), (const lg_real[]){ nan_value, 3 });
    lg_tensor *centre = lg_constant(tape, LG_SHAPE(1), (const lg_real[]){ 1 });
    lg_tensor *each = lg_deep_svdd(tape, z, centre, NULL, LG_SVDD_ONE_CLASS, 0.1, &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    ck_assert(isnan((double)lg_tensor_data(each)[0]) && lg_tensor_data(each)[1] == 4);
    ck_assert(isnan(value_of(lg_deep_svdd(tape, z, centre, good, LG_SVDD_SOFT_BOUNDARY, 0.1, NULL))));
}
END_TEST

/* ------------------------------------------------------------ equivalences */

START_TEST(vae_with_beta_zero_is_the_reconstruction)
{
    lg_rng rng = lg_rng_seed(1);
    lg_tensor *pred = lg_tensor_uniform(LG_SHAPE(4, 5), 0.1, 0.9, &rng), *target = lg_tensor_uniform(LG_SHAPE(4, 5), 0, 1, &rng);
    lg_tensor *mu = lg_tensor_full(LG_SHAPE(4, 2), INFINITY);
    for (int kind = LG_RECONSTRUCT_MSE; kind <= LG_RECONSTRUCT_BCE_LOGITS; kind++)
        ck_assert(value_of(lg_vae(tape, pred, target, mu, mu, 0, (lg_reconstruction_kind)kind, NULL)) ==
                  value_of(lg_reconstruction(tape, pred, target, (lg_reconstruction_kind)kind, LG_FEATURES_SUM, NULL)));
    lg_tensor_free(pred);
    lg_tensor_free(target);
    lg_tensor_free(mu);
}
END_TEST

START_TEST(a_centre_is_the_mean_kept_away_from_zero)
{
    const lg_real outputs[] = { 1, (lg_real)0.0625, (lg_real)-0.0625, -3, (lg_real)0.5, 2, 0, 0, -1, (lg_real)-0.5 };
    lg_tensor *z = lg_tensor_from(LG_SHAPE(2, 5), outputs);
    lg_tensor *centre = lg_deep_svdd_centre(z, 0.125);
    const lg_real want[] = { (lg_real)1.5, (lg_real)0.125, (lg_real)-0.125, -2, (lg_real)0.125 };
    ck_assert_msg(centre != NULL && lg_tensor_size(centre) == 5, "%s", lg_error());
    for (size_t k = 0; k < 5; k++)
        ck_assert_msg(lg_tensor_data(centre)[k] == want[k], "centre[%zu] is %g", k, (double)lg_tensor_data(centre)[k]);
    lg_tensor_free(centre);
    lg_tensor_data(z)[3] = (lg_real)NAN;
    ck_assert_ptr_null(lg_deep_svdd_centre(z, 0.1));
    ck_assert_str_eq(lg_error(), "lg_deep_svdd_centre: z[3] is nan, but must be finite");
    ck_assert_ptr_null(lg_deep_svdd_centre(z, -1));
    ck_assert_str_eq(lg_error(), "lg_deep_svdd_centre: least is -1, but must be finite and >= 0");
    lg_tensor *flat = lg_tensor_zeros(LG_SHAPE(3));
    ck_assert_ptr_null(lg_deep_svdd_centre(flat, 0.1));
    ck_assert_str_eq(lg_error(), "lg_deep_svdd_centre: z is [3], but must be [N, D] with at least one sample");
    lg_error_clear();
    ck_assert_ptr_null(lg_deep_svdd_centre(NULL, 0.1));
    ck_assert_int_eq(lg_error_code(), LG_E_PARAM);
    lg_tensor_free(flat);
    lg_tensor_free(z);
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

START_TEST(wrong_calls_of_generative_losses_are_explained)
{
    lg_tensor *x = row_of(VALUES(0, (lg_real)1.5)), *square = lg_variable(tape, LG_SHAPE(2, 2), (const lg_real[]){ 0, 1, 2, 0 });
    lg_tensor *half = lg_variable(tape, LG_SHAPE(2, 2), (const lg_real[]){ (lg_real)0.5, 1, 0, 0 });
    lg_tensor *data = lg_constant(tape, LG_SHAPE(2, 2), (const lg_real[]){ 0, 1, 2, 0 });
    lg_tensor *unit = lg_constant(tape, LG_SHAPE(2, 2), (const lg_real[]){ 0, 1, 1, 0 });
    lg_tensor *wide = lg_variable(tape, LG_SHAPE(2, 3), (const lg_real[]){ 0, 0, 0, 0, 0, 0 });
    refuses(lg_gan_discriminator(tape, x, x, LG_GAN_LSGAN, 0.9, true, NULL), LG_E_PARAM,
            "gan_discriminator: real_label is for mode=minimax, but is 0.9");
    refuses(lg_gan_discriminator(tape, x, x, LG_GAN_HINGE, 1, false, &(lg_loss_options){ .unchecked = true }), LG_E_PARAM,
            "gan_discriminator: from_logits=false is for mode=minimax; the other modes take scores");
    refuses(lg_gan_discriminator(tape, x, x, LG_GAN_MINIMAX, 0, true, NULL), LG_E_PARAM,
            "gan_discriminator: real_label is 0, but must be in (0, 1]");
    refuses(lg_gan_discriminator(tape, x, x, LG_GAN_MINIMAX, 1, false, NULL), LG_E_DOMAIN,
            "gan_discriminator: real[1] is 1.5, but must be a probability in [0, 1] (or set from_logits)");
    refuses(lg_gan_generator(tape, x, LG_GENERATOR_WGAN, false, NULL), LG_E_PARAM,
            "gan_generator: from_logits=false is for mode=non_saturating or minimax; the other modes take scores");
    refuses(lg_gan_generator(tape, x, LG_GENERATOR_MINIMAX, false, NULL), LG_E_DOMAIN,
            "gan_generator: fake[1] is 1.5, but must be a probability in [0, 1] (or set from_logits)");
    refuses(lg_reconstruction(tape, half, data, LG_RECONSTRUCT_BCE_LOGITS, LG_FEATURES_SUM, NULL), LG_E_DOMAIN,
            "reconstruction: target[2] is 2, but must be in [0, 1]");
    refuses(lg_reconstruction(tape, square, unit, LG_RECONSTRUCT_BCE, LG_FEATURES_SUM, NULL), LG_E_DOMAIN,
            "reconstruction: pred[2] is 2, but must be a probability in [0, 1]");
    refuses(lg_reconstruction(tape, half, half, LG_RECONSTRUCT_MSE, LG_FEATURES_SUM, NULL), LG_E_PARAM,
            "reconstruction: target requires a gradient, but the loss has none by it");
    refuses(lg_vae(tape, half, unit, half, wide, 1, LG_RECONSTRUCT_BCE, NULL), LG_E_SHAPE,
            "vae: mu is [2, 2], but log_var is [2, 3]");
    refuses(lg_vae(tape, half, unit, half, half, -1, LG_RECONSTRUCT_BCE, NULL), LG_E_PARAM,
            "vae: beta is -1, but must be finite and >= 0");
}
END_TEST

START_TEST(wrong_calls_of_anomaly_losses_are_explained)
{
    lg_tensor *pair = row_of(VALUES(1, 2)), *one = row_of(VALUES(-1)), *z = lg_variable(tape, LG_SHAPE(1, 2), (const lg_real[]){ 1, 2 });
    lg_tensor *centre = lg_constant(tape, LG_SHAPE(2), (const lg_real[]){ 1, 1 });
    lg_tensor *three = lg_constant(tape, LG_SHAPE(3), (const lg_real[]){ 1, 1, 1 });
    refuses(lg_one_class_svm(tape, pair, pair, NULL, 0.1, NULL), LG_E_SHAPE, "one_class_svm: rho is [2], but must have one element");
    refuses(lg_one_class_svm(tape, pair, one, NULL, 0, NULL), LG_E_PARAM, "one_class_svm: nu is 0, but must be in (0, 1]");
    refuses(lg_deep_svdd(tape, z, three, NULL, LG_SVDD_ONE_CLASS, 0.1, NULL), LG_E_SHAPE,
            "deep_svdd: z is [1, 2] and centre [3]; [N, D] and [D] are wanted");
    refuses(lg_deep_svdd(tape, z, centre, one, LG_SVDD_ONE_CLASS, 0.1, NULL), LG_E_PARAM,
            "deep_svdd: radius2 is for mode=soft_boundary");
    refuses(lg_deep_svdd(tape, z, centre, NULL, LG_SVDD_SOFT_BOUNDARY, 0.1, NULL), LG_E_PARAM,
            "deep_svdd: mode=soft_boundary needs radius2");
    refuses(lg_deep_svdd(tape, z, centre, one, LG_SVDD_SOFT_BOUNDARY, 0.1, NULL), LG_E_DOMAIN,
            "deep_svdd: radius2 is -1, but must not be negative");
    refuses(lg_deep_svdd(tape, z, centre, NULL, LG_SVDD_ONE_CLASS, 1.5, NULL), LG_E_PARAM,
            "deep_svdd: nu is 1.5, but must be in (0, 1]");
    refuses(lg_deep_svdd(tape, z, z, NULL, LG_SVDD_ONE_CLASS, 0.1, NULL), LG_E_PARAM,
            "deep_svdd: centre requires a gradient, but the loss has none by it");
}
END_TEST

/* ---------------------------------------------------- for the whole table */

static void give(loss_trial *trial, size_t input, size_t rank, const size_t *dims, lg_rng *rng)
{
    trial->inputs[input] = random_input(rank, dims, &trial->spec.info->inputs[input], trial, 0, rng);
}

static void one_unit(loss_trial *trial, size_t inputs)
{
    trial->count = inputs;
    trial->units = 1;
    trial->unit_rank = 0;
    trial->units_are_rows = false;
}

static void build_discriminator(loss_trial *trial, size_t variant, lg_rng *rng)
{
    one_unit(trial, 2);
    if (lg_loss_get(&trial->spec, "mode") != LG_GAN_MINIMAX)
        ck_assert_int_eq(lg_loss_set(&trial->spec, "real_label=1,from_logits=true"), LG_OK);
    give(trial, 0, LG_SHAPE(3 + variant % 3), rng);
    give(trial, 1, LG_SHAPE(2, 2), rng);
    trial->second_batch = 1;
}

static void build_svm(loss_trial *trial, size_t variant, lg_rng *rng)
{
    one_unit(trial, 3);
    give(trial, 0, LG_SHAPE(4 + variant % 3), rng);
    give(trial, 1, LG_SHAPE(1), rng);
    give(trial, 2, LG_SHAPE(3), rng);
}

static void build_svdd(loss_trial *trial, size_t variant, lg_rng *rng)
{
    const bool soft = lg_loss_get(&trial->spec, "mode") == LG_SVDD_SOFT_BOUNDARY;
    const size_t samples = 3 + variant % 3;
    one_unit(trial, soft ? 3 : 2);
    give(trial, 0, LG_SHAPE(samples, 2), rng);
    give(trial, 1, LG_SHAPE(2), rng);
    if (soft) {
        trial->inputs[2] = lg_tensor_full(LG_SHAPE(1), 2.5);
        lg_tensor_require_grad(trial->inputs[2], true);
        return;
    }
    trial->unit_rank = 1;
    trial->units = trial->unit_dims[0] = samples;
    trial->units_are_rows = true;
}

/* Cross-entropies want what lies in [0, 1]. */
static void build_autoencoder(loss_trial *trial, size_t variant, lg_rng *rng)
{
    const bool vae = strcmp(trial->spec.info->name, "vae") == 0;
    const double kind = lg_loss_get(&trial->spec, vae ? "recon" : "kind");
    const size_t dims[] = { 2 + variant % 3, 3, 2 }, rank = 2 + variant % 2;
    one_unit(trial, vae ? 4 : 2);
    trial->unit_rank = 1;
    trial->units = trial->unit_dims[0] = dims[0];
    trial->units_are_rows = true;
    trial->inputs[0] = kind == LG_RECONSTRUCT_BCE ? trial_uniform(rank, dims, 0.05, 0.95, rng)
                                                  : trial_normal(rank, dims, 0, 1.5, rng);
    trial->inputs[1] = kind >= LG_RECONSTRUCT_BCE ? trial_uniform(rank, dims, 0, 1, rng)
                                                  : trial_normal(rank, dims, 0, 1.5, rng);
    lg_tensor_require_grad(trial->inputs[0], true);
    for (size_t i = 2; i < trial->count; i++)
        give(trial, i, LG_SHAPE(dims[0], 4), rng);
}

const loss_builder generative_loss_builders[] = {
    { "reconstruction", 5, build_autoencoder }, { "vae", 5, build_autoencoder },
    { "gan_discriminator", 5, build_discriminator }, { "one_class_svm", 3, build_svm }, { "deep_svdd", 5, build_svdd }, { 0 }
};

Suite *losses_generative_suite(void)
{
    Suite *suite = suite_create("losses_generative");
    TCase *reference = tcase_create("reference");
    tcase_add_loop_test(reference, values_and_gradients_equal_pytorch_in_every_reduction, 0,
                        (int)(sizeof reference_calls / sizeof reference_calls[0]));
    suite_add_tcase(suite, reference);
    TCase *cases = tcase_create("cases");
    tcase_add_checked_fixture(cases, open_tape, close_tape);
    tcase_add_test(cases, a_gan_that_knows_nothing_costs_logarithms_of_two);
    tcase_add_test(cases, divergence_and_evidence_bound_have_their_worked_values);
    tcase_add_test(cases, boundaries_have_their_worked_values);
    tcase_add_test(cases, divergence_keeps_its_digits_near_the_standard_normal);
    tcase_add_test(cases, extreme_values_stay_finite_or_become_what_they_must);
    tcase_add_test(cases, at_kinks_the_derivative_is_zero);
    tcase_add_test(cases, without_samples_a_batch_costs_nothing);
    tcase_add_test(cases, nan_makes_the_loss_of_its_batch_or_sample_nan);
    tcase_add_test(cases, vae_with_beta_zero_is_the_reconstruction);
    tcase_add_test(cases, a_centre_is_the_mean_kept_away_from_zero);
    tcase_add_test(cases, wrong_calls_of_generative_losses_are_explained);
    tcase_add_test(cases, wrong_calls_of_anomaly_losses_are_explained);
    suite_add_tcase(suite, cases);
    return suite;
}

/* Losses that learn what is normal (anomaly.h). */
#include "losses/anomaly.h"

#include "losses/loss_internal.h"
#include "tensor/memory_internal.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

/* NaN stays NaN. */
static double positive_part(double x)
{
    return x <= 0 ? 0 : x;
}

static lg_status check_single(const lg_loss_batch *b, int input)
{
    char text[LG_SHAPE_TEXT_BYTES];
    if (b->inputs[input]->size == 1)
        return LG_OK;
    return lg_fail(LG_E_SHAPE, "%s: %s is %s, but must have one element", b->info->name, b->info->inputs[input].name,
                   lg_tensor_shape_text(b->inputs[input], text, sizeof text));
}

/* ----------------------------------------------------------- one_class_svm */

enum { SVM_SCORES, SVM_RHO, SVM_W };
enum { SVM_NU };

static lg_status svm_plan(lg_loss_batch *b)
{
    return check_single(b, SVM_RHO);
}

static void svm_value(lg_loss_batch *b)
{
    const lg_tensor *scores = b->inputs[SVM_SCORES], *w = b->inputs[SVM_W];
    const double rho = (double)b->inputs[SVM_RHO]->real[0];
    double squares = 0, errors = 0;
    for (size_t i = 0; w && i < w->size; i++)
        squares += (double)w->real[i] * (double)w->real[i];
    for (size_t i = 0; i < scores->size; i++)
        errors += positive_part(rho - (double)scores->real[i]);
    b->loss[0] = scores->size == 0 ? 0
                                   : (lg_real)(squares / 2 - rho + errors / (b->param[SVM_NU] * (double)scores->size));
}

static void svm_derivative(lg_loss_batch *b)
{
    const lg_tensor *scores = b->inputs[SVM_SCORES], *w = b->inputs[SVM_W];
    const lg_real rho = b->inputs[SVM_RHO]->real[0], factor = scores->size == 0 ? 0 : b->factor[0];
    const double each = factor == 0 ? 0 : (double)factor / (b->param[SVM_NU] * (double)scores->size);
    size_t below = 0;
    for (size_t i = 0; i < scores->size; i++) {
        const bool wrong = scores->real[i] < rho;
        below += wrong;
        if (b->d[SVM_SCORES])
            b->d[SVM_SCORES][i] = wrong ? (lg_real)-each : 0;
    }
    if (b->d[SVM_RHO])
        b->d[SVM_RHO][0] = (lg_real)(each * (double)below - (double)factor);
    for (size_t i = 0; b->d[SVM_W] && i < w->size; i++)
        b->d[SVM_W][i] = factor == 0 ? 0 : factor * w->real[i];
}

const lg_loss_info lg_one_class_svm_row = {
    .name = "one_class_svm",
    .family = "anomaly",
    .summary = "only normal samples are known, and a boundary around most of them is wanted",
    .formula = "|w|^2 / 2 - rho + sum_i max(0, rho - s_i) / (nu N)",
    .output = "one score per sample, a linear function of its features",
    .reference = "sklearn.svm.OneClassSVM; Schoelkopf et al. 2001",
    .tasks = LG_TASK_ANOMALY,
    .units = LG_UNIT_BATCH,
    .inputs = { { "scores", .differentiable = true },
                { "rho", .layout = LG_WHOLE, .differentiable = true },
                { "w", .layout = LG_WHOLE, .differentiable = true, .optional = true } },
    .params = { { .name = "nu", .initial = 0.1, .high = 1, .low_open = true } },
    .plan = svm_plan,
    .value = svm_value,
    .derivative = svm_derivative,
};

lg_tensor *lg_one_class_svm(lg_tape *tape, lg_tensor *scores, lg_tensor *rho, lg_tensor *w, double nu,
                            const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_one_class_svm_row, (lg_tensor *[]){ scores, rho, w }, (double[]){ nu }, 1, options);
}

/* --------------------------------------------------------------- deep_svdd */

enum { SVDD_Z, SVDD_CENTRE, SVDD_RADIUS2 };
enum { SVDD_MODE, SVDD_NU };

static bool is_soft(const lg_loss_batch *b)
{
    return b->param[SVDD_MODE] == LG_SVDD_SOFT_BOUNDARY;
}

static lg_status svdd_plan(lg_loss_batch *b)
{
    const lg_tensor *z = b->inputs[SVDD_Z], *centre = b->inputs[SVDD_CENTRE], *radius2 = b->inputs[SVDD_RADIUS2];
    char shape[LG_SHAPE_TEXT_BYTES], of_centre[LG_SHAPE_TEXT_BYTES];
    if (z->rank != 2 || centre->size != z->dims[1])
        return lg_fail(LG_E_SHAPE, "%s: z is %s and centre %s; [N, D] and [D] are wanted", b->info->name,
                       lg_tensor_shape_text(z, shape, sizeof shape),
                       lg_tensor_shape_text(centre, of_centre, sizeof of_centre));
    b->scratch_bytes = z->dims[0] * sizeof(double);
    if (!is_soft(b)) {
        b->rank = 1;
        b->dims[0] = z->dims[0];
        return !radius2 ? LG_OK : lg_fail(LG_E_PARAM, "%s: radius2 is for mode=soft_boundary", b->info->name);
    }
    if (!radius2)
        return lg_fail(LG_E_PARAM, "%s: mode=soft_boundary needs radius2", b->info->name);
    lg_status status = check_single(b, SVDD_RADIUS2);
    if (status == LG_OK && !b->options->unchecked && radius2->real[0] < 0)
        return lg_fail(LG_E_DOMAIN, "%s: radius2 is %g, but must not be negative", b->info->name, (double)radius2->real[0]);
    return status;
}

static double squared_distance(size_t width, const lg_real *z, const lg_real *centre)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t k = 0; k < width; k++) {
        const double e = (double)z[k] - (double)centre[k];
        sum += e * e;
    }
    return sum;
}

/* The squared distances stay in scratch. */
static void svdd_value(lg_loss_batch *b)
{
    const lg_tensor *z = b->inputs[SVDD_Z];
    const size_t samples = z->dims[0], width = z->dims[1];
    double *squares = b->scratch, outside = 0;
    for (size_t i = 0; i < samples; i++)
        squares[i] = squared_distance(width, z->real + i * width, b->inputs[SVDD_CENTRE]->real);
    if (!is_soft(b)) {
        for (size_t i = 0; i < samples; i++)
            b->loss[i] = (lg_real)squares[i];
        return;
    }
    const double radius2 = (double)b->inputs[SVDD_RADIUS2]->real[0];
    for (size_t i = 0; i < samples; i++)
        outside += positive_part(squares[i] - radius2);
    b->loss[0] = samples == 0 ? 0 : (lg_real)(radius2 + outside / (b->param[SVDD_NU] * (double)samples));
}

static void svdd_derivative(lg_loss_batch *b)
{
    const lg_tensor *z = b->inputs[SVDD_Z];
    const lg_real *centre = b->inputs[SVDD_CENTRE]->real;
    const size_t samples = z->dims[0], width = z->dims[1];
    const double *squares = b->scratch, radius2 = is_soft(b) ? (double)b->inputs[SVDD_RADIUS2]->real[0] : 0;
    const double each = is_soft(b) && samples > 0 ? (double)b->factor[0] / (b->param[SVDD_NU] * (double)samples) : 0;
    size_t outside = 0;
    for (size_t i = 0; i < samples; i++) {
        const bool counts = !is_soft(b) || squares[i] > radius2;
        const lg_real factor = !counts ? 0 : is_soft(b) ? (lg_real)each : b->factor[i];
        outside += counts;
        for (size_t k = 0; b->d[SVDD_Z] && k < width; k++)
            b->d[SVDD_Z][i * width + k] = factor == 0 ? 0 : 2 * factor * (z->real[i * width + k] - centre[k]);
    }
    if (b->d[SVDD_RADIUS2])
        b->d[SVDD_RADIUS2][0] = samples == 0 ? 0 : (lg_real)((double)b->factor[0] - each * (double)outside);
}

const lg_loss_info lg_deep_svdd_row = {
    .name = "deep_svdd",
    .family = "anomaly",
    .summary = "only normal samples are known, and a network is to map them close together",
    .formula = "|z - c|^2 (one_class); R2 + sum_i max(0, |z_i - c|^2 - R2) / (nu N) (soft_boundary)",
    .output = "a point per sample, from layers without biases",
    .reference = "Ruff et al. 2018",
    .tasks = LG_TASK_ANOMALY,
    .units = LG_UNIT_BATCH,
    .inputs = { { "z", .differentiable = true },
                { "centre", .layout = LG_WHOLE },
                { "radius2", .layout = LG_WHOLE, .differentiable = true, .optional = true } },
    .params = { { .name = "mode", .high = 1, .choices = "one_class|soft_boundary" },
                { .name = "nu", .initial = 0.1, .high = 1, .low_open = true } },
    .aliases = { { "svdd", NULL } },
    .plan = svdd_plan,
    .value = svdd_value,
    .derivative = svdd_derivative,
};

lg_tensor *lg_deep_svdd(lg_tape *tape, lg_tensor *z, lg_tensor *centre, lg_tensor *radius2, lg_svdd_mode mode, double nu,
                        const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_deep_svdd_row, (lg_tensor *[]){ z, centre, radius2 }, (double[]){ (double)mode, nu }, 2,
                        options);
}

/* Adds up the columns in `sums`, and moves their means away from 0. */
static lg_status average_columns(const lg_tensor *z, double least, double *sums, lg_real *centre)
{
    const size_t samples = z->dims[0], width = z->dims[1];
    for (size_t i = 0; i < z->size; i++) {
        if (!isfinite(z->real[i]))
            return lg_fail(LG_E_DOMAIN, "lg_deep_svdd_centre: z[%zu] is %g, but must be finite", i, (double)z->real[i]);
        sums[i % width] += (double)z->real[i];
    }
    for (size_t k = 0; k < width; k++) {
        const double mean = sums[k] / (double)samples;
        centre[k] = (lg_real)(fabs(mean) >= least ? mean : mean < 0 ? -least : least);
    }
    return LG_OK;
}

lg_tensor *lg_deep_svdd_centre(const lg_tensor *z, double least)
{
    char text[LG_SHAPE_TEXT_BYTES];
    if (!z) {
        lg_fail_null("lg_deep_svdd_centre: z is NULL");
        return NULL;
    }
    if (!lg_tensor_alive(z) || z->dtype != LG_REAL) {
        lg_fail(LG_E_DTYPE, "lg_deep_svdd_centre: z must be a live tensor of real numbers");
        return NULL;
    }
    if (z->rank != 2 || z->dims[0] == 0) {
        lg_fail(LG_E_SHAPE, "lg_deep_svdd_centre: z is %s, but must be [N, D] with at least one sample",
                lg_tensor_shape_text(z, text, sizeof text));
        return NULL;
    }
    if (!(least >= 0) || isinf(least)) {
        lg_fail(LG_E_PARAM, "lg_deep_svdd_centre: least is %g, but must be finite and >= 0", least);
        return NULL;
    }
    lg_tensor *centre = lg_tensor_zeros(LG_SHAPE(z->dims[1]));
    double *sums = lg_calloc(z->dims[1], sizeof *sums, "lg_deep_svdd_centre");
    if (!centre || !sums || average_columns(z, least, sums, centre->real) != LG_OK) {
        lg_tensor_free(centre);
        centre = NULL;
    }
    free(sums);
    return centre;
}

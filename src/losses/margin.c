/* Hinge losses and the support vector machine (margin.h). */
#include "losses/margin.h"

#include "losses/loss_internal.h"
#include "losses/softmax_internal.h"
#include "tensor/tensor_internal.h"

/* -1 or 1 of a label written either way. */
LG_INLINE lg_real sign_of_label(lg_real label)
{
    return label > 0 ? 1 : -1;
}

/* max(0, x), where NaN stays. */
LG_INLINE lg_real positive_part(lg_real x)
{
    return x < 0 ? 0 : x;
}

/* ------------------------------------------------------------------ hinge */

/* m = 1 - y z:   loss = max(0, m),   dz = -y [m > 0] */
LG_LOSS_KERNEL(hinge, c, gradient)
{
    const lg_real *z = c->x[0], *target = c->x[1], scale = c->scale;
    lg_real *restrict loss = c->loss, *restrict dz = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real y = sign_of_label(target[i]), m = 1 - y * z[i];
        loss[i] = positive_part(m);
        if (gradient)
            dz[i] = m <= 0 ? 0 : scale * -y;
    }
}

const lg_loss_info lg_hinge_row = {
    .name = "hinge",
    .family = "margin",
    .summary = "two classes, by a maximum margin: support vector machines",
    .formula = "max(0, 1 - y z), y = -1 or 1",
    .output = "one score",
    .reference = "keras.losses.Hinge; sklearn.metrics.hinge_loss",
    .tasks = LG_TASK_BINARY,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "pred", .differentiable = true }, { "target", .domain = LG_BINARY_LABEL } },
    .params = { LG_PARAM_LABELS },
    .aliases = { { "hinge_loss", NULL } },
    .kernel = hinge,
};

lg_tensor *lg_hinge(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_hinge_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

/* m = max(0, 1 - y z):   loss = m^2,   dz = -2 y m */
LG_LOSS_KERNEL(squared_hinge, c, gradient)
{
    const lg_real *z = c->x[0], *target = c->x[1];
    lg_real *restrict loss = c->loss, *restrict dz = c->d[0];
    for (size_t i = 0; i < c->units; i++) {
        const lg_real y = sign_of_label(target[i]), m = positive_part(1 - y * z[i]);
        loss[i] = m * m;
        if (gradient)
            dz[i] = c->scale * -2 * y * m;
    }
}

const lg_loss_info lg_squared_hinge_row = {
    .name = "squared_hinge",
    .family = "margin",
    .summary = "two classes, by a maximum margin, with a smooth loss that punishes large violations more",
    .formula = "max(0, 1 - y z)^2, y = -1 or 1",
    .output = "one score",
    .reference = "keras.losses.SquaredHinge; sklearn.svm.LinearSVC(loss=\"squared_hinge\")",
    .tasks = LG_TASK_BINARY,
    .units = LG_UNIT_ELEMENT,
    .inputs = { { "pred", .differentiable = true }, { "target", .domain = LG_BINARY_LABEL } },
    .params = { LG_PARAM_LABELS },
    .kernel = squared_hinge,
};

lg_tensor *lg_squared_hinge(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_squared_hinge_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

/* -------------------------------------------------------------------- svm */

enum { SVM_LAMBDA, SVM_POWER, SVM_FORM, SVM_MINUS_BIAS };
enum { SVM_X, SVM_W, SVM_TARGET, SVM_BIAS };

static bool has_features(const lg_loss_batch *b)
{
    return b->param[SVM_FORM] != 0;
}

static lg_status svm_shapes(const lg_loss_batch *b)
{
    const lg_tensor *x = b->inputs[SVM_X], *w = b->inputs[SVM_W], *target = b->inputs[SVM_TARGET];
    const lg_tensor *bias = b->inputs[SVM_BIAS], *weight = b->options->sample_weight;
    char xt[LG_SHAPE_TEXT_BYTES], wt[LG_SHAPE_TEXT_BYTES], yt[LG_SHAPE_TEXT_BYTES];
    const size_t n = x->rank ? x->dims[0] : 1;
    const bool fits = has_features(b) ? x->rank == 2 && w->size == x->dims[1] : x->size == n;
    if (!fits || target->size != n)
        return lg_fail(LG_E_SHAPE, "svm: %s %s, w %s, target %s; %s are wanted", has_features(b) ? "x" : "scores",
                       lg_tensor_shape_text(x, xt, sizeof xt), lg_tensor_shape_text(w, wt, sizeof wt),
                       lg_tensor_shape_text(target, yt, sizeof yt),
                       has_features(b) ? "[N, D], [D], [N]" : "[N], [D], [N]");
    if (bias && (!has_features(b) || bias->size != 1))
        return lg_fail(LG_E_SHAPE, "svm: the bias %s; one element, beside features x, is wanted",
                       lg_tensor_shape_text(bias, xt, sizeof xt));
    if (weight && (weight->dtype != LG_REAL || weight->size != n))
        return lg_fail(LG_E_SHAPE, "svm: sample_weight %s; [%zu] is wanted",
                       lg_tensor_shape_text(weight, xt, sizeof xt), n);
    for (size_t i = 0; weight && i < n; i++)
        if (!(weight->real[i] >= 0) || isinf(weight->real[i]))
            return lg_fail(LG_E_DOMAIN, "svm: sample_weight[%zu] is %g, but a weight is finite and not negative", i,
                           (double)weight->real[i]);
    return lg_gemm_check("svm", n, 1, w->size);
}

static lg_status svm_plan(lg_loss_batch *b)
{
    lg_status status = svm_shapes(b);
    b->scratch_bytes = b->inputs[SVM_TARGET] ? b->inputs[SVM_TARGET]->size * sizeof(lg_real) : 0; /* dz */
    return status;
}

/* What the sum of the hinge terms is divided by. */
static double svm_divisor(const lg_loss_batch *b)
{
    const lg_tensor *weight = b->options->sample_weight;
    if (b->options->reduction == LG_REDUCE_SUM)
        return 1;
    if (b->options->reduction == LG_REDUCE_WEIGHTED_MEAN && weight)
        return lg_sum_of(weight->real, weight->size);
    return (double)b->inputs[SVM_TARGET]->size;
}

/* The sum of w max(0, 1 - y (z + shift))^power, w = 1 without weights, and dz of share times that; a weight of 0 drops
 * its sample, even a NaN. dz may be z. */
LG_INLINE double svm_terms(size_t n, const lg_real *z, lg_real shift, const lg_real *target, const lg_real *weight,
                           bool squared, lg_real share, lg_real *dz)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        const lg_real y = sign_of_label(target[i]), m = positive_part(1 - y * (z[i] + shift)), own = weight ? weight[i] : 1;
        const lg_real term = own * (squared ? m * m : m), slope = share * own * -y * (squared ? 2 * m : m == 0 ? 0 : 1);
        sum += own == 0 ? 0 : (double)term;
        dz[i] = own == 0 ? 0 : slope;
    }
    return sum;
}

LG_CLONES static double svm_unweighted(size_t n, const lg_real *z, lg_real shift, const lg_real *target, bool squared,
                                       lg_real share, lg_real *dz)
{
    return squared ? svm_terms(n, z, shift, target, NULL, true, share, dz)
                   : svm_terms(n, z, shift, target, NULL, false, share, dz);
}

LG_CLONES static double svm_weighted(size_t n, const lg_real *z, lg_real shift, const lg_real *target,
                                     const lg_real *weight, bool squared, lg_real share, lg_real *dz)
{
    return svm_terms(n, z, shift, target, weight, squared, share, dz);
}

/* scratch: z first, then dz in its place, which derivative only has to scale. */
static void svm_value(lg_loss_batch *b)
{
    const lg_tensor *x = b->inputs[SVM_X], *w = b->inputs[SVM_W], *target = b->inputs[SVM_TARGET];
    const lg_tensor *bias = b->inputs[SVM_BIAS], *weight = b->options->sample_weight;
    const size_t n = target->size;
    const lg_real shift = !bias ? 0 : b->param[SVM_MINUS_BIAS] != 0 ? -bias->real[0] : bias->real[0];
    const bool squared = b->param[SVM_POWER] != 0;
    lg_real *dz = b->scratch;
    if (has_features(b))
        lg_gemm(false, false, n, 1, w->size, x->real, w->real, 0, dz);
    const double divisor = svm_divisor(b), share = divisor > 0 ? 1 / divisor : 0;
    const lg_real *z = has_features(b) ? dz : x->real;
    const double sum = weight ? svm_weighted(n, z, shift, target->real, weight->real, squared, (lg_real)share, dz)
                              : svm_unweighted(n, z, shift, target->real, squared, (lg_real)share, dz);
    double norm = 0;
    for (size_t k = 0; k < w->size; k++)
        norm += (double)w->real[k] * (double)w->real[k];
    b->loss[0] = n == 0 ? 0 : (lg_real)(b->param[SVM_LAMBDA] * norm + sum * share);
    b->counts = b->options->reduction == LG_REDUCE_SUM ? 0 : divisor;
}

LG_CLONES static void svm_derivative(lg_loss_batch *b)
{
    const lg_tensor *x = b->inputs[SVM_X], *w = b->inputs[SVM_W];
    const size_t n = b->inputs[SVM_TARGET]->size;
    const lg_real factor = b->factor[0], pull = n == 0 ? 0 : factor * 2 * (lg_real)b->param[SVM_LAMBDA];
    lg_real *dz = b->scratch, *dx = b->d[SVM_X], *dw = b->d[SVM_W], *db = b->d[SVM_BIAS];
    for (size_t i = 0; i < n; i++)
        dz[i] *= factor;
    for (size_t k = 0; dw && k < w->size; k++)
        dw[k] = pull * w->real[k];
    if (!has_features(b)) {
        for (size_t i = 0; dx && i < n; i++)
            dx[i] = dz[i];
        return;
    }
    if (dw)
        lg_gemm(true, false, w->size, 1, n, x->real, dz, 1, dw);
    if (db)
        db[0] = (lg_real)lg_sum_of(dz, n) * (b->param[SVM_MINUS_BIAS] != 0 ? -1 : 1);
    if (dx)
        lg_gemm(false, false, n, w->size, 1, dz, w->real, 0, dx);
}

const lg_loss_info lg_svm_row = {
    .name = "svm",
    .family = "margin",
    .summary = "the whole objective of a linear support vector machine, penalty included",
    .formula = "lambda |w|^2 + mean max(0, 1 - y z)^power, z given or x w + b",
    .output = "one score per sample, or features and weights",
    .reference = "sklearn.svm.SVC(kernel=\"linear\", C=1/(2 lambda N)); Shalev-Shwartz et al. 2007",
    .tasks = LG_TASK_BINARY,
    .takes = LG_OWN_REDUCTION,
    .units = LG_UNIT_BATCH,
    .inputs = { { "x", .differentiable = true },
                { "w", .differentiable = true },
                { "target", .domain = LG_BINARY_LABEL },
                { "bias", .differentiable = true, .optional = true } },
    .params = { { .name = "lambda", .initial = 0.01, .high = INFINITY },
                { .name = "power", .high = 1, .choices = "1|2" },
                { .name = "form", .high = 1, .choices = "scores|features" },
                { .name = "minus_bias", .high = 1, .choices = "false|true" },
                LG_PARAM_LABELS },
    .aliases = { { "svm_hinge", NULL } },
    .plan = svm_plan,
    .value = svm_value,
    .derivative = svm_derivative,
};

/* The position of a power among the choices "1|2"; no position for any other, which the check of parameters names. */
static double power_choice(int power)
{
    return power - 1;
}

lg_tensor *lg_svm(lg_tape *tape, lg_tensor *scores, lg_tensor *w, lg_tensor *target, double lambda, int power,
                  const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_svm_row, (lg_tensor *[]){ scores, w, target, NULL },
                        (const double[]){ lambda, power_choice(power), 0, 0 }, 4, options);
}

lg_tensor *lg_svm_linear(lg_tape *tape, lg_tensor *x, lg_tensor *w, lg_tensor *bias, lg_tensor *target, double lambda,
                         int power, bool minus_bias, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_svm_row, (lg_tensor *[]){ x, w, target, bias },
                        (const double[]){ lambda, power_choice(power), 1, minus_bias }, 4, options);
}

/* ------------------------------------------------------ categorical_hinge */

/* m = 1 + max_k (1 - y_k) z_k - sum_k y_k z_k:   loss = max(0, m),   dz_k = [m > 0] ((1 - y_k) [k = top] - y_k) */
LG_LOSS_KERNEL(categorical_hinge, c, gradient)
{
    const size_t classes = c->width[0];
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *z = c->x[0] + u * classes, *y = c->x[1] + u * classes;
        double own = 0;
        size_t top = 0;
#pragma omp simd reduction(+ : own)
        for (size_t k = 0; k < classes; k++)
            own += (double)y[k] * (double)z[k];
        for (size_t k = 1; k < classes; k++)
            top = (1 - y[k]) * z[k] > (1 - y[top]) * z[top] ? k : top;
        const lg_real m = (lg_real)(1 + (1 - (double)y[top]) * (double)z[top] - own);
        c->loss[u] = positive_part(m);
        for (size_t k = 0; gradient && k < classes; k++)
            c->d[0][u * classes + k] = m <= 0 ? 0 : c->scale * ((k == top ? 1 - y[k] : 0) - y[k]);
    }
}

const lg_loss_info lg_categorical_hinge_row = {
    .name = "categorical_hinge",
    .family = "margin",
    .summary = "one of several classes by a maximum margin, given as one-hot rows",
    .formula = "max(0, 1 + max_k (1 - y_k) z_k - sum_k y_k z_k)",
    .output = "one score per class",
    .reference = "keras.losses.CategoricalHinge",
    .tasks = LG_TASK_MULTICLASS,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "pred", .differentiable = true }, { "target", .domain = LG_UNIT_INTERVAL } },
    .kernel = categorical_hinge,
};

lg_tensor *lg_categorical_hinge(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_categorical_hinge_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

/* ----------------------------------------------------------- multi_margin */

enum { MULTI_POWER, MULTI_MARGIN };

/* u_k = margin - z_y + z_k:   loss = (w_y / C) sum_{k != y} max(0, u_k)^power
 *   dz_k = (w_y / C) power max(0, u_k)^(power-1) [u_k > 0],   dz_y = -sum of those */
LG_LOSS_KERNEL(multi_margin, c, gradient)
{
    const size_t classes = c->width[0];
    const bool squared = c->param[MULTI_POWER] != 0;
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *z = c->x[0] + u * classes;
        const size_t label = (size_t)c->label[u];
        const lg_real offset = (lg_real)c->param[MULTI_MARGIN] - z[label];
        const lg_real share = (c->class_weight ? c->class_weight[label] : 1) / (lg_real)classes;
        lg_real *restrict slope = c->scratch;
        double sum = 0, slopes = 0;
#pragma omp simd reduction(+ : sum, slopes)
        for (size_t k = 0; k < classes; k++) {
            const lg_real m = k == label ? 0 : positive_part(offset + z[k]);
            sum += (double)(squared ? m * m : m);
            slope[k] = squared ? 2 * m : m == 0 ? 0 : 1;
            slopes += (double)slope[k];
        }
        c->loss[u] = share * (lg_real)sum;
        for (size_t k = 0; gradient && k < classes; k++)
            c->d[0][u * classes + k] = c->scale * share * (k == label ? -(lg_real)slopes : slope[k]);
    }
}

const lg_loss_info lg_multi_margin_row = {
    .name = "multi_margin",
    .family = "margin",
    .summary = "one of several classes by a maximum margin, given as its index",
    .formula = "(w[target] / C) sum_{k != target} max(0, margin - z[target] + z_k)^power",
    .output = "one score per class",
    .reference = "torch.nn.MultiMarginLoss",
    .tasks = LG_TASK_MULTICLASS,
    .takes = LG_TAKES_CLASS_WEIGHT,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "pred", .differentiable = true }, { "target", .layout = LG_PER_UNIT, .domain = LG_CLASS_INDEX } },
    .params = { { .name = "power", .high = 1, .choices = "1|2" }, { .name = "margin", .initial = 1 } },
    .kernel = multi_margin,
};

lg_tensor *lg_multi_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target, int power, double margin,
                           const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_multi_margin_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ power_choice(power), margin }, 2, options);
}

/* ------------------------------------------------------ multilabel_margin */

/* loss = (1 / C) sum over labels j, others i of max(0, 1 - z_j + z_i); each active pair moves dz_j and dz_i by 1 / C */
LG_LOSS_KERNEL(multilabel_margin, c, gradient)
{
    const size_t classes = c->width[0];
    const lg_real share = 1 / (lg_real)classes;
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *z = c->x[0] + u * classes;
        const int32_t *labels = c->label + u * classes;
        lg_real *is_label = c->scratch, *d = c->scratch_2;
        double sum = any_nan(z, classes) ? NAN : 0;
        for (size_t k = 0; k < classes; k++)
            is_label[k] = d[k] = 0;
        for (size_t j = 0; j < classes && labels[j] >= 0; j++)
            is_label[labels[j]] = 1;
        for (size_t j = 0; j < classes && labels[j] >= 0; j++) {
            for (size_t i = 0; i < classes; i++) {
                const lg_real m = 1 - z[labels[j]] + z[i];
                if (is_label[i] != 0 || !(m > 0))
                    continue;
                sum += (double)m;
                d[i] += share;
                d[labels[j]] -= share;
            }
        }
        c->loss[u] = share * (lg_real)sum;
        for (size_t k = 0; gradient && k < classes; k++)
            c->d[0][u * classes + k] = c->scale * d[k];
    }
}

/* The labels are indices into memory: checked whatever the options say. */
static lg_status check_label_lists(const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                                   const lg_loss_options *options)
{
    const lg_tensor *pred = inputs[0], *target = inputs[1];
    const size_t classes = pred->dims[pred->rank - 1];
    (void)params;
    if (options->class_axis && options->class_axis != pred->rank - 1)
        return lg_fail(LG_E_PARAM, "%s: the classes must be on the last axis", info->name);
    for (size_t row = 0; row < target->size; row += classes) {
        for (size_t k = 0; k < classes && target->index[row + k] != -1; k++)
            if (target->index[row + k] < 0 || (size_t)target->index[row + k] >= classes)
                return lg_fail(LG_E_INDEX, "%s: target[%zu] is %d, but there are %zu classes (0..%zu, -1 ends a row)",
                               info->name, row + k, (int)target->index[row + k], classes, classes - 1);
    }
    return LG_OK;
}

const lg_loss_info lg_multilabel_margin_row = {
    .name = "multilabel_margin",
    .family = "margin",
    .summary = "several labels that do not exclude each other, by a maximum margin",
    .formula = "(1 / C) sum over labels j, others i of max(0, 1 - z_j + z_i)",
    .output = "one score per class",
    .reference = "torch.nn.MultiLabelMarginLoss",
    .tasks = LG_TASK_MULTILABEL,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "pred", .differentiable = true }, { "target", .domain = LG_ANY_INDEX } },
    .kernel = multilabel_margin,
    .check_call = check_label_lists,
};

lg_tensor *lg_multilabel_margin(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_multilabel_margin_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

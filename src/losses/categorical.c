/* Cross-entropies over classes that exclude each other (classification.h). */
#include "losses/binary_internal.h"
#include "losses/classification.h"
#include "losses/loss_internal.h"
#include "losses/softmax_internal.h"

/* ---------------------------------------- sparse_categorical_crossentropy */

enum { SCCE_FROM_LOGITS, SCCE_SMOOTHING, SCCE_EPS, SCCE_NORMALIZE };

/* The weights of the classes in one unit: v_k = w_k ((1 - a) [k = y] + a / C), and their sum. */
typedef struct class_mix {
    const lg_real *weight; /* w, NULL for ones */
    lg_real label_part, uniform_part, sum;
} class_mix;

static lg_real weight_of(const class_mix *mix, size_t k)
{
    return mix->weight ? mix->weight[k] : 1;
}

static class_mix mix_of(const lg_loss_chunk *c, int32_t label)
{
    const lg_real smoothing = (lg_real)c->param[SCCE_SMOOTHING];
    const size_t classes = c->width[0];
    class_mix mix = { .weight = c->class_weight, .uniform_part = smoothing / (lg_real)classes };
    mix.label_part = (1 - smoothing) * weight_of(&mix, (size_t)label);
    mix.sum = mix.label_part;
    if (smoothing != 0) {
        lg_real total = 0;
        for (size_t k = 0; k < classes; k++)
            total += weight_of(&mix, k);
        mix.sum += mix.uniform_part * total;
    }
    return mix;
}

/* Logits.   loss = sum_k v_k (lse - z_k)
 *   dz = p sum(v) - v
 * A class with v_k = 0 costs nothing even at a logit of -inf. The exponentials are made where the derivative will be:
 * while they are computed, its memory comes into the cache. */
LG_LOSS_KERNEL(scce_logits, c, gradient)
{
    const size_t classes = c->width[0];
    lg_real *e = gradient ? c->d[0] : c->scratch;
    softmax_rows rows;
    for (size_t u = 0; u < c->units; u++, e += classes) {
        const lg_real *z = c->x[0] + u * classes;
        const size_t label = (size_t)c->label[u];
        const class_mix mix = mix_of(c, c->label[u]);
        const softmax_row row = next_row(&rows, u, c->units, classes, z, 1, e);
        lg_real loss = product_or_zero(mix.label_part, minus_log_of(&row, z[label]));
        for (size_t k = 0; mix.uniform_part != 0 && k < classes; k++)
            loss += product_or_zero(mix.uniform_part * weight_of(&mix, k), minus_log_of(&row, z[k]));
        c->loss[u] = loss;
        if (!gradient)
            continue;
        const lg_real complement = complement_of(&row, z[label], e[label]);
        const lg_real factor = c->scale * mix.sum * (lg_real)row.inverse;
        for (size_t k = 0; k < classes; k++)
            e[k] *= factor;
        if (mix.uniform_part == 0) {
            e[label] = -c->scale * mix.label_part * complement;
            continue;
        }
        e[label] -= c->scale * mix.label_part;
        for (size_t k = 0; k < classes; k++)
            e[k] -= c->scale * mix.uniform_part * weight_of(&mix, k);
    }
}

/* Probabilities: as cross_entropy_of_probabilities, with v of the label. */
LG_LOSS_KERNEL(scce_probabilities, c, gradient)
{
    const size_t classes = c->width[0];
    const bool normalize = c->param[SCCE_NORMALIZE] != 0;
    for (size_t u = 0; u < c->units; u++) {
        const class_mix mix = mix_of(c, c->label[u]);
        lg_real *v = c->scratch;
        if (mix.uniform_part == 0) {
            c->loss[u] = cross_entropy_of_label(c->x[0] + u * classes, (size_t)c->label[u], mix.label_part, classes,
                                                normalize, (lg_real)c->param[SCCE_EPS], c->scale, gradient,
                                                gradient ? c->d[0] + u * classes : NULL);
            continue;
        }
        for (size_t k = 0; k < classes; k++)
            v[k] = mix.uniform_part * weight_of(&mix, k);
        v[c->label[u]] += mix.label_part;
        c->loss[u] = cross_entropy_of_probabilities(c->x[0] + u * classes, v, classes, normalize,
                                                    (lg_real)c->param[SCCE_EPS], c->scale, gradient,
                                                    gradient ? c->d[0] + u * classes : NULL);
    }
}

static void scce_kernel(const lg_loss_chunk *c)
{
    if (c->param[SCCE_FROM_LOGITS] != 0)
        scce_logits(c);
    else
        scce_probabilities(c);
}

lg_status lg_check_row_sums(const lg_loss_info *info, const lg_loss_chunk *c, size_t first, bool normalized)
{
    for (size_t u = 0; normalized && u < c->units; u++)
        if (lg_sum_of(c->x[0] + u * c->width[0], c->width[0]) <= 0 && !(c->weight && c->weight[u] == 0))
            return lg_fail(LG_E_DOMAIN, "%s: the probabilities of row %zu are all 0 (or set from_logits)", info->name,
                           first + u);
    return LG_OK;
}

static lg_status check_scce_rows(const lg_loss_info *info, const lg_loss_chunk *c, size_t first)
{
    return lg_check_row_sums(info, c, first, c->param[SCCE_FROM_LOGITS] == 0 && c->param[SCCE_NORMALIZE] != 0);
}

const lg_loss_info lg_sparse_categorical_crossentropy_row = {
    .name = "sparse_categorical_crossentropy",
    .family = "classification",
    .summary = "one of several classes, given as its index",
    .formula = "-log p[target] (with label smoothing a: -(1 - a) log p[target] - a mean_k log p[k])",
    .output = "one logit per class (or a probability per class)",
    .reference = "keras.losses.SparseCategoricalCrossentropy; torch.nn.CrossEntropyLoss",
    .tasks = LG_TASK_MULTICLASS,
    .takes = LG_TAKES_CLASS_WEIGHT | LG_TAKES_IGNORE_INDEX | LG_WEIGHTS_IN_DIVISOR,
    .units = LG_UNIT_ROW,
    .least_width = 2,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_CLASS_PROBABILITIES, .differentiable = true },
                { "target", .layout = LG_PER_UNIT, .domain = LG_CLASS_INDEX } },
    .params = { LG_PARAM_FROM_LOGITS, LG_PARAM_LABEL_SMOOTHING, LG_PARAM_EPS, LG_PARAM_NORMALIZE },
    .aliases = { { "scce", NULL }, { "cross_entropy", "from_logits=true" } },
    .kernel = scce_kernel,
    .check_chunk = check_scce_rows,
};

lg_tensor *lg_sparse_categorical_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                              const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_sparse_categorical_crossentropy_row, (lg_tensor *[]){ pred, target }, NULL, 0,
                        options);
}

/* ----------------------------------------------- categorical_crossentropy */

enum { CCE_FROM_LOGITS, CCE_SMOOTHING, CCE_EPS, CCE_NORMALIZE };

/* v_k = w_k (y_k (1 - a) + a / C); returns its sum. */
LG_INLINE lg_real mix_of_target(const lg_loss_chunk *c, const lg_real *y, lg_real *v)
{
    const size_t classes = c->width[0];
    const lg_real smoothing = (lg_real)c->param[CCE_SMOOTHING];
    for (size_t k = 0; k < classes; k++)
        v[k] = (c->class_weight ? c->class_weight[k] : 1) * (y[k] * (1 - smoothing) + smoothing / (lg_real)classes);
    return (lg_real)lg_sum_of(v, classes);
}

/* Logits.   loss = sum_k v_k (lse - z_k)
 *   dz_k = p_k sum(v) - v_k = p_k (sum(v) - v_k) - v_k (1 - p_k)
 *   dy_k = (1 - a) w_k (lse - z_k) */
LG_LOSS_KERNEL_2(cce_logits, c, gradient, by_target)
{
    const size_t classes = c->width[0];
    lg_real *e = gradient ? c->d[0] : c->scratch, *v = c->scratch_2;
    softmax_rows rows;
    for (size_t u = 0; u < c->units; u++, e += classes) {
        const lg_real *z = c->x[0] + u * classes;
        const lg_real sum = mix_of_target(c, c->x[1] + u * classes, v);
        const softmax_row row = next_row(&rows, u, c->units, classes, z, 1, e);
        double loss = isnan(row.rest) ? row.rest : 0;
#pragma omp simd reduction(+ : loss)
        for (size_t k = 0; k < classes; k++)
            loss += (double)product_or_zero(v[k], minus_log_of(&row, z[k]));
        c->loss[u] = (lg_real)loss;
        for (size_t k = 0; gradient && k < classes; k++)
            e[k] = c->scale * (e[k] * (lg_real)row.inverse * (sum - v[k]) - v[k] * complement_of(&row, z[k], e[k]));
        const lg_real factor = c->scale * (1 - (lg_real)c->param[CCE_SMOOTHING]);
        for (size_t k = 0; by_target && k < classes; k++)
            c->d[1][u * classes + k] =
                product_or_zero(factor * (c->class_weight ? c->class_weight[k] : 1), minus_log_of(&row, z[k]));
    }
}

/* Probabilities: as cross_entropy_of_probabilities.   dy_k = -(1 - a) w_k log o_k */
LG_LOSS_KERNEL_2(cce_probabilities, c, gradient, by_target)
{
    const size_t classes = c->width[0];
    const bool normalize = c->param[CCE_NORMALIZE] != 0;
    const lg_real eps = (lg_real)c->param[CCE_EPS], factor = c->scale * (1 - (lg_real)c->param[CCE_SMOOTHING]);
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *p = c->x[0] + u * classes;
        mix_of_target(c, c->x[1] + u * classes, c->scratch_2);
        c->loss[u] = cross_entropy_of_probabilities(p, c->scratch_2, classes, normalize, eps, c->scale,
                                                    gradient, gradient ? c->d[0] + u * classes : NULL);
        const lg_real sum = normalize ? (lg_real)lg_sum_of(p, classes) : 1;
        for (size_t k = 0; by_target && k < classes; k++)
            c->d[1][u * classes + k] =
                factor * (c->class_weight ? c->class_weight[k] : 1) * minus_log_of_clipped(p[k] / sum, eps);
    }
}

static void cce_kernel(const lg_loss_chunk *c)
{
    if (c->param[CCE_FROM_LOGITS] != 0)
        cce_logits(c);
    else
        cce_probabilities(c);
}

static lg_status check_cce_rows(const lg_loss_info *info, const lg_loss_chunk *c, size_t first)
{
    return lg_check_row_sums(info, c, first, c->param[CCE_FROM_LOGITS] == 0 && c->param[CCE_NORMALIZE] != 0);
}

const lg_loss_info lg_categorical_crossentropy_row = {
    .name = "categorical_crossentropy",
    .family = "classification",
    .summary = "one of several classes, given as one-hot rows or as probabilities",
    .formula = "-sum_k w_k y_k log p_k",
    .output = "one logit per class (or a probability per class)",
    .reference = "keras.losses.CategoricalCrossentropy; torch.nn.CrossEntropyLoss with probabilities as targets",
    .tasks = LG_TASK_MULTICLASS | LG_TASK_DISTRIBUTION,
    .takes = LG_TAKES_CLASS_WEIGHT,
    .units = LG_UNIT_ROW,
    .least_width = 2,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_CLASS_PROBABILITIES, .differentiable = true },
                { "target", .domain = LG_NON_NEGATIVE, .differentiable = true } },
    .params = { LG_PARAM_FROM_LOGITS, LG_PARAM_LABEL_SMOOTHING, LG_PARAM_EPS, LG_PARAM_NORMALIZE },
    .aliases = { { "cce", NULL }, { "soft_cross_entropy", "from_logits=true" } },
    .kernel = cce_kernel,
    .check_chunk = check_cce_rows,
};

lg_tensor *lg_categorical_crossentropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target,
                                       const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_categorical_crossentropy_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

/* -------------------------------------------------------------------- nll */

/* loss = -w_y x_y,   dx = -w_y onehot(y).   A NaN elsewhere in the row counts, too. */
LG_LOSS_KERNEL(nll, c, gradient)
{
    const size_t classes = c->width[0];
    const bool some_nan = any_nan(c->x[0], c->units * classes);
    if (gradient)
        memset(c->d[0], 0, c->units * classes * sizeof *c->d[0]);
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *x = c->x[0] + u * classes;
        const size_t label = (size_t)c->label[u];
        const lg_real weight = c->class_weight ? c->class_weight[label] : 1;
        c->loss[u] = some_nan && any_nan(x, classes) ? (lg_real)NAN : -product_or_zero(weight, x[label]);
        if (gradient)
            c->d[0][u * classes + label] = -c->scale * weight;
    }
}

const lg_loss_info lg_nll_row = {
    .name = "nll",
    .family = "classification",
    .summary = "one of several classes, when the network ends in log_softmax",
    .formula = "-w[target] log p[target]",
    .output = "one log-probability per class",
    .reference = "torch.nn.NLLLoss",
    .tasks = LG_TASK_MULTICLASS,
    .takes = LG_TAKES_CLASS_WEIGHT | LG_TAKES_IGNORE_INDEX | LG_WEIGHTS_IN_DIVISOR,
    .units = LG_UNIT_ROW,
    .least_width = 1,
    .inputs = { { "pred", .differentiable = true }, { "target", .layout = LG_PER_UNIT, .domain = LG_CLASS_INDEX } },
    .aliases = { { "nll_loss", NULL } },
    .kernel = nll,
};

lg_tensor *lg_nll(lg_tape *tape, lg_tensor *pred, lg_tensor *target, const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_nll_row, (lg_tensor *[]){ pred, target }, NULL, 0, options);
}

/* ---------------------------------- categorical_generalized_cross_entropy */

enum { GCE_Q, GCE_FROM_LOGITS, GCE_EPS };

/* loss = (1 - p_y^q) / q = -expm1(q log p_y) / q
 *   logits          dz_j = -p_y^q ([j = y] - p_j)
 *   probabilities   dp_y = -p_y^(q - 1), 0 below eps, where p_y is taken as eps; the others do not matter */
LG_LOSS_KERNEL(gce_logits, c, gradient)
{
    const size_t classes = c->width[0];
    const lg_real q = (lg_real)c->param[GCE_Q];
    lg_real *e = c->scratch;
    softmax_rows rows;
    for (size_t u = 0; u < c->units; u++, e += classes) {
        const lg_real *z = c->x[0] + u * classes;
        const size_t label = (size_t)c->label[u];
        const softmax_row row = next_row(&rows, u, c->units, classes, z, 1, e);
        const lg_real log_power = -q * minus_log_of(&row, z[label]), power = real_exp(log_power);
        c->loss[u] = -real_expm1(log_power) / q;
        if (!gradient)
            continue;
        lg_real *restrict d = c->d[0] + u * classes;
        for (size_t k = 0; k < classes; k++)
            d[k] = c->scale * power * e[k] * (lg_real)row.inverse;
        d[label] = -c->scale * power * complement_of(&row, z[label], e[label]);
    }
}

LG_LOSS_KERNEL(gce_probabilities, c, gradient)
{
    const size_t classes = c->width[0];
    const lg_real q = (lg_real)c->param[GCE_Q], eps = (lg_real)c->param[GCE_EPS];
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *p = c->x[0] + u * classes;
        const size_t label = (size_t)c->label[u];
        const bool clipped = p[label] < eps;
        const lg_real log_p = real_log(clipped ? eps : p[label]);
        c->loss[u] = any_nan(p, classes) ? (lg_real)NAN : -real_expm1(q * log_p) / q;
        for (size_t k = 0; gradient && k < classes; k++)
            c->d[0][u * classes + k] = 0;
        if (gradient && !clipped)
            c->d[0][u * classes + label] = -c->scale * real_exp((q - 1) * log_p);
    }
}

static void gce_kernel(const lg_loss_chunk *c)
{
    if (c->param[GCE_FROM_LOGITS] != 0)
        gce_logits(c);
    else
        gce_probabilities(c);
}

const lg_loss_info lg_categorical_generalized_cross_entropy_row = {
    .name = "categorical_generalized_cross_entropy",
    .family = "classification",
    .summary = "one of several classes, when some labels are wrong: between cross-entropy (q -> 0) and absolute error",
    .formula = "(1 - p[target]^q) / q",
    .output = "one logit per class (or a probability per class)",
    .reference = "Zhang & Sabuncu 2018; keras.losses.CategoricalGeneralizedCrossEntropy",
    .tasks = LG_TASK_MULTICLASS,
    .units = LG_UNIT_ROW,
    .least_width = 2,
    .inputs = { { "pred", .domain = LG_LOGIT_OR_PROBABILITY, .differentiable = true },
                { "target", .layout = LG_PER_UNIT, .domain = LG_CLASS_INDEX } },
    .params = { { .name = "q", .initial = 0.5, .high = 1, .low_open = true, .high_open = true },
                LG_PARAM_FROM_LOGITS, LG_PARAM_EPS },
    .aliases = { { "gce", NULL } },
    .kernel = gce_kernel,
};

lg_tensor *lg_categorical_generalized_cross_entropy(lg_tape *tape, lg_tensor *pred, lg_tensor *target, double q,
                                                    const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_categorical_generalized_cross_entropy_row, (lg_tensor *[]){ pred, target },
                        (const double[]){ q }, 1, options);
}

/* Running a loss: operands checked, units cut into chunks that stay in cache, weights and ignored units applied around
 * the kernel, the sum kept in double, and the derivative handed to backward already scaled (loss.h). */
#include "losses/loss_run_internal.h"
#include "tensor/profile_internal.h"
#include "tensor/reduce_internal.h"
#include "tensor/threads_internal.h"

#define CHUNK_REALS 2048
#define LEAST_SHARE 8192 /* reals of a thread's share: most losses take logarithms or exponentials of them */
#define DEFAULT_IGNORE_INDEX (-100)

/* What the node keeps. */
typedef struct loss_result {
    lg_loss_sums sums;
    bool reduced;
    size_t units, count, inner, classes;
    size_t width[LG_LOSS_MAX_INPUTS];
    bool gathered[LG_LOSS_MAX_INPUTS];
    lg_real *derivative[LG_LOSS_MAX_INPUTS];
} loss_result;

/* ------------------------------------------------------------------ chunks */

/* Checks the values of a chunk against the domains of the inputs. */
static lg_status check_values(const lg_loss_run *r, const lg_loss_chunk *chunk, size_t first)
{
    for (size_t i = 0; i < r->count; i++) {
        const lg_value_rule *rule = &r->rules[i];
        const bool whole = r->info->inputs[i].layout == LG_WHOLE;
        const size_t width = r->width[i], n = whole ? width : chunk->units * width;
        const size_t k = *rule->text ? lg_first_broken(rule, chunk->x[i], n) : n;
        if (k == n)
            continue;
        const size_t at = lg_is_gathered(r, i) ? lg_gathered_at(r->classes, r->inner, first + k / width, k % width)
                                               : (whole ? 0 : first * width) + k;
        return lg_fail(LG_E_DOMAIN, "%s: %s[%zu] is %g, but must be %s", r->info->name, r->info->inputs[i].name, at,
                       (double)chunk->x[i][k], rule->text);
    }
    return r->info->check_chunk ? r->info->check_chunk(r->info, chunk, first) : LG_OK;
}

/* Scratch of one chunk: gathered rows, their derivatives, values, weights; NULL where not needed. */
typedef struct workspace {
    size_t units; /* per chunk */
    lg_real *rows[LG_LOSS_MAX_INPUTS], *row_derivatives[LG_LOSS_MAX_INPUTS];
    lg_real *unwanted; /* d[0] when only another input wants its derivative */
    lg_real *loss, *pos_weight, *weight, *scratch, *scratch_2;
    int32_t *labels;
} workspace;

lg_real *lg_loss_reals(lg_tape *tape, bool needed, size_t count, bool *failed)
{
    lg_real *block = needed ? lg_arena_alloc(&tape->values, count * sizeof *block) : NULL;
    *failed = *failed || (needed && !block);
    return block;
}

static lg_status prepare_workspace(lg_loss_run *r, size_t units, workspace *w)
{
    bool failed = false;
    *w = (workspace){ .units = units };
    for (size_t i = 0; i < r->count; i++) {
        w->rows[i] = lg_loss_reals(r->tape, lg_is_gathered(r, i), w->units * r->width[i], &failed);
        w->row_derivatives[i] = lg_loss_reals(r->tape, lg_is_gathered(r, i) && r->derivative[i], w->units * r->width[i], &failed);
    }
    w->unwanted = lg_loss_reals(r->tape, r->wants_grad && !r->derivative[0], w->units * r->width[0], &failed);
    w->loss = lg_loss_reals(r->tape, !r->unit_loss, w->units, &failed);
    w->pos_weight = lg_loss_reals(r->tape, r->info->takes & LG_TAKES_POS_WEIGHT, w->units, &failed);
    for (size_t u = 0; w->pos_weight && u < w->units; u++)
        w->pos_weight[u] = 1;
    w->weight = lg_loss_reals(r->tape, r->has_ignored, w->units, &failed);
    w->scratch = lg_loss_reals(r->tape, true, w->units * r->width[0], &failed);
    w->scratch_2 = lg_loss_reals(r->tape, true, r->width[0], &failed);
    if (r->has_ignored) {
        w->labels = lg_arena_alloc(&r->tape->values, w->units * sizeof *w->labels);
        failed = failed || !w->labels;
    }
    return failed ? LG_E_MEMORY : LG_OK;
}

static void fill_chunk(const lg_loss_run *r, const workspace *w, size_t first, size_t units, lg_loss_chunk *chunk)
{
    *chunk = (lg_loss_chunk){ .units = units,
                              .param = r->params,
                              .class_weight = r->options->class_weight ? r->options->class_weight->real : NULL,
                              .scale = r->scale,
                              .loss = r->unit_loss ? r->unit_loss + first : w->loss,
                              .scratch = w->scratch,
                              .scratch_2 = w->scratch_2 };
    for (size_t i = 0; i < r->count; i++) {
        const size_t width = chunk->width[i] = r->width[i];
        if (lg_is_index(&r->info->inputs[i])) {
            chunk->label = r->inputs[i]->index + first * width;
            continue;
        }
        const bool whole = r->info->inputs[i].layout == LG_WHOLE;
        chunk->x[i] = r->inputs[i]->real + (whole ? 0 : first * width);
        chunk->d[i] = r->derivative[i] ? r->derivative[i] + first * width : NULL;
        if (!lg_is_gathered(r, i))
            continue;
        for (size_t u = 0; u < units; u++)
            for (size_t k = 0; k < width; k++)
                w->rows[i][u * width + k] = r->inputs[i]->real[lg_gathered_at(r->classes, r->inner, first + u, k)];
        chunk->x[i] = w->rows[i];
        chunk->d[i] = w->row_derivatives[i];
    }
    if (r->wants_grad && !chunk->d[0])
        chunk->d[0] = w->unwanted;
    const lg_tensor *pos_weight = r->options->pos_weight;
    for (size_t u = 0; w->pos_weight && pos_weight && u < units; u++)
        w->pos_weight[u] = pos_weight->real[(first + u) % pos_weight->size];
    chunk->pos_weight = w->pos_weight;
}

/* Ignored units: the kernel sees class 0 and the unit gets weight 0. Returns the weights of the chunk's units. */
static const lg_real *leave_out_ignored(const lg_loss_run *r, const workspace *w, size_t first, lg_loss_chunk *chunk)
{
    const lg_real *given = r->weight ? r->weight + first : NULL;
    if (!r->has_ignored)
        return given;
    for (size_t u = 0; u < chunk->units; u++) {
        const bool ignored = r->labels[first + u] == r->ignore;
        w->labels[u] = ignored ? 0 : r->labels[first + u];
        w->weight[u] = ignored ? 0 : given ? given[u] : 1;
    }
    chunk->label = w->labels;
    return w->weight;
}

/* Multiplies value and derivatives of each unit by its weight; a weight of 0 makes them 0, whatever they were. */
static void apply_weights(const lg_loss_run *r, const lg_loss_chunk *chunk, const lg_real *weight)
{
    for (size_t u = 0; u < chunk->units; u++)
        chunk->loss[u] = weight[u] == 0 ? 0 : weight[u] * chunk->loss[u];
    for (size_t i = 0; i < r->count; i++) {
        if (!chunk->d[i])
            continue;
        for (size_t u = 0; u < chunk->units; u++) {
            lg_real *row = chunk->d[i] + u * r->width[i];
            for (size_t k = 0; k < r->width[i]; k++)
                row[k] = weight[u] == 0 ? 0 : weight[u] * row[k];
        }
    }
}

static void scatter_derivatives(const lg_loss_run *r, const workspace *w, size_t first, size_t units)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!w->row_derivatives[i])
            continue;
        for (size_t u = 0; u < units; u++)
            for (size_t k = 0; k < r->width[i]; k++)
                r->derivative[i][lg_gathered_at(r->classes, r->inner, first + u, k)] =
                    w->row_derivatives[i][u * r->width[i] + k];
    }
}

LG_CLONES double lg_loss_sum(const lg_real *values, size_t n)
{
    return lg_sum_of_fours(values, n, lg_itself);
}

static lg_status run_chunk(const lg_loss_run *r, const workspace *w, size_t first, double *sum)
{
    const size_t units = r->units - first < w->units ? r->units - first : w->units;
    lg_loss_chunk chunk;
    fill_chunk(r, w, first, units, &chunk);
    chunk.weight = leave_out_ignored(r, w, first, &chunk);
    const lg_status status = r->checks ? check_values(r, &chunk, first) : LG_OK;
    if (status != LG_OK)
        return status;
    r->info->kernel(&chunk);
    if (chunk.weight)
        apply_weights(r, &chunk, chunk.weight);
    scatter_derivatives(r, w, first, units);
    *sum = lg_loss_sum(chunk.loss, units);
    return LG_OK;
}

/* All chunks of a run, in as many shares of consecutive ones as there are threads. */
typedef struct chunk_pass {
    const lg_loss_run *run;
    size_t chunks, shares;
    workspace *workspace; /* one for each share */
    double *sum;          /* of each chunk: added up in their order, they give the same for any number of threads */
} chunk_pass;

static lg_status run_share(size_t index, size_t worker, void *context)
{
    const chunk_pass *p = context;
    const workspace *w = &p->workspace[index];
    lg_status status = LG_OK;
    (void)worker;
    for (size_t c = p->chunks * index / p->shares; status == LG_OK && c < p->chunks * (index + 1) / p->shares; c++)
        status = run_chunk(p->run, w, c * w->units, &p->sum[c]);
    return status;
}

static size_t units_at_once(const lg_loss_run *r)
{
    size_t widest = 1;
    for (size_t i = 0; i < r->count; i++)
        if (r->info->inputs[i].layout != LG_WHOLE && r->width[i] > widest)
            widest = r->width[i];
    const size_t units = widest > CHUNK_REALS ? 1 : CHUNK_REALS / widest;
    return units < r->units || r->units == 0 ? units : r->units;
}

static lg_status run_chunks(lg_loss_run *r, double *sum)
{
    const size_t units = units_at_once(r), chunks = r->units / units + (r->units % units > 0);
    const size_t most = r->inputs[0]->size / LEAST_SHARE, threads = most < 2 ? 1 : lg_num_threads();
    chunk_pass pass = { .run = r, .chunks = chunks, .shares = threads < most ? threads : most < 1 ? 1 : most };
    pass.sum = lg_arena_alloc(&r->tape->values, chunks * sizeof *pass.sum);
    pass.workspace = lg_arena_alloc(&r->tape->values, pass.shares * sizeof *pass.workspace);
    lg_status status = pass.sum && pass.workspace ? LG_OK : LG_E_MEMORY;
    for (size_t i = 0; status == LG_OK && i < pass.shares; i++)
        status = prepare_workspace(r, units, &pass.workspace[i]);
    if (status == LG_OK)
        status = lg_parallel(pass.shares, pass.shares, run_share, &pass);
    for (size_t c = 0; status == LG_OK && c < chunks; c++)
        *sum += pass.sum[c];
    return status;
}

/* -------------------------------------------------------------- the node */

static void loss_backward(const lg_node *node)
{
    const loss_result *result = node->saved;
    const lg_real *upstream = node->output->grad;
    for (size_t i = 0; i < result->count; i++) {
        lg_real *derivative = result->derivative[i];
        if (!derivative)
            continue;
        const size_t width = result->width[i];
        if (result->reduced) {
            const lg_real factor = upstream[0];
            for (size_t k = 0; factor != 1 && k < result->units * width; k++)
                derivative[k] *= factor;
        } else if (result->gathered[i]) {
            for (size_t u = 0; u < result->units; u++)
                for (size_t k = 0; k < width; k++)
                    derivative[lg_gathered_at(result->classes, result->inner, u, k)] *= upstream[u];
        } else {
            for (size_t u = 0; u < result->units; u++)
                for (size_t k = 0; k < width; k++)
                    derivative[u * width + k] *= upstream[u];
        }
        lg_grad_give(node, i, derivative);
    }
}

const lg_op lg_chunked_loss_op = { "loss", NULL, loss_backward };

/* What the node of a loss keeps; NULL for a tensor that none made. */
static const lg_loss_sums *sums_of(const lg_tensor *loss)
{
    const bool made = loss && lg_tensor_alive(loss) && loss->node &&
                      (loss->node->op == &lg_chunked_loss_op || loss->node->op == &lg_batch_loss_op);
    return made ? loss->node->saved : NULL;
}

bool lg_loss_terms(const lg_tensor *loss, double *sum, double *divisor)
{
    const lg_loss_sums *sums = sums_of(loss);
    if (!sums)
        return false;
    *sum = sums->sum;
    *divisor = sums->divisor;
    return true;
}

lg_reduction lg_loss_reduction(const lg_tensor *loss)
{
    const lg_loss_sums *sums = sums_of(loss);
    return sums ? sums->reduction : LG_REDUCE_MEAN;
}

/* Memory for what the node keeps: the derivative of every input that wants one. */
static lg_status prepare_derivatives(lg_loss_run *r)
{
    bool failed = false;
    r->wants_grad = lg_wants_grad(r->tape, r->count, r->inputs);
    for (size_t i = 0; i < r->count; i++)
        r->derivative[i] =
            lg_loss_reals(r->tape, r->tape->gradients && r->inputs[i]->requires_grad, r->inputs[i]->size, &failed);
    return failed ? LG_E_MEMORY : LG_OK;
}

static lg_tensor *record(lg_loss_run *r, double sum)
{
    const bool reduced = r->options->reduction != LG_REDUCE_NONE;
    const bool mean = reduced && r->options->reduction != LG_REDUCE_SUM;
    lg_real *value = r->unit_loss;
    if (reduced) {
        value = lg_arena_alloc(&r->tape->values, sizeof *value);
        if (!value)
            return NULL;
        value[0] = (lg_real)(!mean ? sum : r->divisor > 0 ? sum / r->divisor : 0);
    }
    lg_tensor *output = lg_record_recipe(r->tape, &lg_chunked_loss_op, r->count, r->inputs,
                                         &(lg_recipe){ .rank = reduced ? 0 : r->rank,
                                                       .dims = r->dims,
                                                       .saved_bytes = sizeof(loss_result),
                                                       .name = r->info->name,
                                                       .view = value });
    if (!output)
        return NULL;
    loss_result *result = output->node->saved;
    *result = (loss_result){ .sums = { sum, mean ? r->divisor : (double)r->units, r->options->reduction },
                             .reduced = reduced,
                             .units = r->units,
                             .count = r->count,
                             .inner = r->inner,
                             .classes = r->classes };
    for (size_t i = 0; i < r->count; i++) {
        result->width[i] = r->width[i];
        result->gathered[i] = lg_is_gathered(r, i);
        result->derivative[i] = r->derivative[i];
    }
    return output;
}

static lg_tensor *run_chunked(lg_loss_run *r)
{
    double sum = 0;
    if (lg_check_units(r) != LG_OK || lg_check_weights(r) != LG_OK || lg_find_divisor(r) != LG_OK ||
        prepare_derivatives(r) != LG_OK)
        return NULL;
    if (r->options->reduction == LG_REDUCE_NONE) {
        r->unit_loss = lg_arena_alloc(&r->tape->values, r->units * sizeof *r->unit_loss);
        if (!r->unit_loss)
            return NULL;
    }
    return run_chunks(r, &sum) == LG_OK ? record(r, sum) : NULL;
}

/* The inputs, the derivatives by those that want one, and the value. */
static double bytes_of_call(const lg_loss_run *r, const lg_tensor *loss)
{
    double values = (double)loss->size;
    for (size_t i = 0; i < r->count; i++)
        if (r->inputs[i])
            values += (double)r->inputs[i]->size * (r->tape->gradients && r->inputs[i]->requires_grad ? 2 : 1);
    return values * sizeof(lg_real); /* an index has four bytes in the double build, too */
}

lg_tensor *lg_loss_record(lg_tape *tape, const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                          const lg_loss_options *options)
{
    lg_loss_run r; /* field by field, as in recording: for all at once gcc makes a string instruction */
    r.tape = tape;
    r.info = info;
    r.inputs = inputs;
    r.params = params;
    r.options = options;
    r.count = lg_loss_input_count(info);
    r.param_count = lg_loss_param_count(info);
    r.units = r.rank = r.classes = r.inner = 0;
    r.labels = NULL;
    r.checks = !options->unchecked;
    r.may_ignore = info->takes & LG_TAKES_IGNORE_INDEX;
    r.wants_grad = r.has_ignored = false;
    r.ignore = options->ignore_index ? *options->ignore_index : DEFAULT_IGNORE_INDEX;
    r.weight = NULL;
    r.divisor = r.scale = 0;
    r.unit_loss = NULL;
    for (size_t i = 0; i < LG_LOSS_MAX_INPUTS; i++) {
        r.width[i] = 0;
        r.derivative[i] = NULL;
    }
    lg_profile_span span;
    lg_profile_begin(&span);
    lg_tensor *loss = NULL;
    if (lg_check_operands(&r) == LG_OK)
        loss = info->units == LG_UNIT_BATCH ? lg_run_batch(&r) : run_chunked(&r);
    if (span.measured)
        lg_profile_end(&span, info->name, LG_PHASE_FORWARD, loss ? bytes_of_call(&r, loss) : 0);
    return loss;
}

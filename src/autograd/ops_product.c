/* Matrix products, and the linear layer with bias and activation in one node. */
#include "autograd/ops_internal.h"

#include <string.h>

/* ----------------------------------------------------------------- matmul */

typedef struct matmul_form {
    bool transpose_a, transpose_b;
    size_t m, n, k; /* op(a) [m, k], op(b) [k, n] */
} matmul_form;

static void matmul_forward(const lg_node *node)
{
    const matmul_form *f = node->attributes;
    lg_gemm(f->transpose_a, f->transpose_b, f->m, f->n, f->k, node->inputs[0]->real, node->inputs[1]->real, 0,
            node->output->real);
}

/* d op(a) = g op(b)',   d op(b) = op(a)' g;   of a transposed operand, the transpose of that. */
static void matmul_backward(const lg_node *node)
{
    const matmul_form *f = node->attributes;
    const lg_real *a = node->inputs[0]->real, *b = node->inputs[1]->real, *g = node->output->grad;
    bool add;
    lg_real *ga = lg_grad_target(node, 0, &add);
    if (ga && f->transpose_a)
        lg_gemm(f->transpose_b, true, f->k, f->m, f->n, b, g, add, ga);
    else if (ga)
        lg_gemm(false, !f->transpose_b, f->m, f->k, f->n, g, b, add, ga);
    lg_real *gb = lg_grad_target(node, 1, &add);
    if (gb && f->transpose_b)
        lg_gemm(true, f->transpose_a, f->n, f->k, f->m, g, a, add, gb);
    else if (gb)
        lg_gemm(!f->transpose_a, false, f->k, f->n, f->m, a, g, add, gb);
}

const lg_op lg_matmul_op = { "matmul", matmul_forward, matmul_backward };

static bool matmul_fits(const lg_tensor *a, const lg_tensor *b, const matmul_form *f)
{
    const bool matrices = a->rank == 2 && b->rank == 2;
    const size_t rows_of_b = b->dims[f->transpose_b];
    if (matrices && f->k == rows_of_b)
        return lg_gemm_check("matmul", f->m, f->n, f->k) == LG_OK;
    char at[LG_SHAPE_TEXT_BYTES], bt[LG_SHAPE_TEXT_BYTES];
    lg_tensor_shape_text(a, at, sizeof at), lg_tensor_shape_text(b, bt, sizeof bt);
    if (!matrices) {
        lg_fail(LG_E_SHAPE, "matmul: %s x %s: two matrices are wanted, [m, k] x [k, n]", at, bt);
        return false;
    }
    const char *hint = "";
    if (f->k == f->n)
        hint = f->transpose_b ? "; without transposing the second?" : "; transpose the second?";
    else if (f->m == rows_of_b)
        hint = f->transpose_a ? "; without transposing the first?" : "; transpose the first?";
    lg_fail(LG_E_SHAPE, "matmul: %s%s x %s%s do not fit: %zu columns against %zu rows%s", at,
            f->transpose_a ? " transposed" : "", bt, f->transpose_b ? " transposed" : "", f->k, rows_of_b, hint);
    return false;
}

lg_tensor *lg_matmul_transposed(lg_tape *tape, lg_tensor *a, bool transpose_a, lg_tensor *b, bool transpose_b)
{
    lg_tensor *inputs[] = { a, b };
    if (!lg_real_operands(tape, "matmul", 2, inputs))
        return NULL;
    const matmul_form form = { transpose_a, transpose_b, a->dims[transpose_a], b->dims[!transpose_b],
                               a->dims[!transpose_a] };
    if (!matmul_fits(a, b, &form))
        return NULL;
    return lg_record_recipe(tape, &lg_matmul_op, 2, inputs,
                            &(lg_recipe){ .rank = 2,
                                          .dims = (const size_t[]){ form.m, form.n },
                                          .attributes = &form,
                                          .attribute_bytes = sizeof form });
}

lg_tensor *lg_matmul(lg_tape *tape, lg_tensor *a, lg_tensor *b)
{
    return lg_matmul_transposed(tape, a, false, b, false);
}

/* ----------------------------------------------------------------- linear
 * Inputs x [rows, in], w [out, in] and, where there is one, bias [out]; z [rows, out]. */

typedef struct linear_form {
    size_t rows, in, out;
} linear_form;

/* z = x w' */
static void linear_product(const lg_node *node)
{
    const linear_form *f = node->attributes;
    lg_gemm(false, true, f->rows, f->out, f->in, node->inputs[0]->real, node->inputs[1]->real, 0, node->output->real);
}

/* y = z + bias, in place of z, in `rows` rows of `columns`; a column is worked on as one row. */
LG_INLINE void add_bias_to_rows(size_t rows, size_t columns, const lg_real *restrict bias, lg_real *restrict z)
{
    if (columns == 1)
        for (size_t r = 0; r < rows; r++)
            z[r] += bias[0];
    else
        for (size_t r = 0; r < rows; r++)
            for (size_t j = 0; j < columns; j++)
                z[r * columns + j] += bias[j];
}

#define BLOCK 1024 /* reals */

/* y = activation(z + bias), in place of z, in rows begin .. end - 1; in blocks that stay in cache, each of which is one
 * flat run for the activation, however short its rows. */
LG_INLINE void bias_sweep(size_t begin, size_t end, const lg_sweep *s, lg_real (*activation)(lg_real z))
{
    const lg_node *node = s->node;
    const size_t columns = ((const linear_form *)node->attributes)->out, most = BLOCK / (columns + 1) + 1;
    const lg_real *bias = node->count > 2 ? node->inputs[2]->real : NULL;
    for (size_t r = begin, rows; r < end; r += rows) {
        lg_real *restrict y = node->output->real + r * columns;
        rows = end - r < most ? end - r : most;
        if (bias)
            add_bias_to_rows(rows, columns, bias, y);
        for (size_t i = 0; i < rows * columns; i++)
            y[i] = activation(y[i]);
    }
}

/* A pass over rows of dz, from row `first` on. */
typedef struct dz_pass {
    const lg_node *node;
    size_t first;
    lg_real *dz;
} dz_pass;

/* dz = g activation'(z), the derivative told from y, of elements begin .. end - 1 of these rows. */
LG_INLINE void dz_sweep(size_t begin, size_t end, const dz_pass *p, lg_real (*gradient)(lg_real g, lg_real y))
{
    const size_t skipped = p->first * ((const linear_form *)p->node->attributes)->out;
    const lg_real *restrict g = p->node->output->grad + skipped, *restrict y = p->node->output->real + skipped;
    lg_real *restrict dz = p->dz;
    for (size_t i = begin; i < end; i++)
        dz[i] = gradient(g[i], y[i]);
}

#define COLUMNS 64

typedef struct column_sums {
    size_t rows, columns;
    const lg_real *dz;
    bool add;
    lg_real *target;
} column_sums;

/* target[j] = sum over the rows of dz[., j], in double, for columns begin .. end - 1, a strip of them at a time. */
LG_CLONES static void sum_columns(size_t begin, size_t end, void *context)
{
    const column_sums s = *(const column_sums *)context;
    if (s.columns == 1) {
        lg_put(s.target, 0, s.add, (lg_real)lg_sum_of(s.dz, s.rows));
        return;
    }
    double sum[COLUMNS];
    for (size_t c = begin; c < end; c += COLUMNS) {
        const size_t n = end - c < COLUMNS ? end - c : COLUMNS;
        memset(sum, 0, n * sizeof *sum);
        for (size_t r = 0; r < s.rows; r++) {
            const lg_real *restrict row = s.dz + r * s.columns + c;
            for (size_t j = 0; j < n; j++)
                sum[j] += (double)row[j];
        }
        for (size_t j = 0; j < n; j++)
            lg_put(s.target, c + j, s.add, (lg_real)sum[j]);
    }
}

/* Rows of dz that are made at a time: few enough to take little memory, and to be in the cache for the products. */
static size_t strip_rows(const linear_form *f)
{
    const size_t reals = (size_t)1 << 18, fitting = reals / (f->out + 1);
    return fitting > LG_RANGE_MULTIPLE ? fitting : LG_RANGE_MULTIPLE;
}

/* What the tape's scratch must hold of dz; at most the rows there are. */
static size_t strip_bytes(const linear_form *f)
{
    const size_t rows = strip_rows(f);
    return (rows < f->rows ? rows : f->rows) * f->out * sizeof(lg_real);
}

/* A pass over the strips of a node. Without an activation (`sweep` NULL) dz is the output's gradient, and one strip. */
typedef struct strips {
    const lg_node *node;
    lg_range_task *sweep; /* makes dz */
    size_t rows;          /* of a strip */
    size_t there;         /* the row that the one in the tape's scratch begins with; SIZE_MAX: there is none yet */
} strips;

/* The rows of the strip that begins at row `first`. */
static size_t rows_from(const strips *s, size_t first)
{
    const size_t rest = ((const linear_form *)s->node->attributes)->rows - first;
    return rest < s->rows ? rest : s->rows;
}

static const lg_real *dz_from(strips *s, size_t first)
{
    const size_t out = ((const linear_form *)s->node->attributes)->out;
    if (!s->sweep)
        return s->node->output->grad + first * out;
    if (s->there != first)
        lg_parallel_ranges(rows_from(s, first) * out, LG_LEAST_ELEMENTS, s->sweep,
                           &(dz_pass){ s->node, first, s->node->tape->scratch });
    s->there = first;
    return s->node->tape->scratch;
}

/* d x = dz w,   d w = dz' x,   d bias = column sums of dz.   No rows are a strip, too: their sums are 0. */
static void linear_gradients(const lg_node *node, lg_range_task *sweep)
{
    const linear_form *f = node->attributes;
    const lg_real *x = node->inputs[0]->real, *w = node->inputs[1]->real;
    strips s = { node, sweep, sweep ? strip_rows(f) : f->rows + 1, SIZE_MAX };
    bool add, add_bias;
    lg_real *gx = lg_grad_target(node, 0, &add);
    for (size_t first = 0; gx && (first == 0 || first < f->rows); first += s.rows)
        lg_gemm(false, false, rows_from(&s, first), f->in, f->out, dz_from(&s, first), w, add, gx + first * f->in);
    /* Both before either is finished: a matrix and a vector are not the same tensor. */
    lg_real *gw = lg_grad_target(node, 1, &add), *gb = node->count > 2 ? lg_grad_target(node, 2, &add_bias) : NULL;
    for (size_t first = 0; (gw || gb) && (first == 0 || first < f->rows); first += s.rows) {
        const size_t rows = rows_from(&s, first);
        const lg_real *dz = dz_from(&s, first);
        if (gw)
            lg_gemm(true, false, f->out, f->in, rows, dz, x + first * f->in, add || first > 0, gw);
        if (gb)
            lg_parallel_ranges(f->out, lg_least_rows(rows), sum_columns,
                               &(column_sums){ rows, f->out, dz, add_bias || first > 0, gb });
    }
}

LG_INLINE lg_real identity(lg_real z)
{
    return z;
}

LG_CLONES static void add_bias(size_t begin, size_t end, void *s)
{
    bias_sweep(begin, end, s, identity);
}

/* `sweep`: activation(z + bias), of rows. */
static void forward(const lg_node *node, lg_range_task *sweep)
{
    const linear_form *f = node->attributes;
    linear_product(node);
    if (sweep != add_bias || node->count > 2)
        lg_parallel_ranges(f->rows, lg_least_rows(f->out), sweep, &(lg_sweep){ .node = node });
}

static void linear_forward(const lg_node *node)
{
    forward(node, add_bias);
}

static void linear_backward(const lg_node *node)
{
    linear_gradients(node, NULL);
}

const lg_op lg_linear_op = { "linear", linear_forward, linear_backward };

/* An activation fused into linear: its name, its value at z, and the gradient it passes on, told from its value y. */
#define LINEAR_OP(activation, value, gradient)                                                                         \
    LG_INLINE lg_real activation##_value(lg_real z)                                                                    \
    {                                                                                                                  \
        return value;                                                                                                  \
    }                                                                                                                  \
    LG_INLINE lg_real activation##_gradient(lg_real g, lg_real y)                                                      \
    {                                                                                                                  \
        return gradient;                                                                                               \
    }                                                                                                                  \
    LG_CLONES static void linear_##activation##_sweep(size_t begin, size_t end, void *s)                               \
    {                                                                                                                  \
        bias_sweep(begin, end, s, activation##_value);                                                                 \
    }                                                                                                                  \
    LG_CLONES static void linear_##activation##_dz(size_t begin, size_t end, void *p)                                  \
    {                                                                                                                  \
        dz_sweep(begin, end, p, activation##_gradient);                                                                \
    }                                                                                                                  \
    static void linear_##activation##_forward(const lg_node *node)                                                     \
    {                                                                                                                  \
        forward(node, linear_##activation##_sweep);                                                                    \
    }                                                                                                                  \
    static void linear_##activation##_backward(const lg_node *node)                                                    \
    {                                                                                                                  \
        linear_gradients(node, linear_##activation##_dz);                                                              \
    }                                                                                                                  \
    const lg_op lg_linear_##activation##_op = { "linear_" #activation, linear_##activation##_forward,                  \
                                                linear_##activation##_backward };

LINEAR_OP(relu, z < 0 ? 0 : z, y <= 0 ? 0 : g)
LINEAR_OP(tanh, real_tanh(z), g * ((1 - y) * (1 + y)))
LINEAR_OP(sigmoid, real_sigmoid(z), g * y * (1 - y))

static const lg_op *fused_op(lg_activation activation)
{
    switch (activation) {
    case LG_RELU: return &lg_linear_relu_op;
    case LG_TANH: return &lg_linear_tanh_op;
    case LG_SIGMOID: return &lg_linear_sigmoid_op;
    default: return &lg_linear_op;
    }
}

static void fail_linear(const lg_tensor *x, const lg_tensor *w, const lg_tensor *bias)
{
    char xt[LG_SHAPE_TEXT_BYTES], wt[LG_SHAPE_TEXT_BYTES], bt[LG_SHAPE_TEXT_BYTES];
    lg_tensor_shape_text(x, xt, sizeof xt), lg_tensor_shape_text(w, wt, sizeof wt);
    const size_t columns = x->rank ? x->dims[x->rank - 1] : 0;
    if (x->rank < 1 || w->rank != 2)
        lg_fail(LG_E_SHAPE, "linear: x %s, w %s: x [..., in] and w [out, in] are wanted", xt, wt);
    else if (columns != w->dims[1])
        lg_fail(LG_E_SHAPE, "linear: x %s and w %s do not fit: x has %zu columns, w [out, in] takes %zu%s", xt, wt,
                columns, w->dims[1], columns == w->dims[0] ? "; transpose w?" : "");
    else
        lg_fail(LG_E_SHAPE, "linear: bias %s does not fit w %s; [%zu] is wanted",
                lg_tensor_shape_text(bias, bt, sizeof bt), wt, w->dims[0]);
}

static bool linear_fits(const lg_tensor *x, const lg_tensor *w, const lg_tensor *bias, linear_form *form)
{
    if (x->rank < 1 || w->rank != 2 || x->dims[x->rank - 1] != w->dims[1] ||
        (bias && (bias->rank != 1 || bias->dims[0] != w->dims[0]))) {
        fail_linear(x, w, bias);
        return false;
    }
    *form = (linear_form){ .rows = 1, .in = w->dims[1], .out = w->dims[0] };
    for (size_t i = 0; i + 1 < x->rank; i++)
        form->rows *= x->dims[i];
    return lg_gemm_check("linear", form->rows, form->out, form->in) == LG_OK;
}

lg_tensor *lg_linear(lg_tape *tape, lg_tensor *x, lg_tensor *w, lg_tensor *bias, lg_activation activation)
{
    lg_tensor *inputs[] = { x, w, bias };
    const size_t count = bias ? 3 : 2;
    linear_form form;
    if (!lg_real_operands(tape, "linear", count, inputs) || !linear_fits(x, w, bias, &form))
        return NULL;
    const lg_op *op = fused_op(activation);
    size_t dims[LG_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank - 1] = form.out;
    lg_tensor *y = lg_record_recipe(tape, op, count, inputs,
                                    &(lg_recipe){ .rank = x->rank,
                                                  .dims = dims,
                                                  .attributes = &form,
                                                  .attribute_bytes = sizeof form,
                                                  .scratch_bytes = op == &lg_linear_op ? 0 : strip_bytes(&form) });
    return op != &lg_linear_op || activation == LG_LINEAR ? y : y ? lg_activate(tape, y, activation) : NULL;
}

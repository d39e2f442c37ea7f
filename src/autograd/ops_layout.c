/* Operations that move values and do no arithmetic on them: shapes, axes, pieces, rows; and detach. */
#include "autograd/ops_internal.h"

#include <string.h>

/* ---------------------------------------------------------------- reshape */

/* y = x in another shape,   dx = g */
static void reshape_backward(const lg_node *node)
{
    bool add;
    lg_real *gx = lg_grad_target(node, 0, &add);
    if (gx)
        lg_put_all(gx, add, node->output->grad, node->output->size);
}

const lg_op lg_reshape_op = { "reshape", NULL, reshape_backward };

/* Computes the dim that is LG_INFER, if one is, and checks that the sizes agree. */
static bool complete_shape(const lg_tensor *x, size_t rank, const size_t *asked, size_t *dims)
{
    char from[LG_SHAPE_TEXT_BYTES], to[LG_SHAPE_TEXT_BYTES];
    size_t size, unknown = rank;
    if (rank > LG_MAX_RANK || (rank > 0 && !asked))
        return lg_shape_size("reshape", rank, asked, &size) == LG_OK; /* which refuses it */
    for (size_t i = 0; i < rank; i++) {
        dims[i] = asked[i];
        if (asked[i] != LG_INFER)
            continue;
        if (unknown < rank) {
            lg_fail(LG_E_SHAPE, "reshape: two dims of %s are to be inferred; one can be",
                    lg_tensor_shape_text(x, from, sizeof from));
            return false;
        }
        unknown = i;
        dims[i] = 1;
    }
    if (lg_shape_size("reshape", rank, dims, &size) != LG_OK)
        return false;
    if (unknown < rank) {
        dims[unknown] = size > 0 ? x->size / size : 0;
        size *= dims[unknown];
        if (size == x->size && dims[unknown] == 0 && lg_shape_size("reshape", rank, dims, &size) != LG_OK)
            return false;
    }
    if (size == x->size)
        return true;
    lg_tensor_shape_text(x, from, sizeof from), lg_shape_text(rank, dims, to, sizeof to);
    if (unknown < rank)
        lg_fail(LG_E_SHAPE, "reshape: the %zu elements of %s do not divide by the other dims of the new shape", x->size,
                from);
    else
        lg_fail(LG_E_SHAPE, "reshape: %s has %zu elements, %s has %zu", from, x->size, to, size);
    return false;
}

lg_tensor *lg_reshape(lg_tape *tape, lg_tensor *x, size_t rank, const size_t *dims)
{
    size_t complete[LG_MAX_RANK] = { 0 };
    if (!lg_real_operands(tape, "reshape", 1, &x) || !complete_shape(x, rank, dims, complete))
        return NULL;
    return lg_record_recipe(tape, &lg_reshape_op, 1, &x,
                            &(lg_recipe){ .rank = rank, .dims = complete, .view = x->real });
}

/* ----------------------------------------------------------------- detach */

const lg_op lg_detach_op = { "detach", NULL, NULL };

lg_tensor *lg_detach(lg_tape *tape, lg_tensor *x)
{
    if (!lg_real_operands(tape, "detach", 1, &x))
        return NULL;
    return lg_record_recipe(tape, &lg_detach_op, 1, &x,
                            &(lg_recipe){ .rank = x->rank, .dims = x->dims, .view = x->real });
}

/* -------------------------------------------------------------- transpose */

/* A tensor [outer, a, middle, b, inner] whose axes a and b change places. */
typedef struct exchange {
    size_t outer, a, middle, b, inner;
} exchange;

#define TILE 16

/* to[j * to_step + 0 .. inner) = from[i ...]: one tile of an a x b matrix of vectors. */
static void move_tile(size_t rows, size_t columns, size_t inner, const lg_real *from, size_t from_step, lg_real *to,
                      size_t to_step, bool add)
{
    if (inner == 1)
        for (size_t j = 0; j < columns; j++)
            for (size_t i = 0; i < rows; i++)
                lg_put(to, j * to_step + i, add, from[i * from_step + j]);
    else
        for (size_t j = 0; j < columns; j++)
            for (size_t i = 0; i < rows; i++)
                lg_put_all(to + j * to_step + i * inner, add, from + i * from_step + j * inner, inner);
}

/* y[o, j, m, i, .] = x[o, i, m, j, .] */
static void exchange_axes(const exchange *e, const lg_real *x, lg_real *y, bool add)
{
    const size_t from_step = e->middle * e->b * e->inner, to_step = e->middle * e->a * e->inner;
    for (size_t o = 0; o < e->outer; o++)
        for (size_t m = 0; m < e->middle; m++) {
            const lg_real *from = x + o * e->a * from_step + m * e->b * e->inner;
            lg_real *to = y + o * e->b * to_step + m * e->a * e->inner;
            for (size_t i = 0; i < e->a; i += TILE)
                for (size_t j = 0; j < e->b; j += TILE)
                    move_tile(e->a - i < TILE ? e->a - i : TILE, e->b - j < TILE ? e->b - j : TILE, e->inner,
                              from + i * from_step + j * e->inner, from_step, to + j * to_step + i * e->inner, to_step,
                              add);
        }
}

static void transpose_forward(const lg_node *node)
{
    exchange_axes(node->attributes, node->inputs[0]->real, node->output->real, false);
}

static void transpose_backward(const lg_node *node)
{
    exchange back = *(const exchange *)node->attributes;
    const size_t a = back.a;
    back.a = back.b, back.b = a;
    bool add;
    lg_real *gx = lg_grad_target(node, 0, &add);
    if (gx)
        exchange_axes(&back, node->output->grad, gx, add);
}

const lg_op lg_transpose_op = { "transpose", transpose_forward, transpose_backward };

lg_tensor *lg_transpose(lg_tape *tape, lg_tensor *x, int axis_a, int axis_b)
{
    size_t a, b, dims[LG_MAX_RANK];
    if (!lg_real_operands(tape, "transpose", 1, &x) || !lg_axis_of("transpose", x, axis_a, &a) ||
        !lg_axis_of("transpose", x, axis_b, &b))
        return NULL;
    const size_t first = a < b ? a : b, second = a < b ? b : a;
    memcpy(dims, x->dims, sizeof dims);
    dims[a] = x->dims[b], dims[b] = x->dims[a];
    exchange e = { 1, dims[second], 1, first == second ? 1 : dims[first], lg_around_axis(x, second).inner };
    for (size_t i = 0; i < first; i++)
        e.outer *= dims[i];
    for (size_t i = first + 1; i < second; i++)
        e.middle *= dims[i];
    return lg_record_recipe(tape, &lg_transpose_op, 1, &x,
                            &(lg_recipe){ .rank = x->rank,
                                          .dims = dims,
                                          .attributes = &e,
                                          .attribute_bytes = sizeof e });
}

/* ----------------------------------------------------------------- concat */

/* The result is seen as [outer, row]; input k fills a stretch of every row. */
static void concat_forward(const lg_node *node)
{
    const size_t outer = *(const size_t *)node->attributes;
    const size_t row = outer > 0 ? node->output->size / outer : 0;
    lg_real *to = node->output->real;
    for (size_t k = 0; k < node->count; k++) {
        const size_t n = outer > 0 ? node->inputs[k]->size / outer : 0;
        for (size_t o = 0; o < outer; o++)
            memcpy(to + o * row, node->inputs[k]->real + o * n, n * sizeof *to);
        to += n;
    }
}

static void concat_backward(const lg_node *node)
{
    const size_t outer = *(const size_t *)node->attributes;
    const size_t row = outer > 0 ? node->output->size / outer : 0;
    const lg_real *g = node->output->grad;
    for (size_t k = 0; k < node->count; k++) {
        const size_t n = outer > 0 ? node->inputs[k]->size / outer : 0;
        bool add;
        lg_real *gx = lg_grad_target(node, k, &add);
        for (size_t o = 0; gx && o < outer; o++)
            lg_put_all(gx + o * n, add, g + o * row, n);
        g += n;
    }
}

const lg_op lg_concat_op = { "concat", concat_forward, concat_backward };

/* Whether x is like `first` in all but `axis`. */
static bool alike_but(const lg_tensor *first, const lg_tensor *x, size_t axis)
{
    if (x->rank != first->rank)
        return false;
    for (size_t i = 0; i < x->rank; i++)
        if (i != axis && x->dims[i] != first->dims[i])
            return false;
    return true;
}

lg_tensor *lg_concat(lg_tape *tape, size_t count, lg_tensor *const tensors[], int axis)
{
    size_t found, dims[LG_MAX_RANK];
    if (!tensors) {
        lg_fail_null("concat: the list of tensors is NULL");
        return NULL;
    }
    if (count == 0) {
        lg_fail(LG_E_PARAM, "concat: the list of tensors is empty");
        return NULL;
    }
    if (!lg_real_operands(tape, "concat", count, tensors) || !lg_axis_of("concat", tensors[0], axis, &found))
        return NULL;
    memcpy(dims, tensors[0]->dims, sizeof dims);
    for (size_t k = 1; k < count; k++) {
        if (!alike_but(tensors[0], tensors[k], found)) {
            char a[LG_SHAPE_TEXT_BYTES], b[LG_SHAPE_TEXT_BYTES];
            lg_fail(LG_E_SHAPE, "concat: tensor %zu is %s, the first is %s; only axis %zu may differ", k + 1,
                    lg_tensor_shape_text(tensors[k], b, sizeof b), lg_tensor_shape_text(tensors[0], a, sizeof a), found);
            return NULL;
        }
        if (__builtin_add_overflow(dims[found], tensors[k]->dims[found], &dims[found])) {
            lg_fail(LG_E_SHAPE, "concat: the result is longer than memory can address");
            return NULL;
        }
    }
    const size_t outer = lg_around_axis(tensors[0], found).outer;
    return lg_record_recipe(tape, &lg_concat_op, count, tensors,
                            &(lg_recipe){ .rank = tensors[0]->rank,
                                          .dims = dims,
                                          .attributes = &outer,
                                          .attribute_bytes = sizeof outer });
}

/* ------------------------------------------------------------------ slice */

/* x seen as [outer, row]: of every row the `take` elements from `skip` on. */
typedef struct cut {
    size_t outer, row, skip, take;
} cut;

static void slice_forward(const lg_node *node)
{
    const cut *c = node->attributes;
    if (c->outer == 1) /* a view */
        return;
    for (size_t o = 0; o < c->outer; o++)
        memcpy(node->output->real + o * c->take, node->inputs[0]->real + o * c->row + c->skip,
               c->take * sizeof(lg_real));
}

static void slice_backward(const lg_node *node)
{
    const cut *c = node->attributes;
    bool add;
    lg_real *gx = lg_grad_target(node, 0, &add);
    for (size_t o = 0; gx && o < c->outer; o++) {
        lg_real *row = gx + o * c->row;
        if (!add) {
            memset(row, 0, c->skip * sizeof *row);
            memset(row + c->skip + c->take, 0, (c->row - c->skip - c->take) * sizeof *row);
        }
        lg_put_all(row + c->skip, add, node->output->grad + o * c->take, c->take);
    }
}

const lg_op lg_slice_op = { "slice", slice_forward, slice_backward };

lg_tensor *lg_slice(lg_tape *tape, lg_tensor *x, int axis, size_t start, size_t stop)
{
    size_t found, dims[LG_MAX_RANK];
    if (!lg_real_operands(tape, "slice", 1, &x) || !lg_axis_of("slice", x, axis, &found))
        return NULL;
    if (start > stop || stop > x->dims[found]) {
        char text[LG_SHAPE_TEXT_BYTES];
        lg_fail(LG_E_INDEX, "slice: %zu to %zu along axis %zu of %s; 0 <= start <= stop <= %zu is wanted", start, stop,
                found, lg_tensor_shape_text(x, text, sizeof text), x->dims[found]);
        return NULL;
    }
    memcpy(dims, x->dims, sizeof dims);
    dims[found] = stop - start;
    const lg_around s = lg_around_axis(x, found);
    const cut c = { s.outer, s.length * s.inner, start * s.inner, dims[found] * s.inner };
    return lg_record_recipe(tape, &lg_slice_op, 1, &x,
                            &(lg_recipe){ .rank = x->rank,
                                          .dims = dims,
                                          .attributes = &c,
                                          .attribute_bytes = sizeof c,
                                          .view = s.outer == 1 ? x->real + c.skip : NULL });
}

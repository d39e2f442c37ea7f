/* Operations that pick among values: rows by index, elements by chance. */
#include "autograd/ops_internal.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ gather_rows */

/* y[i, .] = table[index[i], .] */
static void gather_rows_forward(const lg_node *node)
{
    const size_t width = *(const size_t *)node->attributes;
    const int32_t *index = node->inputs[1]->index;
    for (size_t i = 0; i < node->inputs[1]->size; i++)
        memcpy(node->output->real + i * width, node->inputs[0]->real + (size_t)index[i] * width,
               width * sizeof(lg_real));
}

/* dtable[index[i], .] += g[i, .] */
static void gather_rows_backward(const lg_node *node)
{
    const size_t width = *(const size_t *)node->attributes;
    const int32_t *index = node->inputs[1]->index;
    bool add;
    lg_real *gt = lg_grad_target(node, 0, &add);
    if (!gt)
        return;
    if (!add)
        memset(gt, 0, node->inputs[0]->size * sizeof *gt);
    for (size_t i = 0; i < node->inputs[1]->size; i++)
        lg_put_all(gt + (size_t)index[i] * width, true, node->output->grad + i * width, width);
}

const lg_op lg_gather_rows_op = { "gather_rows", gather_rows_forward, gather_rows_backward };

static bool indices_fit(const lg_tensor *table, const lg_tensor *indices)
{
    char at[LG_SHAPE_TEXT_BYTES], it[LG_SHAPE_TEXT_BYTES], tt[LG_SHAPE_TEXT_BYTES];
    if (table->rank < 1 || indices->rank + table->rank - 1 > LG_MAX_RANK) {
        lg_fail(LG_E_SHAPE, "gather_rows: rows of %s by indices %s: a table [rows, ...] and a result of at most %d axes "
                            "are wanted",
                lg_tensor_shape_text(table, tt, sizeof tt), lg_tensor_shape_text(indices, it, sizeof it), LG_MAX_RANK);
        return false;
    }
    for (size_t i = 0; i < indices->size; i++) {
        if (indices->index[i] < 0 || (size_t)indices->index[i] >= table->dims[0]) {
            if (table->dims[0] == 0)
                lg_fail(LG_E_INDEX, "gather_rows: indices%s is %d, but the table has no rows",
                        lg_position_text(indices, i, at, sizeof at), (int)indices->index[i]);
            else
                lg_fail(LG_E_INDEX, "gather_rows: indices%s is %d, but the rows are 0..%zu",
                        lg_position_text(indices, i, at, sizeof at), (int)indices->index[i], table->dims[0] - 1);
            return false;
        }
    }
    return true;
}

lg_tensor *lg_gather_rows(lg_tape *tape, lg_tensor *table, lg_tensor *indices)
{
    lg_tensor *inputs[] = { table, indices };
    if (!lg_operands(tape, "gather_rows", 2, inputs))
        return NULL;
    if (table->dtype != LG_REAL || indices->dtype != LG_INT32) {
        lg_fail(LG_E_DTYPE, "gather_rows: a real table and int32 indices are wanted");
        return NULL;
    }
    if (!indices_fit(table, indices))
        return NULL;
    size_t dims[LG_MAX_RANK] = { 0 }, rank = 0, width = 1;
    for (size_t i = 0; i < indices->rank; i++)
        dims[rank++] = indices->dims[i];
    for (size_t i = 1; i < table->rank; i++) {
        dims[rank++] = table->dims[i];
        width *= table->dims[i];
    }
    return lg_record_recipe(tape, &lg_gather_rows_op, 2, inputs,
                            &(lg_recipe){ .rank = rank,
                                          .dims = dims,
                                          .attributes = &width,
                                          .attribute_bytes = sizeof width });
}

/* ---------------------------------------------------------------- dropout */

typedef struct dropout_form {
    lg_real rate, scale;
    lg_rng rng;
} dropout_form;

#define DRAWS 512

/* y[i] = x[i] scale where u[i] >= rate, else 0; kept[i] remembers which, where backward will ask. */
LG_CLONES static void drop(size_t n, lg_real rate, lg_real scale, const lg_real *restrict u, const lg_real *restrict x,
                           lg_real *restrict y, uint8_t *restrict kept)
{
    for (size_t i = 0; i < n; i++)
        y[i] = u[i] >= rate ? x[i] * scale : 0;
    if (kept)
        for (size_t i = 0; i < n; i++)
            kept[i] = u[i] >= rate;
}

static void dropout_forward(const lg_node *node)
{
    const dropout_form *f = node->attributes;
    lg_rng rng = f->rng;
    lg_real u[DRAWS];
    for (size_t i = 0, n; i < node->output->size; i += n) {
        n = node->output->size - i < DRAWS ? node->output->size - i : DRAWS;
        lg_rng_fill_uniform(&rng, n, u, 0, 1);
        drop(n, f->rate, f->scale, u, node->inputs[0]->real + i, node->output->real + i,
             node->saved ? (uint8_t *)node->saved + i : NULL);
    }
}

/* dx = g scale where x was kept, else 0 */
LG_CLONES static void dropout_backward(const lg_node *node)
{
    const lg_real scale = ((const dropout_form *)node->attributes)->scale;
    const uint8_t *restrict kept = node->saved;
    const lg_real *restrict g = node->output->grad;
    bool add;
    lg_real *restrict gx = lg_grad_target(node, 0, &add);
    for (size_t i = 0; gx && i < node->output->size; i++)
        lg_put(gx, i, add, kept[i] ? g[i] * scale : 0);
}

const lg_op lg_dropout_op = { "dropout", dropout_forward, dropout_backward };

lg_tensor *lg_dropout(lg_tape *tape, lg_tensor *x, double rate)
{
    if (!lg_real_operands(tape, "dropout", 1, &x))
        return NULL;
    if (!(rate >= 0 && rate <= 1)) {
        lg_fail(LG_E_PARAM, "dropout: the rate %g is no probability; 0 <= rate <= 1 is wanted", rate);
        return NULL;
    }
    if (!tape->training || rate == 0)
        return x;
    const dropout_form form = { (lg_real)rate, rate < 1 ? (lg_real)(1 / (1 - rate)) : 0, lg_tape_next_rng(tape) };
    return lg_record_recipe(tape, &lg_dropout_op, 1, &x,
                            &(lg_recipe){ .rank = x->rank,
                                          .dims = x->dims,
                                          .attributes = &form,
                                          .attribute_bytes = sizeof form,
                                          .saved_bytes = lg_wants_grad(tape, 1, &x) ? x->size : 0 });
}

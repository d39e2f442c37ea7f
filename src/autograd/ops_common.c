/* The table of ops, and what the fronts of ops share (ops_internal.h). */
#include "autograd/ops_internal.h"

static const lg_op *const op_table[] = {
#define ROW(name) &lg_##name##_op,
    LG_OP_LIST(ROW)
#undef ROW
};

size_t lg_op_count(void)
{
    return sizeof op_table / sizeof op_table[0];
}

const lg_op *lg_op_at(size_t row)
{
    return row < lg_op_count() ? op_table[row] : NULL;
}

const char *lg_position_text(const lg_tensor *x, size_t flat, char *text, size_t bytes)
{
    size_t at[LG_MAX_RANK];
    for (size_t i = x->rank; i-- > 0; flat /= x->dims[i])
        at[i] = flat % x->dims[i];
    return lg_shape_text(x->rank, at, text, bytes);
}

bool lg_axis_of(const char *name, const lg_tensor *x, int axis, size_t *found)
{
    const int rank = (int)x->rank;
    if (axis < -rank || axis >= rank) {
        char text[LG_SHAPE_TEXT_BYTES];
        lg_tensor_shape_text(x, text, sizeof text);
        if (rank == 0)
            lg_fail(LG_E_SHAPE, "%s: axis %d of a scalar, which has none", name, axis);
        else
            lg_fail(LG_E_SHAPE, "%s: axis %d of %s, which has axes 0 to %d, or -%d to -1 from the end", name, axis, text,
                    rank - 1, rank);
        return false;
    }
    *found = (size_t)(axis < 0 ? axis + rank : axis);
    return true;
}

lg_around lg_around_axis(const lg_tensor *x, size_t axis)
{
    lg_around around = { 1, x->dims[axis], 1 };
    for (size_t i = 0; i < axis; i++)
        around.outer *= x->dims[i];
    for (size_t i = axis + 1; i < x->rank; i++)
        around.inner *= x->dims[i];
    return around;
}

lg_tensor *lg_record_unary(lg_tape *tape, const lg_op *op, lg_tensor *x, lg_constants constants)
{
    if (!lg_real_operands(tape, op->name, 1, &x))
        return NULL;
    return lg_record_recipe(tape, op, 1, &x,
                            &(lg_recipe){ .rank = x->rank,
                                          .dims = x->dims,
                                          .attributes = &constants,
                                          .attribute_bytes = sizeof constants });
}

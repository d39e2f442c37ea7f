/* A batch's fields as tensors on the tape (batch.h). */
#include "train/batch.h"

#include "train/report_internal.h"

#include <string.h>

static lg_tensor *view_field(const char *what, lg_tape *tape, const lg_batch *batch, const char *name)
{
    if (!tape || !batch || !name) {
        lg_fail_null("%s: %s is NULL", what, !tape ? "the tape" : !batch ? "the batch" : "the name");
        return NULL;
    }
    const lg_field *field = lg_dataset_field(lg_batch_dataset(batch), name);
    if (!field) {
        lg_fail(LG_E_PARAM, "%s: the data set has no field \"%s\"", what, name);
        return NULL;
    }
    size_t dims[LG_MAX_RANK], rank = 0;
    dims[rank++] = lg_batch_rows(batch);
    if (field->ragged)
        dims[rank++] = lg_batch_longest(batch, name);
    for (size_t i = 0; i < field->rank; i++)
        dims[rank++] = field->dims[i];
    return field->dtype == LG_REAL ? lg_view(tape, rank, dims, lg_batch_values(batch, name))
                                   : lg_view_indices(tape, rank, dims, lg_batch_indices(batch, name));
}

lg_tensor *lg_batch_x(lg_tape *tape, const lg_batch *batch)
{
    return view_field("lg_batch_x", tape, batch, "x");
}

lg_tensor *lg_batch_y(lg_tape *tape, const lg_batch *batch)
{
    return view_field("lg_batch_y", tape, batch, "y");
}

lg_tensor *lg_batch_field(lg_tape *tape, const lg_batch *batch, const char *name)
{
    return view_field("lg_batch_field", tape, batch, name);
}

lg_tensor *lg_batch_field_lengths(lg_tape *tape, const lg_batch *batch, const char *name)
{
    if (!tape || !batch || !name) {
        lg_fail_null("lg_batch_field_lengths: an argument is NULL");
        return NULL;
    }
    const lg_field *field = lg_dataset_field(lg_batch_dataset(batch), name);
    if (!field || !field->ragged) {
        lg_fail(LG_E_PARAM, "lg_batch_field_lengths: the data set has no ragged field \"%s\"", name);
        return NULL;
    }
    return lg_view_indices(tape, LG_SHAPE(lg_batch_rows(batch)), lg_batch_lengths(batch, name));
}

const lg_tensor *lg_batch_class_weight(const lg_tape *tape, const lg_batch *batch)
{
    const lg_reports *reports = lg_reports_of(tape);
    return batch && reports ? reports->class_weight : NULL;
}

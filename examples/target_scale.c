#include "target_scale.h"

#include <math.h>

target_scale target_scale_of(const trainer_data *data, bool raw)
{
    const lg_real *y = lg_dataset_values(data->all, "y");
    const lg_split *split = data->split;
    const double rows = (double)split->train_rows;
    target_scale scale = { 0, 1 };
    double squares = 0;
    if (raw)
        return scale;
    for (size_t i = 0; i < split->train_rows; i++)
        scale.centre += (double)y[split->train[i]] / rows;
    for (size_t i = 0; i < split->train_rows; i++)
        squares += pow((double)y[split->train[i]] - scale.centre, 2) / rows;
    if (squares > 0)
        scale.unit = sqrt(squares);
    return scale;
}

lg_status target_scale_load(const loaded_model *m, target_scale *scale)
{
    lg_status status = loaded_doubles(m, "target.centre", 1, &scale->centre);
    if (status == LG_OK)
        status = loaded_doubles(m, "target.unit", 1, &scale->unit);
    if (status == LG_OK && !(isfinite(scale->centre) && isfinite(scale->unit) && scale->unit > 0))
        status = loaded_lacks(m, "scale of the target");
    return status;
}

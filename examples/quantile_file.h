/* model.safetensors of quantile regression: the network, and what it takes to predict and to go on training. */
#ifndef EXAMPLES_QUANTILE_FILE_H
#define EXAMPLES_QUANTILE_FILE_H

#include "quantile_options.h"
#include "table.h"
#include "target_scale.h"

/* Predictions in the data's units are  target.centre + target.unit net((x - input.means) / input.deviations). */
lg_status quantile_save(run *r, const lg_params *params, const trainer_data *data, const quantile_options *options,
                        const target_scale *scale);

/* Opens the model of --load, if there is one (table_load), and sees that its layers are there. Into the options:
 * quantiles, hidden layers and whether all is raw; and its scale. */
lg_status quantile_load(table_model *t, quantile_options *options, target_scale *scale);

#endif

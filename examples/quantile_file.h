/* model.safetensors of quantile regression: the network, and what it takes to predict and to go on training. */
#ifndef EXAMPLES_QUANTILE_FILE_H
#define EXAMPLES_QUANTILE_FILE_H

#include "quantile_options.h"
#include "target_scale.h"

/* Predictions in the data's units are  target.centre + target.unit net((x - input.means) / input.deviations). */
lg_status quantile_save(run *r, const lg_params *params, const trainer_data *data, const quantile_options *options,
                        const target_scale *scale);

/* Quantiles, hidden layers and whether all is raw, into the options; and the scale. Checks that the layers are
 * there. */
lg_status quantile_load(const loaded_model *m, quantile_options *options, target_scale *scale);

#endif

/* model.safetensors of the fraud detector: the network, and what it takes to predict and to go on training. */
#ifndef EXAMPLES_FRAUD_FILE_H
#define EXAMPLES_FRAUD_FILE_H

#include "fraud_options.h"
#include "table.h"

/* `threshold` is that above which a probability counts as fraud; NAN if none was chosen, because training was
 * interrupted. */
lg_status fraud_save(run *r, const lg_params *params, const trainer_data *data, const fraud_options *options,
                     double threshold);

/* Opens the model of --load, if there is one (table_load), and sees that its layers are there. Into the options: hidden
 * layers; and its threshold, 0.5 for a model that has none. */
lg_status fraud_load(table_model *t, fraud_options *options, double *threshold);

#endif

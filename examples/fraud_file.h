/* model.safetensors of the fraud detector: the network, and what it takes to predict and to go on training. */
#ifndef EXAMPLES_FRAUD_FILE_H
#define EXAMPLES_FRAUD_FILE_H

#include "fraud_options.h"

/* `threshold` is that above which a probability counts as fraud; NAN if none was chosen, because training was
 * interrupted. */
lg_status fraud_save(run *r, const lg_params *params, const trainer_data *data, const fraud_options *options,
                     double threshold);

/* The hidden layers, into the options, and the threshold, 0.5 for a model that has none. Checks that the layers are
 * there. */
lg_status fraud_load(const loaded_model *m, fraud_options *options, double *threshold);

#endif

/* The scale of a target that is a quantity: a network is trained on (y - centre) / unit. */
#ifndef EXAMPLES_TARGET_SCALE_H
#define EXAMPLES_TARGET_SCALE_H

#include "loaded_model.h"

typedef struct target_scale {
    double centre, unit;
} target_scale;

/* Mean and deviation of "y" over the training part; 0 and 1 if `raw`. */
target_scale target_scale_of(const trainer_data *data, bool raw);

/* Of a model's file: the tensors "target.centre" and "target.unit". LG_E_FORMAT for a unit that is not above 0. */
lg_status target_scale_load(const loaded_model *m, target_scale *scale);

#endif

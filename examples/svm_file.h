/* model.safetensors of the support vector machine: the plane, and what it takes to score rows and to go on training. */
#ifndef EXAMPLES_SVM_FILE_H
#define EXAMPLES_SVM_FILE_H

#include "svm_options.h"
#include "table.h"

/* `steps`: how many updates the plane has behind it. */
lg_status svm_save(run *r, const lg_params *params, const trainer_data *data, const svm_options *options, size_t steps);

/* Opens the model of --load, if there is one (table_load), and sees that it has the plane. To go on training: its loss
 * and lambda, for options that do not say, and its steps. */
lg_status svm_load(table_model *t, svm_options *options, size_t *steps);

#endif

#include "svm_file.h"
#include "model_file.h"

#include <string.h>

static const char *const losses[] = { [SVM_HINGE] = "hinge", [SVM_SQUARED_HINGE] = "squared_hinge" };

lg_status svm_save(run *r, const lg_params *params, const trainer_data *data, const svm_options *options, size_t steps)
{
    char lambda[32], made[32];
    snprintf(lambda, sizeof lambda, "%.17g", options->lambda);
    snprintf(made, sizeof made, "%zu", steps);
    const lg_metadata texts[] = { { "loss", losses[options->loss] }, { "lambda", lambda }, { "steps", made } };
    return model_save_table(r, svm_about.kind, params, data, NULL, 0, texts, 3);
}

static lg_status read_loss(const loaded_model *m, svm_loss *loss)
{
    *loss = SVM_LOSS_OF_MODEL;
    const char *text = lg_safetensors_metadata(m->file, "loss");
    for (size_t i = 0; text && i < 2; i++)
        if (strcmp(text, losses[i]) == 0) {
            *loss = (svm_loss)i;
            return LG_OK;
        }
    return loaded_lacks(m, "text \"loss\"");
}

lg_status svm_load(table_model *t, svm_options *options, size_t *steps)
{
    double lambda;
    svm_loss loss;
    lg_status status = table_load(t, &svm_about, &options->shared);
    const loaded_model *m = t->loaded;
    if (status != LG_OK || !m)
        return status;
    if ((status = loaded_check_classes(m)) != LG_OK ||
        (status = loaded_check_dense(m, "plane", loaded_features(m), 1)) != LG_OK || options->shared.predict)
        return status;
    if ((status = read_loss(m, &loss)) != LG_OK || (status = loaded_number(m, "lambda", &lambda)) != LG_OK ||
        (status = loaded_count(m, "steps", 0, (size_t)1 << 53, steps)) != LG_OK)
        return status;
    if (lambda <= 0)
        return loaded_lacks(m, "text \"lambda\"");
    if (options->loss == SVM_LOSS_OF_MODEL)
        options->loss = loss;
    if (options->lambda == 0)
        options->lambda = lambda;
    return LG_OK;
}

#include "fraud_file.h"
#include "model_file.h"

#include <math.h>

lg_status fraud_save(run *r, const lg_params *params, const trainer_data *data, const fraud_options *options,
                     double threshold)
{
    char layers[HIDDEN_TEXT], number[32];
    hidden_text(&options->hidden, lg_dataset_features(data->all), 1, layers);
    snprintf(number, sizeof number, "%.17g", threshold);
    const lg_metadata texts[] = { { "layers", layers }, { "hidden_activation", "relu" }, { "output", "logit" },
                                  { "threshold", number } };
    return model_save_table(r, fraud_about.kind, params, data, NULL, 0, texts, isnan(threshold) ? 3 : 4);
}

lg_status fraud_load(table_model *t, fraud_options *options, double *threshold)
{
    size_t outputs = 1;
    lg_status status = table_load(t, &fraud_about, &options->shared);
    const loaded_model *m = t->loaded;
    if (status != LG_OK || !m)
        return status;
    status = loaded_check_classes(m);
    if (status == LG_OK)
        status = hidden_load(m, NULL, &options->hidden, &outputs);
    if (status == LG_OK && outputs != 1)
        status = loaded_lacks(m, "text \"layers\"");
    *threshold = 0.5;
    if (status == LG_OK && lg_safetensors_metadata(m->file, "threshold"))
        status = loaded_number(m, "threshold", threshold);
    return status;
}

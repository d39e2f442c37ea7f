#include "quantile_file.h"
#include "model_file.h"

lg_status quantile_save(run *r, const lg_params *params, const trainer_data *data, const quantile_options *options,
                        const target_scale *scale)
{
    char layers[HIDDEN_TEXT];
    hidden_text(&options->hidden, lg_dataset_features(data->all), options->quantiles, layers);
    const lg_metadata texts[] = { { "layers", layers }, { "hidden_activation", "tanh" }, { "output", "quantiles" } };
    const lg_file_entry more[] = { { "quantiles", LG_FILE_F64, 1, &options->quantiles, options->tau },
                                   { "target.centre", LG_FILE_F64, 0, NULL, &scale->centre },
                                   { "target.unit", LG_FILE_F64, 0, NULL, &scale->unit } };
    return model_save_table(r, quantile_about.kind, params, data, more, 3, texts, 3);
}

static lg_status read_quantiles(const loaded_model *m, quantile_options *options)
{
    lg_status status = loaded_doubles(m, "quantiles", options->quantiles, options->tau);
    for (size_t q = 0; status == LG_OK && q < options->quantiles; q++)
        if (!(options->tau[q] > (q ? options->tau[q - 1] : 0) && options->tau[q] < 1))
            return loaded_lacks(m, "list of quantiles");
    return status;
}

lg_status quantile_load(table_model *t, quantile_options *options, target_scale *scale)
{
    lg_status status = table_load(t, &quantile_about, &options->shared);
    const loaded_model *m = t->loaded;
    if (status != LG_OK || !m)
        return status;
    status = hidden_load(m, "quantiles", &options->hidden, &options->quantiles);
    if (status == LG_OK && options->quantiles > MOST_QUANTILES)
        status = loaded_lacks(m, "list of quantiles");
    if (status == LG_OK)
        status = read_quantiles(m, options);
    if (status == LG_OK)
        status = target_scale_load(m, scale);
    options->raw = m->scaler == NULL;
    return status;
}

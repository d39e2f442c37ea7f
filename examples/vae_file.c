#include "vae_file.h"
#include "model_file.h"

#include <math.h>

lg_status vae_file_save(run *r, const autoencoder *model, const vae_rows *rows, const score_limits *limits)
{
    const autoencoder_options *options = &model->options;
    char layers[HIDDEN_TEXT], number[5][32];
    hidden_text(&options->hidden, options->features, options->latent, layers);
    snprintf(number[0], sizeof number[0], "%.17g", options->beta);
    snprintf(number[1], sizeof number[1], "%zu", rows->height);
    snprintf(number[2], sizeof number[2], "%zu", rows->width);
    snprintf(number[3], sizeof number[3], "%.17g", limits ? limits->negative_elbo : 0);
    snprintf(number[4], sizeof number[4], "%.17g", limits ? limits->excess : 0);
    const lg_metadata texts[] = { { "layers", layers },
                                  { "hidden_activation", "relu" },
                                  { "output", "mean and log_var of the code; logits of the values" },
                                  { "beta", number[0] },
                                  { "height", number[1] },
                                  { "width", number[2] },
                                  { "limit.negative_elbo", number[3] },
                                  { "limit.excess", number[4] } };
    return model_save_table(r, vae_about.kind, model->params, &rows->data, NULL, 0, texts, limits ? 8 : 6);
}

/* Encoder and decoder, whose layers are numbered through. */
static lg_status check_layers(const loaded_model *m, const autoencoder_options *options)
{
    const size_t features = loaded_features(m), count = options->hidden.count, *width = options->hidden.width;
    size_t wide[2 * MOST_HIDDEN + 2], in = features, n = 0;
    for (size_t i = 0; i < count; i++)
        wide[n++] = width[i];
    wide[n++] = 2 * options->latent;
    for (size_t i = count; i-- > 0;)
        wide[n++] = width[i];
    wide[n++] = features;
    lg_status status = LG_OK;
    for (size_t i = 0; i < n && status == LG_OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "dense_%zu", i + 1);
        status = loaded_check_dense(m, name, in, wide[i]);
        in = i == count ? options->latent : wide[i];
    }
    return status;
}

static lg_status read_shape(const loaded_model *m, vae_options *options)
{
    size_t height, width;
    lg_status status = loaded_count(m, "height", 0, 65536, &height);
    if (status == LG_OK)
        status = loaded_count(m, "width", 0, 65536, &width);
    if (status != LG_OK || options->height || height == 0)
        return status;
    if (height * width != loaded_features(m))
        return loaded_lacks(m, "text \"height\" or \"width\"");
    options->height = height;
    options->width = width;
    return LG_OK;
}

lg_status vae_file_open(loaded_model *m, vae_options *options)
{
    autoencoder_options *model = &options->model;
    double beta;
    score_limits limits;
    bool there;
    lg_status status = loaded_open(m, &vae_about, &options->shared);
    if (status == LG_OK && !m->scaler)
        status = loaded_lacks(m, "tensor \"input.means\"");
    if (status == LG_OK)
        status = loaded_hidden(m, MOST_HIDDEN, model->hidden.width, &model->hidden.count, &model->latent);
    if (status == LG_OK)
        status = check_layers(m, model);
    if (status == LG_OK)
        status = loaded_number(m, "beta", &beta);
    if (status == LG_OK && beta < 0)
        status = loaded_lacks(m, "text \"beta\"");
    if (status == LG_OK && isnan(model->beta))
        model->beta = beta;
    if (status == LG_OK)
        status = vae_file_limits(m, &limits, &there);
    return status == LG_OK ? read_shape(m, options) : status;
}

lg_status vae_file_limits(const loaded_model *m, score_limits *limits, bool *there)
{
    *there = lg_safetensors_metadata(m->file, "limit.excess") != NULL;
    if (!*there)
        return LG_OK;
    lg_status status = loaded_number(m, "limit.negative_elbo", &limits->negative_elbo);
    return status == LG_OK ? loaded_number(m, "limit.excess", &limits->excess) : status;
}

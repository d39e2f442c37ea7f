#include "vae_file.h"
#include "model_file.h"

#include <math.h>

lg_status vae_file_save(run *r, const autoencoder *model, const vae_rows *rows, const score_limits *limits)
{
    const autoencoder_options *options = &model->options;
    char layers[24 * (AUTOENCODER_MOST_LAYERS + 2)], number[5][32];
    size_t used = (size_t)snprintf(layers, sizeof layers, "%zu", options->features);
    for (size_t i = 0; i < options->layers; i++)
        used += (size_t)snprintf(layers + used, sizeof layers - used, ",%zu", options->hidden[i]);
    snprintf(layers + used, sizeof layers - used, ",%zu", options->latent);
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
    const size_t count = options->layers;
    size_t number = 1, in = loaded_features(m);
    lg_status status = LG_OK;
    for (size_t i = 0; i <= 2 * count + 1 && status == LG_OK; i++, number++) {
        const bool decoder = i > count;
        const size_t k = decoder ? i - count - 1 : i;
        const size_t out = k < count ? options->hidden[decoder ? count - 1 - k : k]
                                     : decoder ? loaded_features(m) : 2 * options->latent;
        char name[32];
        snprintf(name, sizeof name, "dense_%zu", number);
        status = loaded_check_dense(m, name, in, out);
        in = k < count || decoder ? out : options->latent;
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
        status = loaded_hidden(m, AUTOENCODER_MOST_LAYERS, model->hidden, &model->layers, &model->latent);
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

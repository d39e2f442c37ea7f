#include "autoencoder.h"

#include <stdlib.h>
#include <string.h>

lg_status autoencoder_init(autoencoder *model, const autoencoder_options *options, lg_rng *rng)
{
    *model = (autoencoder){ .options = *options, .params = lg_params_new(), .epoch = 1 };
    const hidden_layers *hidden = &options->hidden;
    model->encoder = lg_sequential_new(model->params, LG_SHAPE(options->features));
    hidden_add(hidden, model->encoder, LG_RELU, rng);
    lg_status status = lg_sequential_dense(model->encoder, 2 * options->latent, LG_LINEAR, rng);
    model->decoder = lg_sequential_new(model->params, LG_SHAPE(options->latent));
    for (size_t i = hidden->count; i-- > 0;)
        lg_sequential_dense(model->decoder, hidden->width[i], LG_RELU, rng);
    lg_status decoded = lg_sequential_dense(model->decoder, options->features, LG_LINEAR, rng);
    return status != LG_OK ? status : decoded;
}

void autoencoder_free(autoencoder *model)
{
    lg_params_free(model->params);
    free(model->noise);
    *model = (autoencoder){ 0 };
}

/* ------------------------------------------------------------------- model */

lg_tensor *autoencoder_values(lg_tape *tape, const lg_batch *batch, const autoencoder *model)
{
    lg_tensor *x = lg_reshape(tape, lg_batch_x(tape, batch), LG_SHAPE(lg_batch_rows(batch), model->options.features));
    return lg_clamp(tape, x, 0, 1);
}

autoencoder_code autoencoder_encode(lg_tape *tape, const autoencoder *model, lg_tensor *x)
{
    const size_t latent = model->options.latent;
    lg_tensor *both = lg_sequential_apply(tape, model->encoder, x); /* [batch, 2 latent] */
    return (autoencoder_code){ lg_slice(tape, both, 1, 0, latent), lg_slice(tape, both, 1, latent, 2 * latent) };
}

/* Standard normal numbers, of the tape's random stream.   [batch, latent] */
static lg_tensor *noise(lg_tape *tape, autoencoder *model, size_t rows)
{
    const size_t latent = model->options.latent;
    if (rows > model->noise_rows) {
        lg_real *larger = reallocarray(model->noise, rows, latent * sizeof *larger);
        if (!larger) {
            lg_fail(LG_E_MEMORY, "out of memory for codes of %zu rows", rows);
            return NULL;
        }
        model->noise = larger;
        model->noise_rows = rows;
    }
    lg_rng rng = lg_tape_next_rng(tape);
    lg_rng_fill_normal(&rng, rows * latent, model->noise, 0, 1);
    return lg_constant(tape, LG_SHAPE(rows, latent), model->noise);
}

/* The reparameterisation: z = mean + exp(log_var / 2) noise.   [batch, latent] */
lg_tensor *autoencoder_sample(lg_tape *tape, autoencoder *model, const autoencoder_code *code)
{
    lg_tensor *deviation = lg_exp(tape, lg_scale(tape, code->log_var, 0.5)); /* [batch, latent] */
    return lg_add(tape, code->mean, lg_mul(tape, deviation, noise(tape, model, lg_tensor_dim(code->mean, 0))));
}

lg_tensor *autoencoder_logits(lg_tape *tape, const autoencoder *model, lg_tensor *z)
{
    return lg_sequential_apply(tape, model->decoder, z);
}

/* Codes are to be found useful before they have to be cheap. */
double autoencoder_beta(const autoencoder *model, const lg_tape *tape)
{
    const autoencoder_options *options = &model->options;
    if (model->epoch >= options->beta_warmup || !lg_tape_is_training(tape))
        return options->beta;
    return options->beta * (double)model->epoch / (double)options->beta_warmup;
}

lg_status autoencoder_next_epoch(size_t epoch, const lg_history *history, void *model)
{
    (void)history;
    ((autoencoder *)model)->epoch = epoch + 1;
    return LG_OK;
}

/* -------------------------------------------------------------- afterwards */

lg_tensor *autoencoder_codes(lg_tape *tape, const lg_batch *batch, void *context)
{
    const autoencoder *model = context;
    return lg_sequential_apply(tape, model->encoder, autoencoder_values(tape, batch, model));
}

lg_status autoencoder_decode(const autoencoder *model, size_t rows, const lg_real *codes, lg_real *out)
{
    lg_tape *tape = lg_tape_new();
    if (!tape)
        return lg_error_code();
    lg_tape_set_gradients(tape, false);
    lg_tape_set_training(tape, false);
    lg_tensor *z = lg_view(tape, LG_SHAPE(rows, model->options.latent), codes);
    lg_tensor *p = lg_sigmoid(tape, lg_sequential_apply(tape, model->decoder, z)); /* [rows, features] */
    if (p)
        memcpy(out, lg_tensor_data(p), lg_tensor_size(p) * sizeof *out);
    lg_tape_free(tape);
    return p ? LG_OK : lg_error_code();
}

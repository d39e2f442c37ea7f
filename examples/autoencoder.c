#include "autoencoder.h"

#include <stdlib.h>
#include <string.h>

lg_status autoencoder_init(autoencoder *model, const autoencoder_options *options, lg_rng *rng)
{
    *model = (autoencoder){ .options = *options, .params = lg_params_new(), .epoch = 1 };
    const size_t *hidden = options->hidden, layers = options->layers;
    model->encoder = lg_sequential_new(model->params, LG_SHAPE(options->features));
    for (size_t i = 0; i < layers; i++)
        lg_sequential_dense(model->encoder, hidden[i], LG_RELU, rng);
    lg_status status = lg_sequential_dense(model->encoder, 2 * options->latent, LG_LINEAR, rng);
    model->decoder = lg_sequential_new(model->params, LG_SHAPE(options->latent));
    for (size_t i = layers; i-- > 0;)
        lg_sequential_dense(model->decoder, hidden[i], LG_RELU, rng);
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

/* The distribution of a code: mean and logarithm of the variance, both [batch, latent]. */
typedef struct code {
    lg_tensor *mean, *log_var;
} code;

/* Rows of any shape as vectors.   [batch, features] */
static lg_tensor *values_of(lg_tape *tape, const lg_batch *batch, const autoencoder *model)
{
    return lg_reshape(tape, lg_batch_x(tape, batch), LG_SHAPE(lg_batch_rows(batch), model->options.features));
}

static code encode(lg_tape *tape, const autoencoder *model, lg_tensor *x)
{
    const size_t latent = model->options.latent;
    lg_tensor *both = lg_sequential_apply(tape, model->encoder, x); /* [batch, 2 latent] */
    return (code){ lg_slice(tape, both, 1, 0, latent), lg_slice(tape, both, 1, latent, 2 * latent) };
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
static lg_tensor *sample(lg_tape *tape, autoencoder *model, const code *c)
{
    lg_tensor *deviation = lg_exp(tape, lg_scale(tape, c->log_var, 0.5)); /* [batch, latent] */
    return lg_add(tape, c->mean, lg_mul(tape, deviation, noise(tape, model, lg_tensor_dim(c->mean, 0))));
}

/* ---------------------------------------------------------------- training */

/* Rises evenly over the epochs of the warm-up, so that codes are found useful before they have to be cheap. */
static double beta_of(const autoencoder *model, const lg_tape *tape)
{
    const autoencoder_options *options = &model->options;
    if (model->epoch >= options->beta_warmup || !lg_tape_is_training(tape))
        return options->beta;
    return options->beta * (double)model->epoch / (double)options->beta_warmup;
}

lg_tensor *autoencoder_step(lg_tape *tape, const lg_batch *batch, void *context)
{
    autoencoder *model = context;
    const double rows = (double)lg_batch_rows(batch), beta = beta_of(model, tape);
    lg_tensor *x = values_of(tape, batch, model);                     /* [batch, features] */
    code c = encode(tape, model, x);                                  /* [batch, latent] each */
    lg_tensor *z = sample(tape, model, &c);                           /* [batch, latent] */
    lg_tensor *logits = lg_sequential_apply(tape, model->decoder, z); /* [batch, features] */
    lg_tensor *loss = lg_vae(tape, logits, x, c.mean, c.log_var, beta, LG_RECONSTRUCT_BCE_LOGITS, NULL);
    lg_tensor *kl = lg_gaussian_kl(tape, lg_detach(tape, c.mean), lg_detach(tape, c.log_var), NULL);
    if (!loss || !kl)
        return NULL;
    lg_report(tape, "reconstruction", lg_tensor_item(loss) - beta * lg_tensor_item(kl), rows);
    lg_report(tape, "kl", lg_tensor_item(kl), rows);
    if (model->options.beta_warmup)
        lg_report(tape, "beta", beta, rows);
    return loss;
}

lg_status autoencoder_next_epoch(size_t epoch, const lg_history *history, void *model)
{
    (void)history;
    ((autoencoder *)model)->epoch = epoch + 1;
    return LG_OK;
}

/* -------------------------------------------------------------- afterwards */

lg_tensor *autoencoder_losses(lg_tape *tape, const lg_batch *batch, void *context)
{
    autoencoder *model = context;
    const size_t rows = lg_batch_rows(batch), samples = model->options.samples;
    const lg_loss_options each = { .reduction = LG_REDUCE_NONE };
    lg_tensor *x = values_of(tape, batch, model); /* [batch, features] */
    code c = encode(tape, model, x);
    lg_tensor *sum = NULL; /* [batch] */
    for (size_t s = 0; s < samples; s++) {
        lg_tensor *logits = lg_sequential_apply(tape, model->decoder, sample(tape, model, &c));
        lg_tensor *one = lg_reconstruction(tape, logits, x, LG_RECONSTRUCT_BCE_LOGITS, LG_FEATURES_SUM, &each);
        sum = sum ? lg_add(tape, sum, one) : one;
        if (!sum)
            return NULL;
    }
    lg_tensor *kl = lg_gaussian_kl(tape, c.mean, c.log_var, &each); /* [batch] */
    lg_tensor *columns[] = { lg_reshape(tape, lg_scale(tape, sum, 1 / (double)samples), LG_SHAPE(rows, 1)),
                             lg_reshape(tape, kl, LG_SHAPE(rows, 1)) };
    return lg_concat(tape, 2, columns, 1);
}

lg_tensor *autoencoder_codes(lg_tape *tape, const lg_batch *batch, void *context)
{
    const autoencoder *model = context;
    return lg_sequential_apply(tape, model->encoder, values_of(tape, batch, model));
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

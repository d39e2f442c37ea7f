/* A variational autoencoder of vectors with values in [0, 1], and what can be asked of one (Kingma & Welling 2014).
 *
 *   encoder   x -> mean, log_var                       q(z | x) = N(mean, exp(log_var)), each of `latent` units
 *   a sample  z = mean + exp(log_var / 2) noise        noise from N(0, 1): the gradient passes through mean and log_var
 *   decoder   z -> logits of x                         p(x | z), a Bernoulli distribution for each value
 *   loss      -log p(x | z) + beta KL(q(z | x) || N(0, 1))
 *
 * With beta = 1 the loss is the negative evidence lower bound (ELBO): no less than -log p(x), in nats. How it is
 * trained, vae.c shows. */
#ifndef EXAMPLES_AUTOENCODER_H
#define EXAMPLES_AUTOENCODER_H

#include "hidden.h"

typedef struct autoencoder_options {
    size_t features, latent;
    hidden_layers hidden; /* of the encoder; the decoder has them the other way round */
    double beta;
    size_t beta_warmup; /* epochs over which beta rises to its value; validation always counts with its full value */
    size_t samples;     /* of the code for each row, when rows are scored */
} autoencoder_options;

typedef struct autoencoder {
    autoencoder_options options;
    lg_params *params;
    lg_sequential *encoder, *decoder;
    lg_real *noise; /* [noise_rows, latent] */
    size_t noise_rows;
    size_t epoch;   /* that is being trained, from 1 */
} autoencoder;

/* Free it also after a failure. */
lg_status autoencoder_init(autoencoder *model, const autoencoder_options *options, lg_rng *rng);
void autoencoder_free(autoencoder *model);

/* The rows of a batch as vectors, of any shape before; values beyond [0, 1] count as its ends.   [batch, features] */
lg_tensor *autoencoder_values(lg_tape *tape, const lg_batch *batch, const autoencoder *model);

/* The distribution of a code: mean and logarithm of the variance, both [batch, latent]. */
typedef struct autoencoder_code {
    lg_tensor *mean, *log_var;
} autoencoder_code;
autoencoder_code autoencoder_encode(lg_tape *tape, const autoencoder *model, lg_tensor *x);

/* A code drawn from its distribution, with noise of the tape's random stream.   [batch, latent] */
lg_tensor *autoencoder_sample(lg_tape *tape, autoencoder *model, const autoencoder_code *code);

/* The logits of values.   [batch, latent] to [batch, features] */
lg_tensor *autoencoder_logits(lg_tape *tape, const autoencoder *model, lg_tensor *z);

/* The weight of the KL divergence: rises evenly over the epochs of the warm-up. */
double autoencoder_beta(const autoencoder *model, const lg_tape *tape);

/* For lg_fit's callback, with the model as context: counts epochs. */
lg_status autoencoder_next_epoch(size_t epoch, const lg_history *history, void *model);

/* For lg_predict: mean and log_var of each row's code.   [batch, 2 latent] */
lg_tensor *autoencoder_codes(lg_tape *tape, const lg_batch *batch, void *model);

/* What the decoder makes of codes [rows, latent]: out [rows, features], the probabilities. */
lg_status autoencoder_decode(const autoencoder *model, size_t rows, const lg_real *codes, lg_real *out);

#endif

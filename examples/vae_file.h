/* model.safetensors of an autoencoder: beside the table's (model_file.h), the texts "layers" (features, hidden layers,
 * units of the code), "beta", "height" and "width" of a picture (0: rows are none), and, up to where 99 of 100 known
 * rows have their score, "limit.negative_elbo" and "limit.excess"; the scale of the inputs leads to [0, 1]. */
#ifndef EXAMPLES_VAE_FILE_H
#define EXAMPLES_VAE_FILE_H

#include "autoencoder_score.h"
#include "vae_rows.h"

/* `limits` NULL: there are none, since training was interrupted. */
lg_status vae_file_save(run *r, const autoencoder *model, const vae_rows *rows, const score_limits *limits);

/* Opens what --load names; into `options` its sizes, and beta and shape unless they were given. Close it by
 * loaded_close also on error. */
lg_status vae_file_open(loaded_model *m, vae_options *options);

/* *there is false for a model that has none. */
lg_status vae_file_limits(const loaded_model *m, score_limits *limits, bool *there);

#endif

/* The rows of an autoencoder: pictures, or any table, brought into [0, 1], which the loss takes for probabilities of
 * ink. */
#ifndef EXAMPLES_VAE_ROWS_H
#define EXAMPLES_VAE_ROWS_H

#include "loaded_model.h"
#include "vae_options.h"

typedef struct vae_rows {
    trainer_data data;
    lg_dataset *scored;   /* those of --score; NULL: none */
    size_t height, width; /* of a picture; 0: rows are none */
} vae_rows;

/* Reads --data, or the embedded digits, and --score, and scales both by the range of the training part; with a loaded
 * model, NULL without --load, its columns by its range. Free it also on error. */
lg_status vae_rows_read(vae_rows *rows, const vae_options *options, loaded_model *loaded);
void vae_rows_free(vae_rows *rows);

#endif

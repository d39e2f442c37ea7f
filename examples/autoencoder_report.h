/* What a trained autoencoder says of the data, in numbers. */
#ifndef EXAMPLES_AUTOENCODER_REPORT_H
#define EXAMPLES_AUTOENCODER_REPORT_H

#include "autoencoder.h"
#include "trainer.h"

/* Prints loss, reconstruction and KL of each part, from the scores of all rows (autoencoder_score.h), and how many
 * units of the code are in use. Notes them in run.json ("metrics.validation.loss", ..., "metrics.units_in_use"). Writes
 * predictions.csv: row,part,target,loss,reconstruction,kl, a line for each row; `target` is the class from 0, and empty
 * without classes; `loss` is what training minimised, with the full beta. Writes codes.npy, [rows, latent]: the means
 * of the codes of all rows. */
lg_status autoencoder_report(run *r, autoencoder *model, const trainer_data *data, const lg_tensor *scores);

#endif

/* What a trained autoencoder says of rows, in numbers. */
#ifndef EXAMPLES_AUTOENCODER_REPORT_H
#define EXAMPLES_AUTOENCODER_REPORT_H

#include "autoencoder.h"
#include "trainer.h"

/* Prints loss, reconstruction and KL of each part, and how many units of the code are in use. Notes them in run.json
 * ("metrics.validation.loss", ..., "metrics.units_in_use"). Writes predictions.csv: row,part,target,loss,reconstruction,kl,
 * a line for each row; `target` is the class from 0, and empty without classes; `loss` is what training minimised, with
 * the full beta. Writes codes.npy, [rows, latent]: the means of the codes of all rows. */
lg_status autoencoder_report(run *r, autoencoder *model, const trainer_data *data, uint64_t seed);

/* Scores the rows of another data set, in nats: the higher, the less a row is like those of the training. Writes
 * scores.csv: row,score,excess; `score` is the negative ELBO, `excess` what of it lies beyond the entropy of the row's own
 * values. Prints how far both tell these rows from the validation rows (the training rows if there are none), and notes
 * it in run.json ("scored"). */
lg_status autoencoder_score(run *r, autoencoder *model, const trainer_data *data, const lg_dataset *rows,
                            const char *name, uint64_t seed);

#endif

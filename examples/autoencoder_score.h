/* How little rows are like those that an autoencoder has learned: --predict, and --score of a training run. In nats,
 * whatever beta was:
 *   negative ELBO   -log p(x | z) + KL, what training brought down (with beta 1)
 *   excess          the same less the entropy of x itself, -sum x log x + (1 - x) log(1 - x). A grey pixel costs that
 *                   much even if it is known exactly: without this, a blank row is cheaper than one well learned */
#ifndef EXAMPLES_AUTOENCODER_SCORE_H
#define EXAMPLES_AUTOENCODER_SCORE_H

#include "autoencoder.h"
#include "trainer.h"

/* The columns of a table of scores. */
enum { SCORE_NEGATIVE_ELBO, SCORE_RECONSTRUCTION, SCORE_KL, SCORE_EXCESS, SCORES };
extern const char *const score_names[SCORES];

/* For lg_predict in batches of SCORE_BATCH: the scores of each row, -log p(x | z) as the mean over options.samples codes.
 * [batch, SCORES] */
enum { SCORE_BATCH = 256 };
lg_tensor *autoencoder_scores(lg_tape *tape, const lg_batch *batch, void *model);

/* The scores of all rows, [rows, SCORES], on the heap. */
lg_tensor *autoencoder_score_rows(autoencoder *model, const lg_dataset *rows, uint64_t seed);

/* Up to where 99 of 100 known rows have their score: the rows of the validation part, or else of the training part. */
typedef struct score_limits {
    double negative_elbo, excess;
} score_limits;
lg_status autoencoder_limits(const trainer_data *data, const lg_tensor *scores, score_limits *limits);

/* Prints the mean of other rows' scores and how many are above the limits, and notes both in run.json ("scored"). */
void autoencoder_say_scores(run *r, size_t rows, const lg_real *scores, const score_limits *limits);

/* Scores the rows of another data set: scores.csv with row,negative_elbo,reconstruction,kl,excess, and what
 * autoencoder_say_scores says, with how well both scores tell them from the known rows (ROC AUC). */
lg_status autoencoder_score(run *r, autoencoder *model, const trainer_data *data, const lg_tensor *known,
                            const lg_dataset *rows, const char *name, uint64_t seed);

#endif

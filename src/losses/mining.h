/* Choosing triplets inside a batch: every anchor with every positive, and a negative for each such pair.
 *
 *     lg_tensor *e = embed(tape, net, lg_batch_x(tape, batch));                               [batch, D]
 *     return lg_triplet_mined(tape, e, lg_batch_y(tape, batch), LG_MINE_SEMI_HARD, 0.2, LG_DISTANCE_SQEUCLIDEAN, NULL);
 *
 * Batches need several rows of each class: lg_draw_classes (data/draw.h) makes such. */
#ifndef LG_MINING_H
#define LG_MINING_H

#include "losses/metric.h"

LG_BEGIN_DECLS

/* The negative for an anchor a and a positive p, d the Euclidean distance:
 *   random     any row of another class, all alike likely, drawn from the tape's stream (lg_tape_next_rng)
 *   semi-hard  the nearest row of another class that is farther from a than p is (d(a, n) > d(a, p)); if there is none,
 *              the farthest row of another class. The first of equals.   tfa.losses.TripletSemiHardLoss
 * Schroff, Kalenichenko and Philbin 2015 */
typedef enum lg_mining { LG_MINE_RANDOM = 0, LG_MINE_SEMI_HARD = 1 } lg_mining;

/* lg_triplet_margin on the triplets of a batch: for every row that has another of its label and one of another label, and
 * every other row of its label (both orders of each pair count). The choice is a constant to the derivative.
 *
 * embeddings  [N, D], real
 * labels      [N], int32: any numbers, equal ones are of a class
 * margin, distance, options   as lg_triplet_margin's, without swap and soft
 * returns     the reduced scalar ([triplets] with LG_REDUCE_NONE); 0 for a batch without triplets. NULL on error: those
 *             of lg_triplet_margin, LG_E_DTYPE or LG_E_SHAPE for labels, LG_E_PARAM for an unknown mining
 * cost        N^2 D / 2 for the distances, N (rows per class) N for the choice */
LG_API lg_tensor *lg_triplet_mined(lg_tape *tape, lg_tensor *embeddings, lg_tensor *labels, lg_mining mining,
                                   double margin, lg_distance distance, const lg_loss_options *options);

LG_END_DECLS

#endif

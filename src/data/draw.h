/* Data sets whose rows are drawn by class from another data set, anew each epoch: pairs, and batches of few classes with
 * several rows of each. For losses that compare rows (losses/metric.h).
 *
 *     lg_draw *pairs = lg_draw_pairs(digits, split->train, split->train_rows, 4000, 0.5, &rng);
 *     lg_fit(step, &net, adam, lg_draw_dataset(pairs), &(lg_fit_options){
 *         .epochs = 20, .callback = draw_the_next, .context = pairs });
 *
 *     static lg_status draw_the_next(size_t epoch, const lg_history *history, void *pairs)
 *     {
 *         return lg_draw_epoch(pairs, epoch + 1);
 *     }
 *
 * What an epoch holds depends on the generator and the epoch's number alone, so that any epoch can be had again. */
#ifndef LG_DRAW_H
#define LG_DRAW_H

#include "data/dataset.h"

LG_BEGIN_DECLS

typedef struct lg_draw lg_draw;

/* Pairs of the rows ids[0..count) of a data set (NULL: of all its rows; count is not read). round(similar pairs) of the
 * pairs, and these first, are two rows of one class, the others two rows of different classes. Of a similar pair the
 * first is any row whose class has another, and the second any other of its class; of the rest the first is any row and
 * the second any row of the other classes. All alike likely.
 *
 * The data set drawn has the fields
 *   "a", "b"           the two rows' "x"
 *   "y"                real: 1 for similar pairs, 0 for the others
 *   "row_a", "row_b"   int32: which rows of `dataset` they are
 *
 * dataset  its "x" lies in memory (lg_dataset_values), its "y" has classes (lg_dataset_labels). It is kept
 * pairs    at least 1
 * similar  share in [0, 1]
 * rng      copied; epoch 0 is drawn at once
 * errors   LG_E_PARAM: NULL, no rows in memory; less than two classes, when different ones are wanted, or none of two
 *          rows, when similar pairs are; LG_E_INDEX for an id out of range; what lg_dataset_labels says; LG_E_MEMORY */
LG_API lg_draw *lg_draw_pairs(const lg_dataset *dataset, const size_t *ids, size_t count, size_t pairs, double similar,
                              const lg_rng *rng);

/* `batches` batches one after the other, each of `classes` classes (of all, if there are fewer), each class with
 * `per_class` rows: no row twice in a batch unless its class has fewer rows than that; classes of one row are left out.
 * Train on them in order (lg_fit_options.no_shuffle) with a batch size of lg_draw_batch_rows.
 *
 * The data set drawn has the fields "x" and "y" (int32) of the rows, and "row" (int32): which rows of `dataset` they are.
 *
 * classes, per_class  at least 2
 * errors   as above; LG_E_PARAM for less than two classes of two rows */
LG_API lg_draw *lg_draw_classes(const lg_dataset *dataset, const size_t *ids, size_t count, size_t batches, size_t classes,
                                size_t per_class, const lg_rng *rng);

/* What is drawn; it belongs to the draw, and no batch of it may outlive that. */
LG_API const lg_dataset *lg_draw_dataset(const lg_draw *draw);

/* Rows of a batch: classes x per_class; of pairs: 1. */
LG_API size_t lg_draw_batch_rows(const lg_draw *draw);

/* Draws the rows of an epoch. Not while somebody reads them. Allocates nothing. LG_E_PARAM for NULL. */
LG_API lg_status lg_draw_epoch(lg_draw *draw, uint64_t epoch);

LG_API void lg_draw_free(lg_draw *draw);

LG_END_DECLS

#endif

/* Splitting rows into training, validation and test parts, the order of rows in an epoch, and what follows from labels:
 * one-hot vectors and class weights. */
#ifndef LG_SPLIT_H
#define LG_SPLIT_H

#include "data/dataset.h"

LG_BEGIN_DECLS

/* Row ids of three parts that together hold every row once; ids ascend within a part. */
typedef struct lg_split {
    size_t train_rows, validation_rows, test_rows;
    size_t *train, *validation, *test;
} lg_split;

/* Splits at random. validation and test are shares in [0, 1), together below 1; training gets the rest. Each part has
 * within one row of its share, and at least one if its share is not 0. The generator moves on.
 * NULL on error: LG_E_PARAM for shares out of range or fewer rows than parts, LG_E_MEMORY. */
LG_API lg_split *lg_split_random(size_t rows, double validation, double test, lg_rng *rng);

/* The same within each class (labels[rows] in 0 .. classes-1, else LG_E_INDEX), so that every part has the classes in
 * the proportion of the whole: a class of n rows has within one row of share n in each part, and part sizes do not
 * drift (largest remainder, with what rounding withheld carried from class to class). A class with at least as many rows
 * as there are parts appears in every part; one with fewer goes to training first, then to the part that is owed most. */
LG_API lg_split *lg_split_stratified(size_t rows, const int32_t *labels, size_t classes, double validation, double test,
                                     lg_rng *rng);

/* Splits the classes, not the rows: every row of a class is in one part, so that what is learnt on the first part can be
 * tried on classes that it has never seen. Of the classes that occur, each part has within one of its share, and at least
 * one if its share is not 0. LG_E_PARAM also for fewer classes than parts. */
LG_API lg_split *lg_split_by_class(size_t rows, const int32_t *labels, size_t classes, double validation, double test,
                                   lg_rng *rng);

/* Splits a data set: stratified if its "y" has classes (lg_dataset_classes), else at random. */
LG_API lg_split *lg_split_dataset(const lg_dataset *dataset, double validation, double test, lg_rng *rng);

LG_API void lg_split_free(lg_split *split);

/* out[n, classes]: 1 at the label, 0 elsewhere. LG_E_INDEX naming the first label outside 0 .. classes-1. */
LG_API lg_status lg_one_hot(size_t n, const int32_t *labels, size_t classes, lg_real *out);

/* Weights that make classes count alike: weights[c] = n / (present count_c), `present` the number of classes that occur
 * in labels[n]; 0 for a class that does not. sklearn.utils.class_weight.compute_class_weight("balanced").
 * LG_E_INDEX for a label out of range, LG_E_PARAM for n = 0. */
LG_API lg_status lg_class_weights_balanced(size_t n, const int32_t *labels, size_t classes, lg_real *weights);

/* Order of rows, epoch by epoch. */
typedef struct lg_sampler lg_sampler;

/* 0 .. rows-1 in order, or with `shuffle` in an order that depends on the generator (copied, stays as it is) and the
 * epoch alone: epoch e can be had again after a restart without going through 0 .. e-1. rng may be NULL without
 * shuffle. */
LG_API lg_sampler *lg_sampler_new(size_t rows, bool shuffle, const lg_rng *rng);
LG_API void lg_sampler_free(lg_sampler *sampler);

/* The same for the rows of a data set, as lg_fit takes them. Where its source reads rows in blocks (lg_source.block_rows; a
 * data set that is streamed) and does not hold them all at once, the order is such that each block is wanted once: the
 * blocks are shuffled, as many of them as the source holds make a window, and rows are shuffled within each window. Needs
 * memory for a window, not for all rows. */
LG_API lg_sampler *lg_sampler_for(const lg_dataset *dataset, bool shuffle, const lg_rng *rng);

/* Begins an epoch; then next gives its next row ids, up to `count` of them, and returns how many: less than that only at
 * its end. Neither allocates. */
LG_API void lg_sampler_begin(lg_sampler *sampler, uint64_t epoch);
LG_API size_t lg_sampler_next(lg_sampler *sampler, size_t count, size_t *ids);

/* All row ids of an epoch at once, [rows], valid until the next call. Allocates nothing. For a sampler of lg_sampler_new;
 * NULL for NULL. */
LG_API const size_t *lg_sampler_epoch(lg_sampler *sampler, uint64_t epoch);
LG_API size_t lg_sampler_rows(const lg_sampler *sampler);

/* How many blocks make a window; 0 if all rows are shuffled as one. */
LG_API size_t lg_sampler_window(const lg_sampler *sampler);

LG_END_DECLS

#endif

/* Data sets: rows of named fields, and batches of them.
 *
 * A field holds one thing of every row: its features (the field "x"), its target ("y"), or whatever else a step
 * function wants ("weight", "mask", "length" ...). A row of a field has a shape: [] for one number, [64] for 64
 * features, [28, 28] for a picture. Where rows differ in length the field is ragged and a row is [length, shape...].
 *
 * Where the values come from is the source's business: arrays in memory (lg_dataset_from_arrays, lg_dataset_read_csv), a
 * file that is read in blocks (lg_dataset_stream), or a function of the user's that fills buffers for given row ids
 * (lg_dataset_from_source). A subset (the training part, say) is a list of row ids over another data set and copies
 * nothing.
 *
 *   lg_dataset *all = lg_dataset_read_csv("digits.csv.gz", &(lg_csv_options){ .target = "-1" });
 *   lg_dataset *train = lg_dataset_subset(all, split->train, split->train_rows);
 *   lg_dataset_free(all);                               // fine: `train` keeps what it needs
 *
 * Data sets are counted by reference: a subset and a batch each hold one on the data set they were made from, and
 * lg_dataset_free releases the caller's. Several threads may read one data set, each through a batch of its own, as
 * long as nobody writes (lg_dataset_set_..., lg_scaler_apply ...) and the source's fill allows it. */
#ifndef LG_DATASET_H
#define LG_DATASET_H

#include "tensor/tensor.h"

LG_BEGIN_DECLS

#define LG_MAX_FIELDS 16
#define LG_MAX_ROW_RANK (LG_MAX_RANK - 1)

typedef struct lg_dataset lg_dataset;
typedef struct lg_batch lg_batch;

/* What a field is. All-zero but for the name: one real number a row. */
typedef struct lg_field {
    const char *name;             /* "x", "y", or any other; unique in its data set */
    lg_dtype dtype;               /* LG_REAL or LG_INT32 */
    size_t rank;                  /* of a row: 0 for one value; at most LG_MAX_ROW_RANK, one less if ragged */
    size_t dims[LG_MAX_ROW_RANK]; /* the row's shape (the batch axis, and the length of a ragged row, not included) */
    bool ragged;                  /* rows of different lengths: row i is [length_i, dims...] */
    size_t max_length;            /* ragged: length of the longest row, from the source */
} lg_field;

/* ---- making data sets ---------------------------------------------------------------------------------------------
 * All return NULL on error (see lg_error): LG_E_PARAM for NULL or no rows, LG_E_SHAPE for sizes that overflow,
 * LG_E_MEMORY. */

/* Copies features x [rows, columns] and, unless NULL, real targets y [rows] (regression, or 0/1 for two classes). */
LG_API lg_dataset *lg_dataset_from_arrays(size_t rows, size_t columns, const lg_real *x, const lg_real *y);

/* Copies features x [rows, columns] and classes y [rows], each in 0 .. classes-1 (LG_E_INDEX names the first that is
 * not). The classes are named "0", "1", ... until lg_dataset_set_class_names. */
LG_API lg_dataset *lg_dataset_from_classes(size_t rows, size_t columns, const lg_real *x, const int32_t *y,
                                           size_t classes);

/* An in-memory data set of `rows` rows and no fields yet; lg_dataset_add_field adds one, copying `values`:
 *   dense    [rows, dims...] of the field's dtype (lg_real or int32_t); lengths is NULL
 *   ragged   lengths[rows] (>= 0, else LG_E_PARAM), and the rows one after the other without padding;
 *            field->max_length is not read but found
 * LG_E_PARAM for a name that is taken or a 17th field, LG_E_SHAPE for a rank too high or a dim of 0, LG_E_STATE for a
 * data set that is not such a one. On failure the data set is as it was. */
LG_API lg_dataset *lg_dataset_new(size_t rows);
LG_API lg_status lg_dataset_add_field(lg_dataset *dataset, const lg_field *field, const void *values,
                                      const int32_t *lengths);

/* A source of one's own: whatever can fill buffers for given row ids (a stream of pictures, a generator, a database).
 *
 * fill   writes the rows ids[0..count) of every field: values[f] is [count, dims...] of field f's dtype, or
 *        [count, max_length, dims...] if it is ragged, where the caller ignores what lies beyond lengths[f][i]
 *        (0 .. max_length); lengths[f] is NULL for a dense field. values[f] is NULL for a field that `view` has served
 *        just before: it is to be skipped. Ids are in range and in any order, possibly repeated. Returns LG_OK, or a
 *        negative status after lg_fail. Called by every thread that fills a batch.
 * view   NULL, or: a pointer to rows first .. first+count-1 of dense field f where they lie one after the other in
 *        memory for the life of the data set, else NULL. Batches of consecutive rows then copy nothing.
 * checksum  NULL, or: a number that follows from what the rows hold, the same whenever they hold the same. lg_fit keeps it
 *        in checkpoints, so that training does not go on from one with other data.
 * block_rows, held_blocks  0, or: rows are cheap to have in blocks, rows 0 .. block_rows-1 and so on, held_blocks of them
 *        at a time. lg_fit then shuffles so that each block is wanted once in an epoch (lg_sampler_for, split.h).
 * free   NULL, or called with the context when the last reference to the data set is released. */
typedef struct lg_source {
    size_t rows;
    size_t block_rows, held_blocks;
    size_t field_count;
    const lg_field *fields; /* copied, names too */
    void *context;
    lg_status (*fill)(void *context, const size_t *ids, size_t count, void *const *values, int32_t *const *lengths);
    const void *(*view)(void *context, size_t field, size_t first, size_t count);
    uint64_t (*checksum)(void *context);
    void (*free)(void *context);
} lg_source;

/* On success the data set owns source->context; on failure the caller still does. */
LG_API lg_dataset *lg_dataset_from_source(const lg_source *source);

/* The rows ids[0..count) of a data set, in that order, as a data set of count rows (repeated ids are allowed;
 * LG_E_INDEX for one out of range). The ids are copied; the values are not: a subset of a subset refers to the original.
 * Names and classes are the original's. */
LG_API lg_dataset *lg_dataset_subset(const lg_dataset *dataset, const size_t *ids, size_t count);

/* Releases the caller's reference; NULL is harmless. */
LG_API void lg_dataset_free(lg_dataset *dataset);

/* ---- what a data set is -------------------------------------------------------------------------------------------
 * On NULL: 0, NULL or false, without touching lg_error. */

LG_API size_t lg_dataset_rows(const lg_dataset *dataset);
LG_API size_t lg_dataset_field_count(const lg_dataset *dataset);

/* The field at an index, or of a name; NULL if there is none. Lives as long as the data set. */
LG_API const lg_field *lg_dataset_field_at(const lg_dataset *dataset, size_t index);
LG_API const lg_field *lg_dataset_field(const lg_dataset *dataset, const char *name);

/* Values in one row of "x": 64 for the digits; 0 without an "x", the values of one step for a ragged one. */
LG_API size_t lg_dataset_features(const lg_dataset *dataset);

/* Name of feature `index` (the CSV header's; "sex=male" for a category's indicator); NULL if none was given. */
LG_API const char *lg_dataset_feature_name(const lg_dataset *dataset, size_t index);
LG_API lg_status lg_dataset_set_feature_names(lg_dataset *dataset, size_t count, const char *const *names);

/* Classes of "y": their number and names. 0 for a target that is a quantity; 2 for a binary target (a real "y" that is
 * 0 for class 0 and 1 for class 1). lg_dataset_set_class_names gives names to an int32 "y", whose values must then lie
 * in 0 .. count-1 (not checked), or two to a real one. */
LG_API size_t lg_dataset_classes(const lg_dataset *dataset);
LG_API const char *lg_dataset_class_name(const lg_dataset *dataset, size_t index);
LG_API lg_status lg_dataset_set_class_names(lg_dataset *dataset, size_t count, const char *const *names);

/* Name of the target column ("Class"); NULL if none was given. */
LG_API const char *lg_dataset_target_name(const lg_dataset *dataset);

/* A text column that was read as categories: features first_feature .. first_feature + features - 1 of "x" are its
 * indicators (features = categories), or the one code 0 .. categories-1 (features = 1). */
typedef struct lg_category_column {
    const char *name;
    size_t first_feature, features;
    size_t categories;
    const char *const *category; /* the texts, sorted; "NA" last where cells were missing */
} lg_category_column;

/* The text column at an index; NULL past the last one. */
LG_API const lg_category_column *lg_dataset_category_column(const lg_dataset *dataset, size_t index);

/* Says that these features are a text column, after those said before; copies name and categories. With the features'
 * names that makes a data set that others can be read like (lg_csv_options.like), as that of a model from a file.
 * LG_E_PARAM for NULL, no categories, or features that are neither one nor as many as categories; LG_E_INDEX for features
 * that "x" does not have or that are not after those of the text column before; LG_E_STATE for a subset; LG_E_MEMORY. */
LG_API lg_status lg_dataset_add_category_column(lg_dataset *dataset, const lg_category_column *column);

/* The whole table of a dense field, [rows, dims...], of a data set whose rows lie in memory one after the other (from
 * arrays, from a file; a subset only if its ids are consecutive); NULL for any other, for a name that is not there and
 * for the other dtype. Writing through it changes the data set, and what subsets and batches show of it; do not write
 * into what a source of one's own handed out as read-only. */
LG_API lg_real *lg_dataset_values(const lg_dataset *dataset, const char *field);
LG_API int32_t *lg_dataset_indices(const lg_dataset *dataset, const char *field);

/* The class of each of the rows ids[0..count) (NULL: of all rows, count is not read): an int32 "y", or a real one that
 * is 0 or 1 throughout. LG_E_DTYPE if "y" is neither, LG_E_DOMAIN naming the row, LG_E_INDEX for an id out of range,
 * LG_E_SHAPE for a "y" of more than one value a row. */
LG_API lg_status lg_dataset_labels(const lg_dataset *dataset, const size_t *ids, size_t count, int32_t *labels);

/* ---- batches ------------------------------------------------------------------------------------------------------ */

/* A batch of at most max_rows rows, empty until filled. All memory that filling needs is allocated here. */
LG_API lg_batch *lg_batch_new(const lg_dataset *dataset, size_t max_rows);

/* Makes the batch hold rows ids[0..count), in that order. Allocates nothing. Dense fields of consecutive ids (k, k+1,
 * ...) of rows in memory are not copied: the batch points into the table. Ragged fields are padded with zeros to the
 * longest row of the batch.
 * LG_E_PARAM for count > max_rows, LG_E_INDEX for an id out of range, or what the source's fill says; the batch is then
 * empty. count = 0 is an empty batch. */
LG_API lg_status lg_batch_fill(lg_batch *batch, const size_t *ids, size_t count);

LG_API void lg_batch_free(lg_batch *batch);

LG_API const lg_dataset *lg_batch_dataset(const lg_batch *batch);
LG_API size_t lg_batch_rows(const lg_batch *batch);
LG_API size_t lg_batch_max_rows(const lg_batch *batch);
LG_API const size_t *lg_batch_ids(const lg_batch *batch);

/* Values of a field, [rows, dims...] or, ragged, [rows, longest, dims...], valid until the next fill; NULL for a name
 * that is not there or of the other dtype. */
LG_API const lg_real *lg_batch_values(const lg_batch *batch, const char *field);
LG_API const int32_t *lg_batch_indices(const lg_batch *batch, const char *field);

/* Lengths [rows] of a ragged field's rows (NULL for a dense one), and the longest of them in this batch (0 then). */
LG_API const int32_t *lg_batch_lengths(const lg_batch *batch, const char *field);
LG_API size_t lg_batch_longest(const lg_batch *batch, const char *field);

LG_END_DECLS

#endif

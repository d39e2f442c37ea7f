/* Checkpoints of lg_fit: a safetensors file with all that the next epoch depends on.
 *
 *   parameters/NAME         what the optimizer works on (not the averages, where these are in its place)
 *   optimizer.m/NAME        the blocks of its state, by their names
 *   average/NAME            F64: options.average
 *   best/NAME               early stopping: the parameters of the best epoch
 *   history/COLUMN          F64 [rows]
 *   __metadata__            numbers (epoch, steps, rates, memories of schedule and early stopping), what must be the
 *                           same on resume (traits), the caller's facts, and a checksum of all of these and of every
 *                           tensor's name, shape and values: what was damaged is refused, not gone on from
 *
 * Shuffling, dropout and their like need nothing here: they depend on seed, epoch and step alone. */
#ifndef LG_CHECKPOINT_INTERNAL_H
#define LG_CHECKPOINT_INTERNAL_H

#include "models/safetensors.h"
#include "optim/average_internal.h"
#include "optim/optimizer_internal.h"
#include "train/fit_internal.h"
#include "train/number_text_internal.h"

/* The checksum of a data set; unknown for one that is not there, or whose source has none. */
typedef struct lg_fit_sum {
    bool known;
    uint64_t sum;
} lg_fit_sum;

/* What of a running lg_fit is saved and loaded. */
typedef struct lg_checkpoint {
    const lg_fit_options *options;
    lg_optimizer *optimizer;
    lg_average *average;     /* NULL: none */
    lg_schedule *schedule;
    lg_monitor *monitor;
    lg_history *history;
    size_t *epoch, *updates;
    double *base_rate;
    size_t rows, validation_rows, batch_size;
    size_t window, block_rows;  /* of rows that are shuffled in windows of so many blocks; 0: as one */
    const lg_fit_sum *sum, *validation_sum; /* of the data */
    uint64_t history_bytes;  /* of the history's file when this was saved; 0 without one */
} lg_checkpoint;

/* Writes the file; until it is whole the one before stays. LG_E_IO, LG_E_MEMORY. */
lg_status lg_checkpoint_save(const lg_checkpoint *checkpoint, const char *path);

/* Puts all of it back, and opens the history's file behind the checkpoint's rows (history_path NULL: none); on failure
 * nothing is changed. LG_E_IO; LG_E_FORMAT for a file that is none or is damaged; LG_E_STATE
 * for one of another training, naming what differs; LG_E_MEMORY. */
lg_status lg_checkpoint_load(lg_checkpoint *checkpoint, const char *path, const char *history_path,
                             lg_history_file **history_file);

/* ---------------------------------------------- what saving and loading share */

#define LG_CHECKPOINT_MARK "luge.checkpoint"
#define LG_CHECKPOINT_VERSION "1"
#define LG_CHECKPOINT_SUM "checksum"
#define LG_CHECKPOINT_FACT "fact."
#define LG_CHECKPOINT_FACT_BYTES 200
#define LG_CHECKPOINT_HISTORY "history/"
#define LG_CHECKPOINT_NUMBERS 20
#define LG_CHECKPOINT_TRAITS 16

/* A number, and where it lives. */
typedef struct lg_checkpoint_number {
    const char *key;
    enum { LG_CHECKPOINT_COUNT, LG_CHECKPOINT_COUNT64, LG_CHECKPOINT_REAL, LG_CHECKPOINT_FLAG } kind;
    void *at;
} lg_checkpoint_number;
size_t lg_checkpoint_numbers(const lg_checkpoint *checkpoint, lg_checkpoint_number numbers[LG_CHECKPOINT_NUMBERS]);

/* What must be the same for a training to go on. */
typedef struct lg_checkpoint_trait {
    const char *key;
    char text[96];
} lg_checkpoint_trait;
size_t lg_checkpoint_traits(const lg_checkpoint *checkpoint, lg_checkpoint_trait traits[LG_CHECKPOINT_TRAITS]);

/* A tensor, and where its values live; those of the history are not among them. */
typedef struct lg_checkpoint_tensor {
    char name[192];
    lg_file_dtype dtype;
    size_t rank, size, bytes;
    const size_t *dims;
    void *values;
} lg_checkpoint_tensor;

/* A list of them, to be freed; `best`: with those of the best epoch, for which there is a snapshot. NULL without
 * memory. */
lg_checkpoint_tensor *lg_checkpoint_tensors(const lg_checkpoint *checkpoint, bool best, size_t *count);

/* Terms of the checksum: the sum of the CRC-32 of each text and each tensor, so that their order does not matter. */
uint64_t lg_checkpoint_sum_text(const char *key, const char *text);
uint64_t lg_checkpoint_sum_tensor(const char *name, lg_file_dtype dtype, size_t rank, const size_t *dims,
                                  const void *values, size_t bytes);

#endif

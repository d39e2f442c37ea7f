/* Learning an embedding from triplets, which triplet and faces share: an anchor shall be nearer to a positive, a row of
 * its class, than to a negative, by a margin. Batches hold several rows of a few classes, and the triplets are chosen
 * inside. */
#ifndef EXAMPLES_TRIPLETS_H
#define EXAMPLES_TRIPLETS_H

#include "embedder.h"

typedef struct triplet_options {
    size_t mining;       /* lg_mining */
    size_t distance;     /* 0: squared, 1: plain */
    double margin;
    size_t classes, rows_per_class; /* of a batch */
} triplet_options;

#define TRIPLET_DEFAULTS { .mining = LG_MINE_SEMI_HARD, .margin = 0.2, .classes = 8, .rows_per_class = 8 }

/* As with the options of embedder.h: rows for a table, and what reads them. --batch-size is left out. */
enum {
    TRIPLET_KEY_MINING = 0x300, TRIPLET_KEY_DISTANCE, TRIPLET_KEY_MARGIN, TRIPLET_KEY_CLASSES, TRIPLET_KEY_ROWS
};
#define TRIPLET_OPTION_ROWS \
    { "mining", TRIPLET_KEY_MINING, "random|semi-hard", 0, "Which negative: any of the batch, or the nearest that is " \
      "farther than the positive (default: semi-hard)", 1 }, \
    { "distance", TRIPLET_KEY_DISTANCE, "squared|plain", 0, "That the loss compares (default: squared)", 1 }, \
    { "margin", TRIPLET_KEY_MARGIN, "DISTANCE", 0, "By which positives shall be nearer (default: 0.2)", 1 }, \
    { "batch-classes", TRIPLET_KEY_CLASSES, "N", 0, "Classes in a batch (default: 8, or all if there are fewer)", 3 }, \
    { "batch-rows", TRIPLET_KEY_ROWS, "N", 0, "Rows of each class in a batch (default: 8)", 3 }
#define TRIPLET_WITHOUT "batch-size"
error_t triplet_parse(int key, char *arg, struct argp_state *state, triplet_options *options);
void triplet_note(run *r, const triplet_options *options);

/* What is trained: the network on the training part, with validation on its own part. */
typedef struct triplet_model {
    const trainer_options *shared;
    const triplet_options *options;
    embedder net;
    lg_draw *train, *validation; /* batches */
    lg_optimizer *optimizer;
    double *distance;            /* of the rows of a batch from each other: room for a step */
} triplet_model;

/* Rows and network by embedder_prepare, its optimizer, and the first batches; free with triplet_model_free also on
 * error. */
lg_status triplet_model_new(triplet_model *m, trainer_data *data, const trainer *about, const trainer_options *shared,
                            const embedder_options *network, const triplet_options *options);
void triplet_model_free(triplet_model *m);

/* Trains, with the history in the run's folder, where it is noted and drawn. Beside the loss, "accuracy" is the share
 * of all triplets of a batch, mined or not, whose positive is nearer. */
lg_status triplet_fit(triplet_model *m, run *r, lg_history **history, const char *title);

/* Writes predictions.csv: part,anchor,positive,negative,distance_positive,distance_negative,loss; `count` triplets of
 * each of the validation and the test part, drawn at random: an anchor, a positive of its class, and any row of another
 * class. Distances are those that the loss compares, squared or plain. */
lg_status triplets_write(run *r, const triplet_model *m, const trainer_data *data, const lg_tensor *embeddings,
                         size_t count);

#endif

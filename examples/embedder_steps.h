/* What siamese, triplet and faces train do alike before they train, and instead of it. */
#ifndef EXAMPLES_EMBEDDER_STEPS_H
#define EXAMPLES_EMBEDDER_STEPS_H

#include "embedder_file.h"

/* Rows and network: new, or with --load the network of a model and rows with its columns and its scale. Prints both. */
lg_status embedder_prepare(embedder *net, trainer_data *data, const trainer *about, const trainer_options *shared,
                           const embedder_options *options);

/* All of --predict: the vectors of the rows of a file, as row,e1,e2,... in predictions.csv and as embeddings.npy. */
lg_status embedder_predict(const trainer *about, const trainer_options *shared, int argc, const char *const *argv);

/* For the end of a trainer's --help. */
#define EMBEDDER_PREDICT_HELP \
    "--load takes a model of siamese, triplet or faces. --predict needs no labels: it writes the vector of each row, as " \
    "row,e1,e2,... to predictions.csv and as an array [rows, numbers] to embeddings.npy. Two rows are alike when the " \
    "Euclidean distance of their vectors is small; how small, the model's threshold says, where errors are equal on the " \
    "validation part."

#endif

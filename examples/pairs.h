/* How well embeddings tell pairs of rows of one class from pairs of two, on classes that the network has never seen. */
#ifndef EXAMPLES_PAIRS_H
#define EXAMPLES_PAIRS_H

#include "embedder.h"

/* Pairs of one part, half of them of one class, drawn once. All arrays [count]. */
typedef struct pair_part {
    const char *name;        /* "validation", "test" */
    size_t count;
    int32_t *row_a, *row_b;  /* rows of the whole data */
    int32_t *same;           /* 1: of one class */
    lg_real *distance;       /* of the embeddings */
    lg_real *raw;            /* of the inputs, scaled but not embedded: what the network is to beat */
    lg_real *loss;           /* NULL, or the trainer's own, of each pair */
} pair_part;

typedef struct pairs {
    pair_part validation, test;
    lg_tensor *embeddings;   /* of all rows */
    size_t width;            /* of an embedding */
} pairs;

/* Embeds all rows, draws the pairs and measures them. */
lg_status pairs_new(pairs *p, embedder *e, const trainer_data *data, const trainer_options *shared, size_t count);
void pairs_free(pairs *p);

/* Prints and notes ("metrics.test", "metrics.raw", "metrics.threshold", ...): ROC AUC and equal error rate of the test
 * part, of embeddings and of raw inputs; the pair accuracy, false accepts and false rejects at two thresholds chosen on
 * the validation part, where errors are equal and at the rate of false accepts that was asked for; and how many test
 * rows have a row of their own class for nearest neighbour. *threshold is the distance where errors are equal. */
lg_status pairs_report(run *r, const pairs *p, const embedder_options *options, const trainer_data *data,
                       double *threshold);

/* Writes part,row_a,row_b,target,distance,raw_distance and, where there is one, loss; a line for each pair. target is 1
 * for pairs of one class, or 0 for these with `similar_label` 0. */
lg_status pairs_write(run *r, const pairs *p, const char *file, int similar_label);

/* Writes embeddings.npy, [rows, width] of all rows, embedding.csv, row,class,x,y for rows of the test part (the first
 * 2000), and embedding.svg, which draws them: x and y are the embedding itself when it has two numbers, else its first
 * two principal components over these rows. */
lg_status pairs_draw_embedding(run *r, const pairs *p, const trainer_data *data, const char *title);

#endif

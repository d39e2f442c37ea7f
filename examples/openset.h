/* How well faces are told: some pictures of each identity are registered, the others are shown, once with their
 * identity in the gallery and once as a stranger, with it left out. */
#ifndef EXAMPLES_OPENSET_H
#define EXAMPLES_OPENSET_H

#include "embedder.h"

/* What was shown of one part. All arrays [count]. */
typedef struct probes {
    size_t count, identities, registered; /* pictures shown, classes, pictures registered */
    int32_t *row, *label;  /* which row of the whole data, and its class */
    int32_t *nearest;      /* class of the nearest registered picture */
    lg_real *own, *other;  /* distances to the nearest registered picture of its class, and of another */
} probes;

/* Registers `shots` random rows of each class of a part (all but one, of a class that has no more) and shows the
 * rest. */
lg_status probes_new(probes *p, const trainer_data *data, const lg_tensor *embeddings, size_t width, const size_t *ids,
                     size_t rows, size_t shots, lg_rng rng);
void probes_free(probes *p);

/* The largest distance at which no more than this share of strangers is taken for somebody; below every distance, when
 * there is none. */
lg_status probes_threshold(const probes *p, double false_accepts, double *threshold);

/* At a threshold, as shares of the pictures shown. */
typedef struct openset_rates {
    double rank_1;        /* nearest is of their class, whatever the distance */
    double identified;    /* ... and within the threshold */
    double misidentified; /* within the threshold, but of another class */
    double false_rejects; /* registered, but answered Unknown */
    double false_accepts; /* strangers, but not answered Unknown */
} openset_rates;
openset_rates probes_rate(const probes *p, double threshold);

#endif

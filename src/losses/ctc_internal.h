/* The lattice of connectionist temporal classification: what ctc, ctc_simplified and the decoders share. */
#ifndef LG_CTC_INTERNAL_H
#define LG_CTC_INTERNAL_H

#include "losses/sequence.h"

/* The alignments of one sample's labels l_1 .. l_U with its T frames. State "label u" (u = 0 .. U - 1) is in l_{u+1},
 * state "blank u" (u = 0 .. U) between the labels, before label u. A path starts in blank 0 or label 0, stays or goes on
 * to the next state, may leave a blank out where skip[u] is 1, and ends in label U - 1 or blank U.
 *
 * A row of states is W blanks, then W labels. W is a multiple of 8, so that loops have no tail; what is beyond the states
 * is 0 (-infinity in logarithms), and there is at least one such place, which also stands for what is before label 0. */
typedef struct lg_ctc_lattice {
    size_t frames, labels, width;
    const double *skip;     /* [W + 8]: 1 where label u may follow label u - 1 at once, else 0; so are the first and the rest */
    const size_t *repeats;  /* [U + 1]: labels up to u (all, at U) that may not follow the one before at once */
    double *emission;       /* [T, W] and 8 more: of label u in frame t; probabilities (0 behind them) or logarithms */
    double *blank_emission; /* [T] */
    double *alpha;          /* [T, 2 W]: written by forward; posterior makes its labels the probability of being in each */
    double *blank_share;    /* [T]: written by posterior, the probability of being in any blank */
    int64_t *exponent;      /* [blocks, W]: of the powers of 2 that alpha is in units of */
    double *work;           /* [lg_ctc_work_size] */
} lg_ctc_lattice;

static inline size_t lg_ctc_width(size_t labels)
{
    return (labels + 9) / 8 * 8;
}

size_t lg_ctc_blocks(size_t frames);
size_t lg_ctc_work_size(size_t labels);

/* log P of the labels, and alpha, from probabilities of which no frame's add up to more than 1; false when an underflow
 * may have cost digits, or P is 0: then the logarithms are to be taken. Needs T >= 1. */
bool lg_ctc_forward(const lg_ctc_lattice *lattice, double *log_p);

/* After forward: the probabilities of being in each state at each frame, given the labels; false as above. */
bool lg_ctc_posterior(const lg_ctc_lattice *lattice);

/* The same in logarithms; -infinity when no path is possible (then there is no posterior). */
double lg_ctc_forward_log(const lg_ctc_lattice *lattice);
void lg_ctc_posterior_log(const lg_ctc_lattice *lattice);

/* Shape of a batch of frames. */
typedef struct lg_ctc_shape {
    size_t samples, frames, classes;
    bool time_major; /* [T, N, V] instead of [N, T, V] */
} lg_ctc_shape;

lg_status lg_ctc_read_shape(const char *name, const lg_tensor *pred, bool time_major, lg_ctc_shape *shape);

/* Where the V values of a frame begin. */
static inline size_t lg_ctc_frame_at(const lg_ctc_shape *shape, size_t sample, size_t frame)
{
    return (shape->time_major ? frame * shape->samples + sample : sample * shape->frames + frame) * shape->classes;
}

/* Lengths given per sample: int32 [N], each in [0, most]. */
lg_status lg_ctc_check_lengths(const char *name, const char *what, const lg_tensor *lengths, size_t samples, size_t most);

/* What all samples of a call have in common. */
typedef struct lg_ctc_call {
    const char *name;
    lg_ctc_shape shape;
    lg_ctc_input input;
    double eps;
    bool has_blank; /* false: neither blanks nor a need for them between equal labels (ctc_simplified) */
    size_t blank;
    const lg_tensor *target, *input_lengths, *target_lengths; /* the lengths may be NULL */
} lg_ctc_call;

/* One sample; its arrays are laid out in scratch that the next sample may use. */
typedef struct lg_ctc_sample {
    size_t index, labels, frames;
    const int32_t *target; /* [U]: only until value returns */
    lg_ctc_lattice lattice;
    int32_t *label;        /* [W]: the target, then the first again */
    double *present;       /* [W]: 1 for a label, then 0 */
    double *skip;          /* [W + 8] */
    size_t *repeats;       /* [U + 1] */
    lg_real *exponential;  /* [T, V] of the logits less their frame's largest (logits only) */
    lg_real *largest;      /* [T] */
    double *inverse;       /* [T], of the sum of a frame's exponentials */
    bool has_small;        /* one of them has lost digits to a float's exponent */
    double *row;           /* [V] */
    double log_p;          /* NaN when a frame holds one */
    bool possible;         /* P > 0 */
    bool in_logarithms;    /* alpha and emission are */
} lg_ctc_sample;

/* Lays arrays out in scratch, one after the other; `used` is how many bytes they take. */
typedef struct lg_ctc_carver {
    char *base; /* NULL: only counts */
    size_t used;
    bool overflow;
} lg_ctc_carver;

void *lg_ctc_carve(lg_ctc_carver *carver, size_t count, size_t size);
void lg_ctc_lay_out(const lg_ctc_call *call, lg_ctc_sample *sample, lg_ctc_carver *carver);

/* -log P of a sample that has been laid out; +infinity where its labels have no path. Samples do not touch each other:
 * several may be computed at once. */
double lg_ctc_sample_value(const lg_ctc_call *call, lg_ctc_sample *sample, const lg_real *pred);

/* The derivative by the sample's frames of pred, 0 in the frames beyond its length; after value, once. */
void lg_ctc_sample_derivative(const lg_ctc_call *call, lg_ctc_sample *sample, const lg_real *pred, lg_real *d);

/* The class of blanks as an index; LG_E_PARAM unless it is a whole number below `classes`. */
lg_status lg_ctc_check_blank(const char *name, double blank, size_t classes);

#endif

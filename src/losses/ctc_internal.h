/* The lattice of connectionist temporal classification: what ctc, ctc_simplified and the decoders share. */
#ifndef LG_CTC_INTERNAL_H
#define LG_CTC_INTERNAL_H

#include "losses/sequence.h"

/* The alignments of one sample's labels l_1 .. l_U with its T frames. State "label u" (u = 0 .. U - 1) is in l_{u+1},
 * state "blank u" (u = 0 .. U) between the labels, before label u. A path starts in blank 0 or label 0, stays or goes on
 * to the next state, may leave a blank out where skip[u] is 1, and ends in label U - 1 or blank U.
 *
 * Rows of states are laid out as 1 + U labels, U + 1 blanks: what comes before label 0 is a 0 that is never written. */
typedef struct lg_ctc_lattice {
    size_t frames, labels;
    const double *skip; /* [U + 1]: 1 where label u may follow label u - 1 at once, else 0; the first and last are 0 */
    const size_t *repeats; /* [U + 1]: labels up to u (all, at U) that may not follow the one before at once */
    double *emission;   /* [T, U + 1]: of label u in frame t, the blank's last; probabilities or their logarithms */
    double *alpha;      /* [T, 2 U + 2]: written by forward; afterwards by posterior */
    double *work;       /* [2, 2 U + 2] */
} lg_ctc_lattice;

static inline size_t lg_ctc_states(size_t labels)
{
    return 2 * labels + 2;
}

/* log P of the labels, and alpha, from probabilities of which no frame's add up to more than 1; false when an underflow
 * may have cost digits: then the logarithms are to be taken. Needs T >= 1. */
bool lg_ctc_forward(const lg_ctc_lattice *lattice, double *log_p);

/* Replaces alpha by the probability of being in each state at each frame, given the labels; false as above. */
bool lg_ctc_posterior(const lg_ctc_lattice *lattice, double log_p);

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

/* One sample; its arrays lie in the scratch of the call. */
typedef struct lg_ctc_sample {
    size_t index, labels;
    const int32_t *label; /* [U], in the target: only until value returns */
    size_t frames;
    lg_ctc_lattice lattice;
    size_t classes;       /* different ones in label, and the blank as the last */
    uint32_t *class_of;   /* [U]: position of the label in `class` */
    size_t *class;        /* [classes] */
    double *skip;         /* [U + 1] */
    size_t *repeats;      /* [U + 1] */
    lg_real *exponential; /* [T, V] of the logits less their frame's largest (logits only) */
    lg_real *largest;     /* [T] */
    double *inverse;      /* [T], of the sum of a frame's exponentials */
    double log_p;         /* NaN when a frame holds one */
    bool possible;        /* P > 0 */
    bool in_logarithms;   /* alpha and emission are */
} lg_ctc_sample;

/* The bytes that the arrays of a sample take in scratch, and one double per class of its labels and state of its lattice. */
typedef struct lg_ctc_carver {
    char *base; /* NULL: only counts */
    size_t used;
    bool overflow;
} lg_ctc_carver;

void *lg_ctc_carve(lg_ctc_carver *carver, size_t count, size_t size);
void lg_ctc_lay_out(const lg_ctc_call *call, lg_ctc_sample *sample, lg_ctc_carver *carver);

/* -log P of a sample; +infinity where its labels have no path. `position` holds V values, `work` two rows of states.
 * Samples do not touch each other: calls with different samples and workspaces may run at once. */
double lg_ctc_sample_value(const lg_ctc_call *call, lg_ctc_sample *sample, const lg_real *pred, uint32_t *position,
                           double *work);

/* factor times the derivative by the sample's frames of pred, 0 in the frames beyond its length. `occupancy` holds a
 * double per class. Once after each value. */
void lg_ctc_sample_derivative(const lg_ctc_call *call, lg_ctc_sample *sample, const lg_real *pred, double factor,
                              double *occupancy, double *work, lg_real *d);

/* The class of blanks as an index; LG_E_PARAM unless it is a whole number below `classes`. */
lg_status lg_ctc_check_blank(const char *name, double blank, size_t classes);

#endif

/* Reading labels off the frames of a network trained with ctc, and how wrong they are. Nothing here is recorded on a
 * tape. */
#ifndef LG_CTC_DECODE_H
#define LG_CTC_DECODE_H

#include "losses/sequence.h"

LG_BEGIN_DECLS

/* What the frames are, as for lg_ctc; NULL or all zeros: logits [N, T, V], all frames, blank 0. */
typedef struct lg_ctc_decode_options {
    lg_ctc_input input;
    size_t blank;
    bool time_major;
    const lg_tensor *input_lengths; /* int32 [N], at most T; NULL: T */
    double eps;                     /* probabilities are clipped to [eps, 1 - eps]; 0: 1e-7 */
} lg_ctc_decode_options;

/* The labellings found: `paths` of each sample, the best first. */
typedef struct lg_ctc_labels {
    size_t samples, paths, width; /* width: the longest labelling, at least 1 */
    int32_t *labels;              /* [samples, paths, width], padded with -1 */
    size_t *lengths;              /* [samples, paths] */
    double *scores;               /* [samples, paths], logarithms of probabilities; -inf for a path that was not found */
} lg_ctc_labels;

/* The class that is likeliest in each frame (the lowest of equals), repeats merged, blanks left out.
 *
 *   score = sum over frames of the largest log probability: that of the best path, not of its labelling
 *
 * pred     real, [N, T, V] or [T, N, V]; a sample with a NaN in its frames has no labels and the score NaN
 * returns  labels with paths = 1, to be freed with lg_ctc_labels_free; NULL with LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM
 *          (blank, eps), LG_E_DOMAIN (a length, a probability), LG_E_MEMORY
 * same as  keras.ops.ctc_decode(strategy="greedy"), but for the score */
LG_API lg_ctc_labels *lg_ctc_greedy_decode(const lg_tensor *pred, const lg_ctc_decode_options *options);

/* The likeliest labellings by prefix search: of all prefixes of labellings the `beam_width` likeliest are kept at each
 * frame, with the probabilities of their paths that end in a blank and in their last label.
 *
 *   score = log P of the labelling, over those of its paths whose prefixes were all kept
 *
 * beam_width  >= 1 (100 is usual); once it is no less than the number of prefixes the search is exact
 * top_paths   in 1 .. beam_width
 * Equally likely prefixes are ordered lexicographically, a prefix before what it begins. The rest as for greedy.
 * same as     keras.ops.ctc_decode(strategy="beam_search"), tf.nn.ctc_beam_search_decoder; Graves et al. 2006 */
LG_API lg_ctc_labels *lg_ctc_beam_decode(const lg_tensor *pred, size_t beam_width, size_t top_paths,
                                         const lg_ctc_decode_options *options);

LG_API void lg_ctc_labels_free(lg_ctc_labels *labels);

/* The least number of insertions, deletions and substitutions that turn one sequence into the other (Levenshtein 1966).
 * Either may be NULL when it is empty. LG_OK or LG_E_MEMORY. */
LG_API lg_status lg_edit_distance(const int32_t *reference, size_t reference_length, const int32_t *hypothesis,
                                  size_t hypothesis_length, size_t *distance);

/* Errors over a corpus: the sum of edit distances over the sum of the references' lengths. Start from zeros. */
typedef struct lg_error_rate {
    size_t errors, length;
} lg_error_rate;

/* Adds a pair of sequences of labels, of texts by character (UTF-8 code points; bytes that are none count one each), or of
 * texts by word (what white space separates). LG_OK, LG_E_PARAM for a NULL text, LG_E_MEMORY. */
LG_API lg_status lg_error_rate_add(lg_error_rate *rate, const int32_t *reference, size_t reference_length,
                                   const int32_t *hypothesis, size_t hypothesis_length);
LG_API lg_status lg_error_rate_add_characters(lg_error_rate *rate, const char *reference, const char *hypothesis);
LG_API lg_status lg_error_rate_add_words(lg_error_rate *rate, const char *reference, const char *hypothesis);

/* errors / length, which can exceed 1; with empty references 0 without errors, else +inf. */
LG_API double lg_error_rate_value(const lg_error_rate *rate);

LG_END_DECLS

#endif

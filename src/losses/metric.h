/* Metric learning: embeddings whose distances mean something. Pairs, triplets, or all pairs of a batch tell which samples
 * should be near each other and which far apart; the network learns a vector per sample.
 *
 * Vectors are rows along the last axis ([N, D]; options->class_axis names another axis), and each row, pair or triplet of
 * rows is a unit. What options mean, and how units are reduced and weighted, is in loss.h; options that are not named
 * here do not apply (LG_E_PARAM). All return the reduced scalar (or a tensor of the units' shape with LG_REDUCE_NONE);
 * NULL on error, see lg_error(): LG_E_SHAPE, LG_E_DTYPE, LG_E_PARAM for a parameter out of its range, LG_E_DOMAIN for a
 * label or distance that is none.
 *
 * Labels are not differentiable; everything else is. At the kink of max(0, u) the derivative is 0. */
#ifndef LG_METRIC_H
#define LG_METRIC_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* Contrastive loss: pulls similar pairs together and pushes dissimilar ones apart until they are `margin` away.
 *
 *   d = |a - b|,   loss = scale d^2                     similar pairs
 *                         scale max(0, margin - d)^2    dissimilar pairs
 *   d loss / d a = scale 2 (a - b)                               = -d loss / d b
 *                  -scale 2 max(0, margin - d) (a - b) / d       = -d loss / d b,   0 at d = 0
 *
 * a, b           [N, D], real: the two embeddings of each pair
 * target         [N], real, 0 or 1
 * margin         > 0; 1 is usual
 * similar_label  the label of similar pairs, 0 or 1
 * scale          > 0; factor of the loss, 1 or (in the paper) 1/2
 * options        class_axis
 * By name: contrastive has similar_label 1 and scale 1; contrastive_siamese, as the paper has it, 0 and 0.5.
 * same as  Hadsell, Chopra and LeCun 2006, with contrastive_siamese */
LG_API lg_tensor *lg_contrastive(lg_tape *tape, lg_tensor *a, lg_tensor *b, lg_tensor *target, double margin,
                                 int similar_label, double scale, const lg_loss_options *options);

/* The same of distances that other operations computed.
 *
 *   d loss / d d = scale 2 d                       similar pairs
 *                  -scale 2 max(0, margin - d)     dissimilar pairs, at d = 0 too
 *
 * distance  any shape, >= 0 (LG_E_DOMAIN)
 * target    the same shape, 0 or 1
 * units     elements */
LG_API lg_tensor *lg_contrastive_from_distance(lg_tape *tape, lg_tensor *distance, lg_tensor *target, double margin,
                                               int similar_label, double scale, const lg_loss_options *options);

/* How far two embeddings are apart. eps is added to each difference, as PyTorch does (which makes the order of u and v
 * matter, slightly); it keeps the derivative finite where u = v. */
typedef enum lg_distance {
    LG_DISTANCE_EUCLIDEAN = 0, /* sqrt(sum (u - v + eps)^2) */
    LG_DISTANCE_SQEUCLIDEAN,   /* sum (u - v)^2, without eps */
    LG_DISTANCE_MANHATTAN,     /* sum |u - v + eps| */
    LG_DISTANCE_PNORM,         /* (sum |u - v + eps|^p)^(1/p) */
    LG_DISTANCE_COSINE         /* 1 - u . v / (|u| |v|); 1 where a vector is no longer than 1e-7 */
} lg_distance;

/* Triplet loss: an anchor shall be nearer to a positive (a sample of its class) than to a negative, by a margin.
 *
 *   loss = max(0, d(anchor, positive) - d(anchor, negative) + margin)
 *   with swap   d(anchor, negative) is replaced by d(positive, negative) where that is smaller
 *   with soft   loss = log(1 + exp(d(anchor, positive) - d(anchor, negative))), without a margin
 *
 * Where the loss is positive, its derivatives are those of d(anchor, positive) less those of the other distance (times
 * sigmoid(their difference) with soft). Of sqeuclidean: 2 (negative - positive), 2 (positive - anchor) and
 * 2 (anchor - negative). A distance of 0 has derivative 0.
 *
 * anchor, positive, negative   [N, D], real
 * margin    1 in PyTorch, 0.2 in FaceNet (with sqeuclidean of vectors of length 1)
 * p         >= 1: the exponent of LG_DISTANCE_PNORM; the other distances do not look at it
 * options   eps (1e-6), class_axis
 * By name: triplet_margin and triplet_margin_with_distance have margin 1 and euclidean; triplet has sqeuclidean and
 * margin 0.2. For a distance of your own, see lg_triplet_from_distance.
 * same as  torch.nn.TripletMarginLoss (margin, p, eps, swap); Schroff, Kalenichenko and Philbin 2015 (FaceNet);
 *          Balntas et al. 2016 (swap); Hermans, Beyer and Leibe 2017 (soft) */
LG_API lg_tensor *lg_triplet_margin(lg_tape *tape, lg_tensor *anchor, lg_tensor *positive, lg_tensor *negative,
                                    double margin, lg_distance distance, double p, bool swap, bool soft,
                                    const lg_loss_options *options);

/* Triplet loss of distances that other operations computed.
 *
 *   loss = max(0, positive - nearest + margin), or log(1 + exp(positive - nearest)) with soft
 *   nearest = negative, or min(negative, between) where `between` is given: the one that is smaller gets the derivative,
 *   negative if they are equal
 *
 * positive  any shape, real: distances of the anchors to their positives
 * negative  the same shape: of the anchors to their negatives
 * between   the same shape, or NULL: of the positives to the negatives (what swap does above)
 * units     elements
 * same as  torch.nn.TripletMarginWithDistanceLoss */
LG_API lg_tensor *lg_triplet_from_distance(lg_tape *tape, lg_tensor *positive, lg_tensor *negative, lg_tensor *between,
                                           double margin, bool soft, const lg_loss_options *options);

/* Cosine embedding loss: pairs by the angle between them, whatever their lengths.
 *
 *   c = a . b / (|a| |b|),   loss = 1 - c                 target 1
 *                                   max(0, c - margin)    target -1
 *   d c / d a = (b / |b| - c a / |a|) / |a|, and b's by symmetry
 *
 * a, b      [N, D], real. A vector no longer than eps has no direction: c and its derivatives are 0
 * target    [N], real, -1 or 1
 * margin    in [-1, 1]; 0 to 0.5 is usual
 * options   eps (1e-7), class_axis
 * same as  torch.nn.CosineEmbeddingLoss, which adds 1e-12 to both squared lengths instead */
LG_API lg_tensor *lg_cosine_embedding(lg_tape *tape, lg_tensor *a, lg_tensor *b, lg_tensor *target, double margin,
                                      const lg_loss_options *options);

/* Hinge embedding loss: of distances, linear where the contrastive loss is squared.
 *
 *   loss = x                     target 1,    d loss / d x = 1
 *          max(0, margin - x)    target -1,   d loss / d x = -1 where x < margin
 *
 * distance  any shape, real: x
 * target    the same shape, real, -1 or 1
 * margin    1 is usual
 * units     elements
 * same as  torch.nn.HingeEmbeddingLoss */
LG_API lg_tensor *lg_hinge_embedding(lg_tape *tape, lg_tensor *distance, lg_tensor *target, double margin,
                                     const lg_loss_options *options);

/* Circle loss: all pairs of a batch at once, from class labels; the further a pair is from where it should be, the more
 * it counts.
 *
 *   d_ij = max(0, 1 - embeddings_i . ref_j),   d_ii = 0 without references
 *   P_i = log sum exp(-gamma (margin + d) (margin - d))                       over j of the same label
 *   Q_i = log sum exp(gamma max(0, 1 + margin - d) (1 - margin - d))          over j of another
 *   loss_i = log(1 + exp(P_i + Q_i)),   0 for a row that lacks the one or the other
 *   d loss_i / d d_ij = sigmoid(P_i + Q_i) softmax_j 2 gamma d_ij             of the same label
 *                       sigmoid(P_i + Q_i) softmax_j 2 gamma (d_ij - 1)       of another, where d_ij < 1 + margin
 *   d loss / d embeddings = -D ref,  d loss / d ref = -D' embeddings with D of these, 0 where d was cut to 0; their sum
 *   without references
 *
 * embeddings      [N, D], real, rows of length 1 (to 0.001, else LG_E_DOMAIN; the loss does not normalise them)
 * labels          [N], int32: any numbers, equal ones are of a class
 * ref_embeddings  [M, D], rows of length 1; NULL: the embeddings are compared with each other
 * ref_labels      [M], int32; NULL with ref_embeddings, and only then (LG_E_PARAM)
 * gamma           > 0; how sharply the worst pairs are preferred. 80 in Keras
 * margin          0.4 in Keras: same labels aim at d <= margin, others at d >= 1 - margin
 * remove_diagonal pair (i, i) is no pair of the same label, with references too. true in Keras
 * detach_weights  the factors (margin + d) and max(0, 1 + margin - d) are constants to the derivative, which then has
 *                 gamma (margin + d) and -gamma (1 + margin - d), as in the paper. false in Keras
 * units           rows; those with a loss of 0 for lack of a pair do not count in means, nor in their divisors
 * same as  keras.losses.Circle; Sun et al. 2020, with detach_weights */
LG_API lg_tensor *lg_circle(lg_tape *tape, lg_tensor *embeddings, lg_tensor *labels, lg_tensor *ref_embeddings,
                            lg_tensor *ref_labels, double gamma, double margin, bool remove_diagonal,
                            bool detach_weights, const lg_loss_options *options);

LG_END_DECLS

#endif

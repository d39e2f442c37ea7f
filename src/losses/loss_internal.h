/* For the files of the loss families: how a row of the table is written, and how its public function calls it. */
#ifndef LG_LOSS_INTERNAL_H
#define LG_LOSS_INTERNAL_H

#include "losses/loss.h"
#include "tensor/math_internal.h"

/* Every loss of the library, by family and name. A row that is not in these lists is unknown to the table; the tests
 * walk the table. */
#define LG_ANOMALY_LOSSES(X) \
    X(deep_svdd)             \
    X(one_class_svm)
#define LG_BOX_LOSSES(X) \
    X(ciou)              \
    X(diou)              \
    X(giou)              \
    X(iou)
#define LG_CLASSIFICATION_LOSSES(X) \
    X(binary_crossentropy)          \
    X(categorical_crossentropy)     \
    X(categorical_generalized_cross_entropy) \
    X(multilabel_soft_margin)       \
    X(nll)                          \
    X(soft_margin)                  \
    X(sparse_categorical_crossentropy)
#define LG_GENERATIVE_LOSSES(X) \
    X(gan_discriminator)        \
    X(gan_generator)            \
    X(gaussian_kl)              \
    X(reconstruction)           \
    X(vae)
#define LG_IMBALANCE_LOSSES(X) \
    X(binary_focal_crossentropy) \
    X(categorical_focal_crossentropy) \
    X(sparse_categorical_focal_crossentropy)
#define LG_MARGIN_LOSSES(X) \
    X(categorical_hinge)    \
    X(hinge)                \
    X(multi_margin)         \
    X(multilabel_margin)    \
    X(squared_hinge)        \
    X(svm)
#define LG_METRIC_LOSSES(X)      \
    X(circle)                    \
    X(contrastive)               \
    X(contrastive_from_distance) \
    X(cosine_embedding)          \
    X(hinge_embedding)           \
    X(triplet_from_distance)     \
    X(triplet_margin)
#define LG_PROBABILISTIC_LOSSES(X) \
    X(gaussian_nll)                \
    X(kl_divergence)               \
    X(knowledge_distillation)      \
    X(poisson)
#define LG_RANKING_LOSSES(X) \
    X(margin_ranking)
#define LG_REGRESSION_LOSSES(X)       \
    X(cosine_similarity)              \
    X(huber)                          \
    X(log_cosh)                       \
    X(mean_absolute_error)            \
    X(mean_absolute_percentage_error) \
    X(mean_squared_error)             \
    X(mean_squared_logarithmic_error) \
    X(quantile)                       \
    X(smooth_l1)
#define LG_SEGMENTATION_LOSSES(X) \
    X(dice)                       \
    X(tversky)
#define LG_SEQUENCE_LOSSES(X) \
    X(ctc)                    \
    X(ctc_simplified)
#define LG_LOSSES(X)            \
    LG_ANOMALY_LOSSES(X)        \
    LG_BOX_LOSSES(X)            \
    LG_CLASSIFICATION_LOSSES(X) \
    LG_GENERATIVE_LOSSES(X)     \
    LG_IMBALANCE_LOSSES(X)      \
    LG_MARGIN_LOSSES(X)         \
    LG_METRIC_LOSSES(X)         \
    LG_PROBABILISTIC_LOSSES(X)  \
    LG_RANKING_LOSSES(X)        \
    LG_REGRESSION_LOSSES(X)     \
    LG_SEGMENTATION_LOSSES(X)   \
    LG_SEQUENCE_LOSSES(X)

#define LG_DECLARE_LOSS(name) extern const lg_loss_info lg_##name##_row;
LG_LOSSES(LG_DECLARE_LOSS)
#undef LG_DECLARE_LOSS

/* Parameters that losses share. A row lists the positional parameters of its C function first, then those of these
 * that it takes; the C function fills the latter from lg_loss_options. */
#define LG_PARAM_FROM_LOGITS { .name = "from_logits", .high = 1, .choices = "false|true" }
#define LG_PARAM_LABEL_SMOOTHING { .name = "label_smoothing", .high = 1 }
#define LG_PARAM_EPS { .name = "eps", .initial = 1e-7, .high = 0.5, .high_open = true }
#define LG_PARAM_NORMALIZE { .name = "normalize", .initial = 1, .high = 1, .choices = "false|true" }
#define LG_PARAM_LABELS { .name = "labels", .high = 2, .choices = "auto|pm1|01" }
#define LG_PARAM_CLIP { .name = "clip", .high = 1, .choices = "eps|log100" }

/* Records the loss of a row: `positional` are the C function's own parameters, the others come from `options`, where
 * a field that the row has no parameter for must be zero. */
lg_tensor *lg_loss_call(lg_tape *tape, const lg_loss_info *info, lg_tensor *const inputs[], const double *positional,
                        size_t positional_count, const lg_loss_options *options);

/* Whether two names are the same. Looked up at every call of a loss: most differ in their first letter, and what is the
 * same is mostly the same literal. */
static inline bool lg_same_name(const char *a, const char *b)
{
    return a == b || (*a == *b && strcmp(a, b) == 0);
}

/* Checks names and ranges of a parameter value; LG_E_PARAM with what would be right. */
lg_status lg_loss_check_param(const lg_loss_info *info, size_t i, double value);

/* Whether two shapes are the same but for trailing axes of 1, which make no difference between operands of a loss. */
bool lg_same_dims(size_t rank_a, const size_t *a, size_t rank_b, const size_t *b);

/* Does the work once the parameters are known (loss_run.c). */
lg_tensor *lg_loss_record(lg_tape *tape, const lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                          const lg_loss_options *options);

/* LG_LOSS_KERNEL(huber, c, gradient) { ... } defines the kernel `huber` from a body that is compiled twice, with
 * `gradient` a constant: with derivatives, and without them or what only they need. LG_LOSS_KERNEL_2 has a second
 * constant, whether the derivative by input 1 is wanted too. */
#define LG_LOSS_KERNEL(kernel, chunk, gradient)                                    \
    LG_INLINE void kernel##_body(const lg_loss_chunk *chunk, const bool gradient); \
    LG_CLONES static void kernel(const lg_loss_chunk *chunk)                       \
    {                                                                              \
        if (chunk->d[0])                                                           \
            kernel##_body(chunk, true);                                            \
        else                                                                       \
            kernel##_body(chunk, false);                                           \
    }                                                                              \
    LG_INLINE void kernel##_body(const lg_loss_chunk *chunk, const bool gradient)

#define LG_LOSS_KERNEL_2(kernel, chunk, gradient, second)                                             \
    LG_INLINE void kernel##_body(const lg_loss_chunk *chunk, const bool gradient, const bool second); \
    LG_CLONES static void kernel(const lg_loss_chunk *chunk)                                          \
    {                                                                                                 \
        if (chunk->d[0] && chunk->d[1])                                                               \
            kernel##_body(chunk, true, true);                                                         \
        else if (chunk->d[0])                                                                         \
            kernel##_body(chunk, true, false);                                                        \
        else                                                                                          \
            kernel##_body(chunk, false, false);                                                       \
    }                                                                                                 \
    LG_INLINE void kernel##_body(const lg_loss_chunk *chunk, const bool gradient, const bool second)

#endif

/* Parameter sets: named tensors that training changes, and the layers that own them.
 *
 * The values of a set lie in one block and its gradients in another, so that an optimizer's update, zeroing, norm
 * clipping and a checkpoint are each one sweep. Tensors' headers, which users and layers hold, stay where they are
 * when the block grows. A set is used by one thread at a time. */
#ifndef LG_PARAMS_H
#define LG_PARAMS_H

#include "tensor/tensor.h"

LG_BEGIN_DECLS

typedef struct lg_params lg_params;

/* An empty set; NULL with LG_E_MEMORY. Freeing releases its tensors, and the layers made on it: at once or, while
 * optimizers of the set live, with the last of them. */
LG_API lg_params *lg_params_new(void);
LG_API void lg_params_free(lg_params *params);

/* Adds a tensor of zeros that requires a gradient, under a name of its own ("hidden.weight": at most 127 bytes, not
 * empty, not used yet: else LG_E_PARAM). The set owns it. LG_E_STATE once an optimizer works on the set; LG_E_SHAPE;
 * LG_E_MEMORY. NULL on error. */
LG_API lg_tensor *lg_params_add(lg_params *params, const char *name, size_t rank, const size_t *dims);

/* Number of tensors; the i-th, in order of addition (NULL beyond the end); its name; the one of a name (NULL and
 * LG_E_PARAM with the nearest name if there is none). */
LG_API size_t lg_params_count(const lg_params *params);
LG_API lg_tensor *lg_params_at(const lg_params *params, size_t i);
LG_API const char *lg_params_name(const lg_params *params, size_t i);
LG_API lg_tensor *lg_params_find(const lg_params *params, const char *name);

/* Number of scalars in all tensors together. */
LG_API size_t lg_params_size(const lg_params *params);

/* Forgets the gradients: the next backward stores instead of adding. */
LG_API void lg_params_zero_grad(lg_params *params);

/* sqrt of the sum of squares of all gradients, summed in double; a tensor without a gradient, or that
 * requires none, counts as zeros. */
LG_API double lg_params_grad_norm(const lg_params *params);

/* Clips gradients in place, before an optimizer's step.
 *   norm   scales all by max_norm / norm when their global norm exceeds max_norm > 0; returns the norm before. A norm
 *          that is not finite leaves them as they are.   torch.nn.utils.clip_grad_norm_ (without its 1e-6)
 *   value  clamps each to [-limit, limit], limit > 0; NaN stays
 * A bound that is not positive is LG_E_PARAM (norm: returns NaN). */
LG_API double lg_params_clip_norm(lg_params *params, double max_norm);
LG_API lg_status lg_params_clip_value(lg_params *params, double limit);

/* A copy of all values, to return to later (best weights); restore copies them back: LG_E_SHAPE when the set changed
 * since. Free with lg_snapshot_free. */
typedef struct lg_snapshot lg_snapshot;
LG_API lg_snapshot *lg_params_snapshot(const lg_params *params);
LG_API lg_status lg_params_save_to(const lg_params *params, lg_snapshot *snapshot); /* overwrites a snapshot */
LG_API lg_status lg_params_restore(lg_params *params, const lg_snapshot *snapshot);
LG_API void lg_snapshot_free(lg_snapshot *snapshot);

/* Hands `object` to the set, which calls free_object(object) when it is freed itself; on LG_E_MEMORY it is freed at
 * once. This is how layers belong to a set. */
LG_API lg_status lg_params_own(lg_params *params, void *object, void (*free_object)(void *));

LG_END_DECLS

#endif

/* A batch's fields as tensors on the tape, for step functions. Nothing is copied: the tensors show the batch's memory
 * and hold until the tape's reset or the batch's next fill, whichever comes first. */
#ifndef LG_TRAIN_BATCH_H
#define LG_TRAIN_BATCH_H

#include "autograd/tape.h"
#include "data/dataset.h"

LG_BEGIN_DECLS

/* The field "x", [rows, dims...], and the field "y": [rows] or [rows, dims...], int32 for classes and real otherwise. A
 * ragged field is [rows, longest row of this batch, dims...], padded with zeros. No gradient is wanted of them.
 * NULL on error: LG_E_PARAM for a field that the data set does not have, or for NULL. */
LG_API lg_tensor *lg_batch_x(lg_tape *tape, const lg_batch *batch);
LG_API lg_tensor *lg_batch_y(lg_tape *tape, const lg_batch *batch);

/* The field of a name, likewise. */
LG_API lg_tensor *lg_batch_field(lg_tape *tape, const lg_batch *batch, const char *name);

/* Lengths of the rows of a ragged field, int32 [rows]; LG_E_PARAM for a dense one. */
LG_API lg_tensor *lg_batch_field_lengths(lg_tape *tape, const lg_batch *batch, const char *name);

/* The weights of classes that lg_fit was given (options.class_weight), real [classes]; NULL, which losses take as no
 * weights, where there are none and in evaluation:
 *     lg_loss_options options = { .from_logits = true, .class_weight = lg_batch_class_weight(tape, batch) };     */
LG_API const lg_tensor *lg_batch_class_weight(const lg_tape *tape, const lg_batch *batch);

LG_END_DECLS

#endif

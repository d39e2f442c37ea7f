/* Losses of boxes, for detectors: how far a predicted rectangle is from the true one.
 *
 * pred and target have one shape [..., 4], real; a box is a unit, and the units' shape is that of pred without its last
 * axis (options->class_axis = 1 takes [N, 4, ...] instead). With I the area of the intersection, A and B those of the
 * boxes, U = A + B - I, and cw, ch the sides of the smallest box around both:
 *
 *   IoU = I / (U + eps)
 *
 * format   how a box is written: its corners x1, y1, x2, y2, or its centre and sides
 * options  reduction, sample_weight, class_axis, and eps in (0, 0.5), 1e-7 unless given
 * returns  the reduced scalar, or a tensor of the units' shape with LG_REDUCE_NONE; NULL on error, see lg_error()
 * errors   LG_E_SHAPE (boxes of other than 4 numbers), LG_E_DTYPE, LG_E_PARAM, LG_E_DOMAIN: a target that is not finite
 *          or has a negative side
 *
 * A predicted box with a negative side is legal, since a network may well emit one: that side counts as 0 and passes no
 * gradient; the surrounding box and the centres are those of its corners as they are. Gradients exist by both inputs. At
 * an exact tie of two edges each box gets half of the derivative (as with PyTorch's maximum and minimum), so that the
 * gradient of a perfect overlap is 0 but for eps. The arithmetic of a box is done in double. */
#ifndef LG_BOXES_H
#define LG_BOXES_H

#include "losses/loss.h"

LG_BEGIN_DECLS

typedef enum lg_box_format { LG_BOX_XYXY = 0, LG_BOX_CXCYWH } lg_box_format;

typedef enum lg_iou_form { LG_IOU_LINEAR = 0, LG_IOU_LOG } lg_iou_form;

/* Intersection over union: what detectors are judged by. Boxes that do not meet cost 1 and have gradient 0, however far
 * apart they are; giou, diou and ciou were made against that.
 *
 *   loss = 1 - IoU   (LG_IOU_LINEAR)       -log max(IoU, eps)   (LG_IOU_LOG; gradient 0 where IoU < eps)
 *   d IoU = (dI (U + eps) - I dU) / (U + eps)^2
 *
 * Two empty boxes cost 1 with gradient 0.
 * same as  1 - torchvision.ops.box_iou of the pairs; Yu et al. 2016, UnitBox (the logarithm) */
LG_API lg_tensor *lg_iou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format, lg_iou_form form,
                         const lg_loss_options *options);

/* Generalised IoU: charges the part of the surrounding box that neither box fills, so that distant boxes attract.
 *
 *   loss = 1 - IoU + (C - U) / (C + eps),   C = cw ch
 *
 * In [0, 2].
 * same as  torchvision.ops.generalized_box_iou_loss (whose default reduction is none); Rezatofighi et al. 2019 */
LG_API lg_tensor *lg_giou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format,
                          const lg_loss_options *options);

/* Distance IoU: charges the distance r of the centres relative to the diagonal of the surrounding box; converges faster
 * than giou where one box contains the other.
 *
 *   loss = 1 - IoU + r^2 / (cw^2 + ch^2 + eps)
 *
 * same as  torchvision.ops.distance_box_iou_loss; Zheng et al. 2020 */
LG_API lg_tensor *lg_diou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format,
                          const lg_loss_options *options);

/* Complete IoU: diou that charges different proportions too.
 *
 *   loss = diou + a v,   v = (4 / pi^2) (atan(W / H) - atan(w / h))^2,   a = v / (1 - IoU + v + eps)
 *
 * w, h are the sides of the prediction, W, H those of the target; a side of 0 is legal. The derivative takes a for a
 * constant, as the paper and torchvision do: it is not that of the value.
 * same as  torchvision.ops.complete_box_iou_loss; Zheng et al. 2020 */
LG_API lg_tensor *lg_ciou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format,
                          const lg_loss_options *options);

LG_END_DECLS

#endif

"""Values and gradients of the box losses.

    python tests/reference/losses_boxes.py > tests/reference/losses_boxes.h

Made with PyTorch 2.13.0, float64. torchvision could not be installed beside it: the formulas of torchvision.ops (box_iou,
generalized_box_iou_loss, distance_box_iou_loss, complete_box_iou_loss) are written out here and differentiated by autograd,
the weight of the proportions outside of it as there. Sides of predictions are clamped at 0, which torchvision does not do."""
import math

import torch

from loss_cases import T, begin, case, end, grid, uniform

torch.manual_seed(53)
begin("boxes", f"""
    PyTorch {torch.__version__.split("+")[0]}, float64: formulas as torchvision has them, differentiated by autograd.""")


def corners(box, centred):
    first, second = box[..., :2], box[..., 2:]
    return (first - second / 2, first + second / 2) if centred else (first, second)


class Pair:
    """What all four losses need, of boxes along the last axis."""

    def __init__(self, pred, target, centred, eps):
        (p1, p2), (t1, t2) = corners(pred, centred), corners(target, centred)
        self.side, self.target_side = (p2 - p1).clamp(min=0), t2 - t1
        overlap = torch.minimum(p2, t2) - torch.maximum(p1, t1)
        meets = (overlap > 0).all(-1)
        intersection = torch.where(meets, overlap.prod(-1), torch.zeros_like(overlap[..., 0]))
        self.union = self.side.prod(-1) + self.target_side.prod(-1) - intersection
        self.iou = intersection / (self.union + eps)
        self.hull = torch.maximum(p2, t2) - torch.minimum(p1, t1)
        self.distance = (((p1 + p2 - t1 - t2) / 2) ** 2).sum(-1)


def iou(pair, eps):
    return 1 - pair.iou


def log_iou(pair, eps):
    return -torch.log(pair.iou.clamp(min=eps))


def giou(pair, eps):
    area = pair.hull.prod(-1)
    return 1 - (pair.iou - (area - pair.union) / (area + eps))


def diou(pair, eps):
    return 1 - pair.iou + pair.distance / ((pair.hull ** 2).sum(-1) + eps)


def angle(side):
    """torchvision has atan(w / h), which has no derivative at h = 0."""
    angles = torch.atan2(side[..., 0], side[..., 1])
    assert torch.allclose(angles, torch.atan(side[..., 0] / side[..., 1]), rtol=1e-14)
    return angles


def ciou(pair, eps):
    angles = angle(pair.target_side) - angle(pair.side)
    v = 4 / math.pi ** 2 * angles ** 2
    with torch.no_grad():
        alpha = v / (1 - pair.iou + v + eps)
    return diou(pair, eps) + alpha * v


def unit(loss, centred=False, eps=1e-7, axis=-1):
    return lambda pred, target: loss(Pair(pred.movedim(axis, -1), target.movedim(axis, -1), centred, eps), eps)


def boxes(*shape, width=8.0):
    low, side = uniform(*shape, 2, high=width), uniform(*shape, 2, low=0.125, high=6)
    return torch.cat([low, low + side], -1)


def centres(box):
    """The same boxes by centre and sides, exactly."""
    return torch.cat([(box[..., :2] + box[..., 2:]) / 2, box[..., 2:] - box[..., :2]], -1)


W23 = torch.tensor([[1, 0.5, 0], [2, 4, 0.25]], dtype=T)

for name, loss, params in (("iou", iou, ""), ("iou_loss", log_iou, "form=log"), ("giou", giou, ""), ("diou", diou, ""), ("ciou", ciou, "")):
    def also(more):
        return ",".join(filter(None, (params, more)))
    case(name, "one box", unit(loss), [boxes(width=2.0), boxes(width=2.0)], params=params)
    case(name, "random", unit(loss), [boxes(12), boxes(12)], params=params)
    case(name, "sample weights", unit(loss), [boxes(2, 3), boxes(2, 3)], params=params, sample_weight=W23)
    case(name, "centres", unit(loss, centred=True), [centres(boxes(8)), centres(boxes(8))], params=also("format=cxcywh"))
    case(name, "boxes along axis 1", unit(loss, axis=1), [boxes(2, 3).movedim(-1, 1), boxes(2, 3).movedim(-1, 1)],
         params=params, axis=1)
    case(name, "eps", unit(loss, eps=0.25), [boxes(8, width=4.0), boxes(8, width=4.0)], params=also("eps=0.25"))
    target = boxes(6)
    inner = target + torch.tensor([0.03125, 0.0625, -0.046875, -0.015625], dtype=T)
    case(name, "inside the target", unit(loss), [inner, target], params=params)
    near = grid(target + torch.randn(6, 4, dtype=T) * 0.01)
    case(name, "nearly perfect", unit(loss), [near, target], params=params)
    shared = torch.cat([target[:, :2], target[:, 2:] * 1.25], -1)
    case(name, "a common corner", unit(loss), [shared, target], params=params)
    inverted = boxes(4)
    inverted[:2, [0, 2]] = inverted[:2, [2, 0]]
    inverted[2:, [1, 3]] = inverted[2:, [3, 1]]
    case(name, "negative sides count as 0", unit(loss), [inverted, boxes(4)], params=params)
    case(name, "far away", unit(loss), [boxes(3) + 64, boxes(3)], params=params)
end()

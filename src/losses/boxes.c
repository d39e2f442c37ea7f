/* Losses of boxes: IoU and what has been added to it (boxes.h). */
#include "losses/boxes.h"

#include "losses/loss_internal.h"

#include <math.h>
#include <string.h>

enum { BOX_PRED, BOX_TARGET };
enum { X, Y, AXES };
enum { CORNERS = 4 }; /* x1, y1, x2, y2: the low corner of axis a is [a], the high one [a + AXES] */

enum { BOX_FORMAT, BOX_EPS };
enum { IOU_FORMAT, IOU_FORM, IOU_EPS };

/* ---------------------------------------------------------------- geometry */

/* What the losses are made of, per axis. */
typedef struct geometry {
    double pred[AXES], target[AXES]; /* sides, at least 0 */
    double overlap[AXES];            /* sides of the intersection; 0 both, unless both are positive */
    double hull[AXES];               /* sides of the smallest box around both */
    double gap[AXES];                /* twice the way from the target's centre to the prediction's */
    double intersection, joint, iou; /* I, U + eps, I / (U + eps) */
} geometry;

/* The derivatives by those. */
typedef geometry slopes;

LG_INLINE double smaller(double a, double b)
{
    return a < b ? a : b;
}

LG_INLINE double larger(double a, double b)
{
    return a > b ? a : b;
}

/* NaN stays. */
LG_INLINE double at_least_0(double x)
{
    return x < 0 ? 0 : x;
}

LG_INLINE geometry geometry_of(const double p[CORNERS], const double t[CORNERS], double eps)
{
    geometry g;
    for (int a = X; a < AXES; a++) {
        const int b = a + AXES;
        g.pred[a] = at_least_0(p[b] - p[a]);
        g.target[a] = at_least_0(t[b] - t[a]);
        g.overlap[a] = smaller(p[b], t[b]) - larger(p[a], t[a]);
        g.hull[a] = larger(p[b], t[b]) - smaller(p[a], t[a]);
        g.gap[a] = (p[a] - t[a]) + (p[b] - t[b]);
    }
    if (!(g.overlap[X] > 0 && g.overlap[Y] > 0))
        g.overlap[X] = g.overlap[Y] = 0;
    g.intersection = g.overlap[X] * g.overlap[Y];
    g.joint = g.pred[X] * g.pred[Y] + g.target[X] * g.target[Y] - g.intersection + eps;
    g.iou = g.intersection / g.joint;
    return g;
}

/* 1 where a is beyond b, 1/2 at a tie: the derivative of max(a, b) by a. */
LG_INLINE double beyond(double a, double b)
{
    return 0.5 * ((a > b) + (a >= b));
}

/* From sides to the corners of box p, the other box being q. A corner moves its own edge only: the high one lengthens
 * p's side, the overlap unless q ends first, and the hull if q does; the low one does the opposite. */
LG_INLINE void by_corners(const double p[CORNERS], const double q[CORNERS], const double by_side[AXES], const slopes *by,
                          double by_gap_sign, double d[CORNERS])
{
    for (int a = X; a < AXES; a++) {
        const int b = a + AXES;
        const double side = p[b] > p[a] ? by_side[a] : 0, gap = by_gap_sign * by->gap[a];
        d[b] = side + by->overlap[a] * beyond(q[b], p[b]) + by->hull[a] * beyond(p[b], q[b]) + gap;
        d[a] = -side - by->overlap[a] * beyond(p[a], q[a]) - by->hull[a] * beyond(q[a], p[a]) + gap;
    }
}

/* The slopes of a function of the areas I, A and B, all in one: by_areas is that by A, which is that by B too. */
LG_INLINE void by_sides(const geometry *g, double by_intersection, double by_areas, slopes *by)
{
    for (int a = X; a < AXES; a++) {
        by->overlap[a] = by_intersection * g->overlap[AXES - 1 - a];
        by->pred[a] = by_areas * g->pred[AXES - 1 - a];
        by->target[a] = by_areas * g->target[AXES - 1 - a];
    }
}

/* ------------------------------------------------------------- the losses
 * Each returns the loss and, where wanted, its slopes. With J = IoU and D = U + eps, U = A + B - I:
 *   dJ/dI = (1 + J) / D,   dJ/dA = dJ/dB = -J / D                                                           */

typedef double box_loss(const geometry *g, const double *param, bool gradient, slopes *by);

/* loss = 1 - J, or -log max(J, eps) */
LG_INLINE double iou_loss(const geometry *g, const double *param, bool gradient, slopes *by)
{
    const bool log_form = param[IOU_FORM] == LG_IOU_LOG;
    const double eps = param[IOU_EPS];
    const double by_iou = !log_form ? -1 : g->iou < eps ? 0 : -1 / g->iou;
    if (gradient)
        by_sides(g, by_iou * (1 + g->iou) / g->joint, -by_iou * g->iou / g->joint, by);
    return log_form ? -log(g->iou < eps ? eps : g->iou) : 1 - g->iou;
}

/* loss = 1 - J + (C - U) / (C + eps),   C = cw ch
 *   dC: (U + eps) / (C + eps)^2,   dU: -1 / (C + eps) in addition to that of -J */
LG_INLINE double giou_loss(const geometry *g, const double *param, bool gradient, slopes *by)
{
    const double eps = param[BOX_EPS];
    const double hull = g->hull[X] * g->hull[Y] + eps;
    if (gradient) {
        by_sides(g, 1 / hull - (1 + g->iou) / g->joint, g->iou / g->joint - 1 / hull, by);
        for (int a = X; a < AXES; a++)
            by->hull[a] = g->joint / hull / hull * g->hull[AXES - 1 - a];
    }
    return 1 - g->iou + (hull - g->joint) / hull;
}

/* loss = 1 - J + r^2 / c^2,   r^2 = (gap_x^2 + gap_y^2) / 4,   c^2 = cw^2 + ch^2 + eps
 *   dgap = gap / (2 c^2),   dcw = -2 cw r^2 / c^4 */
LG_INLINE double diou_loss(const geometry *g, const double *param, bool gradient, slopes *by)
{
    const double diagonal = g->hull[X] * g->hull[X] + g->hull[Y] * g->hull[Y] + param[BOX_EPS];
    const double distance = (g->gap[X] * g->gap[X] + g->gap[Y] * g->gap[Y]) / 4 / diagonal;
    if (gradient) {
        by_sides(g, -(1 + g->iou) / g->joint, g->iou / g->joint, by);
        for (int a = X; a < AXES; a++) {
            by->gap[a] = g->gap[a] / 2 / diagonal;
            by->hull[a] = -2 * g->hull[a] * distance / diagonal;
        }
    }
    return 1 - g->iou + distance;
}

/* Adds the slopes of the angle atan2(w, h), times `factor`:   dw = h / (w^2 + h^2),   dh = -w / (w^2 + h^2) */
LG_INLINE void add_by_angle(const double side[AXES], double factor, double by_side[AXES])
{
    const double square = side[X] * side[X] + side[Y] * side[Y];
    if (square == 0)
        return;
    by_side[X] += factor * side[Y] / square;
    by_side[Y] -= factor * side[X] / square;
}

/* loss = diou + a v,   k = atan2(W, H) - atan2(w, h),   v = 4 k^2 / pi^2,   a = v / (1 - J + v + eps), held constant
 *   dv/dangle = -8 k / pi^2 of the prediction's, 8 k / pi^2 of the target's */
LG_INLINE double ciou_loss(const geometry *g, const double *param, bool gradient, slopes *by)
{
    const double diou = diou_loss(g, param, gradient, by);
    const double turn = atan2(g->target[X], g->target[Y]) - atan2(g->pred[X], g->pred[Y]);
    const double v = 4 * turn * turn / (M_PI * M_PI);
    const double alpha = v / (1 - g->iou + v + param[BOX_EPS]);
    if (gradient) {
        add_by_angle(g->pred, -alpha * 8 * turn / (M_PI * M_PI), by->pred);
        add_by_angle(g->target, alpha * 8 * turn / (M_PI * M_PI), by->target);
    }
    return diou + alpha * v;
}

/* ----------------------------------------------------------------- kernels */

LG_INLINE void read_box(const lg_real *x, bool centred, double corner[CORNERS])
{
    for (int a = X; a < AXES; a++) {
        const double first = (double)x[a], second = (double)x[a + AXES];
        corner[a] = centred ? first - second / 2 : first;
        corner[a + AXES] = centred ? first + second / 2 : second;
    }
}

/* By centre and side from by corners: centre = low + high, side = (high - low) / 2. */
LG_INLINE void write_slopes(const double corner[CORNERS], bool centred, double scale, lg_real *d)
{
    for (int a = X; a < AXES; a++) {
        const double low = corner[a], high = corner[a + AXES];
        d[a] = (lg_real)(scale * (centred ? low + high : low));
        d[a + AXES] = (lg_real)(scale * (centred ? (high - low) / 2 : high));
    }
}

LG_INLINE void run_boxes(const lg_loss_chunk *c, box_loss *loss, double eps)
{
    const bool centred = c->param[BOX_FORMAT] == LG_BOX_CXCYWH, gradient = c->d[BOX_PRED] != NULL;
    const double scale = (double)c->scale;
    for (size_t u = 0; u < c->units; u++) {
        double p[CORNERS], t[CORNERS], d[CORNERS];
        slopes by = { .gap = { 0 } };
        read_box(c->x[BOX_PRED] + u * CORNERS, centred, p);
        read_box(c->x[BOX_TARGET] + u * CORNERS, centred, t);
        const geometry g = geometry_of(p, t, eps);
        c->loss[u] = (lg_real)loss(&g, c->param, gradient, &by);
        if (gradient) {
            by_corners(p, t, by.pred, &by, 1, d);
            write_slopes(d, centred, scale, c->d[BOX_PRED] + u * CORNERS);
        }
        if (gradient && c->d[BOX_TARGET]) {
            by_corners(t, p, by.target, &by, -1, d);
            write_slopes(d, centred, scale, c->d[BOX_TARGET] + u * CORNERS);
        }
    }
}

static void iou_kernel(const lg_loss_chunk *c)
{
    run_boxes(c, iou_loss, c->param[IOU_EPS]);
}

static void giou_kernel(const lg_loss_chunk *c)
{
    run_boxes(c, giou_loss, c->param[BOX_EPS]);
}

static void diou_kernel(const lg_loss_chunk *c)
{
    run_boxes(c, diou_loss, c->param[BOX_EPS]);
}

static void ciou_kernel(const lg_loss_chunk *c)
{
    run_boxes(c, ciou_loss, c->param[BOX_EPS]);
}

static lg_status check_targets(const lg_loss_info *info, const lg_loss_chunk *c, size_t first)
{
    const bool centred = c->param[BOX_FORMAT] == LG_BOX_CXCYWH;
    for (size_t u = 0; u < c->units; u++) {
        const lg_real *t = c->x[BOX_TARGET] + u * CORNERS;
        bool finite = true, ordered = true;
        for (int k = 0; k < CORNERS; k++)
            finite = finite && isfinite(t[k]);
        for (int a = X; a < AXES; a++)
            ordered = ordered && t[a + AXES] >= (centred ? 0 : t[a]);
        if (!finite || !ordered)
            return lg_fail(LG_E_DOMAIN, "%s: target box %zu is (%g, %g, %g, %g), but must be finite with %s", info->name,
                           first + u, (double)t[0], (double)t[1], (double)t[2], (double)t[3],
                           centred ? "sides >= 0 (cx, cy, w, h)" : "x1 <= x2 and y1 <= y2");
    }
    return LG_OK;
}

/* -------------------------------------------------------------------- rows */

#define BOX_ROW(kernel_, ...)                                                                        \
    .family = "boxes", .tasks = LG_TASK_DETECTION, .units = LG_UNIT_ROW, .least_width = CORNERS,     \
    .most_width = CORNERS, .output = "four numbers per box, linear: corners, or centre and sides",   \
    .inputs = { { "pred", .differentiable = true }, { "target", .differentiable = true } },          \
    .params = { { .name = "format", .high = 1, .choices = "xyxy|cxcywh" }, __VA_ARGS__ },            \
    .kernel = kernel_, .check_chunk = check_targets

/* 0 would leave two empty boxes without a value. */
#define BOX_PARAM_EPS { .name = "eps", .initial = 1e-7, .high = 0.5, .low_open = true, .high_open = true }

const lg_loss_info lg_iou_row = {
    .name = "iou",
    .summary = "boxes that already overlap; the measure that detectors are judged by",
    .formula = "1 - IoU, or -log max(IoU, eps);   IoU = I / (U + eps)",
    .reference = "1 - torchvision.ops.box_iou; Yu et al. 2016",
    .aliases = { { "iou_loss", NULL }, { "box_iou", NULL } },
    BOX_ROW(iou_kernel, { .name = "form", .high = 1, .choices = "linear|log" }, BOX_PARAM_EPS),
};

const lg_loss_info lg_giou_row = {
    .name = "giou",
    .summary = "boxes that may not overlap yet: distant ones still attract each other",
    .formula = "1 - IoU + (C - U) / (C + eps),   C the area of the smallest box around both",
    .reference = "torchvision.ops.generalized_box_iou_loss; Rezatofighi et al. 2019",
    .aliases = { { "generalized_box_iou", NULL } },
    BOX_ROW(giou_kernel, BOX_PARAM_EPS),
};

const lg_loss_info lg_diou_row = {
    .name = "diou",
    .summary = "boxes whose centres should meet first; converges faster than giou",
    .formula = "1 - IoU + r^2 / (c^2 + eps),   r between the centres, c the diagonal of the smallest box around both",
    .reference = "torchvision.ops.distance_box_iou_loss; Zheng et al. 2020",
    .aliases = { { "distance_box_iou", NULL } },
    BOX_ROW(diou_kernel, BOX_PARAM_EPS),
};

const lg_loss_info lg_ciou_row = {
    .name = "ciou",
    .summary = "boxes whose centres and proportions should both be right: what YOLO's successors train on",
    .formula = "diou + a v,   v = (4 / pi^2) (atan(W/H) - atan(w/h))^2,   a = v / (1 - IoU + v + eps), held constant",
    .reference = "torchvision.ops.complete_box_iou_loss; Zheng et al. 2020",
    .aliases = { { "complete_box_iou", NULL } },
    BOX_ROW(ciou_kernel, BOX_PARAM_EPS),
};

lg_tensor *lg_iou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format, lg_iou_form form,
                  const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_iou_row, (lg_tensor *[]){ pred, target }, (const double[]){ format, form }, 2, options);
}

lg_tensor *lg_giou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format,
                   const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_giou_row, (lg_tensor *[]){ pred, target }, (const double[]){ format }, 1, options);
}

lg_tensor *lg_diou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format,
                   const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_diou_row, (lg_tensor *[]){ pred, target }, (const double[]){ format }, 1, options);
}

lg_tensor *lg_ciou(lg_tape *tape, lg_tensor *pred, lg_tensor *target, lg_box_format format,
                   const lg_loss_options *options)
{
    return lg_loss_call(tape, &lg_ciou_row, (lg_tensor *[]){ pred, target }, (const double[]){ format }, 1, options);
}

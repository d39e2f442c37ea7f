/* What all losses share: reduction, weights, validation, the table that names them, and losses of one's own.
 *
 * Every loss is one node of the tape: its front checks the operands, one pass over the data computes the value of each
 * unit and the derivative side by side, and the node keeps the sum and the divisor apart, so that an epoch's loss is
 * the sum of sums over the sum of divisors. The losses themselves are in the headers of their families
 * (classification.h, ...); each also goes by name through lg_loss_find.
 *
 * A unit is what a loss has one value of: an element of the prediction (binary_crossentropy) or a row of it along the
 * class axis (sparse_categorical_crossentropy). w is the sample weight, 1 without one.
 *
 *   LG_REDUCE_MEAN           sum of w loss / number of units   (the weights are not in the divisor; class weights of
 *                            index targets are: sum of w loss / sum of class_weight[target], as PyTorch has it)
 *   LG_REDUCE_SUM            sum of w loss
 *   LG_REDUCE_NONE           w loss, a tensor of the units' shape
 *   LG_REDUCE_WEIGHTED_MEAN  sum of w loss / sum of w (times the class weights, where they are in the mean's divisor)
 *
 *   LG_REDUCE_ELEMENT_MEAN   sum of w loss / number of elements of the prediction (kl_divergence only, as PyTorch's
 *                            `mean` has it there)
 *   LG_REDUCE_MEAN_PER_LABEL sum of w loss / max(1, number of labels of the unit) / number of units (ctc only, as
 *                            PyTorch's `mean` has it there)
 *
 * A mean over nothing (no units, zero divisor) is 0 with zero gradients; PyTorch gives NaN there. A unit of weight 0
 * counts 0 even if its loss is infinite or NaN. NaN in a unit makes that unit NaN and no other. */
#ifndef LG_LOSS_H
#define LG_LOSS_H

#include "autograd/tape.h"

LG_BEGIN_DECLS

typedef enum lg_reduction {
    LG_REDUCE_MEAN = 0,
    LG_REDUCE_SUM,
    LG_REDUCE_NONE,
    LG_REDUCE_WEIGHTED_MEAN,
    LG_REDUCE_ELEMENT_MEAN,
    LG_REDUCE_MEAN_PER_LABEL
} lg_reduction;

/* How two classes are written, for margin losses. */
typedef enum lg_labels {
    LG_LABELS_AUTO = 0, /* all in {-1, 1}, or all in {0, 1}; a mixture of -1 and 0 is LG_E_DOMAIN */
    LG_LABELS_PM1,      /* -1 and 1 */
    LG_LABELS_01        /* 0 and 1, of which 0 stands for -1 */
} lg_labels;

/* What losses share; NULL or all zeros are the defaults. An option that a loss has no use for is LG_E_PARAM. */
typedef struct lg_loss_options {
    lg_reduction reduction;
    bool from_logits;               /* predictions are logits; default: probabilities */
    double label_smoothing;         /* a in [0, 1]: y (1 - a) + a / 2 for binary labels, y (1 - a) + a / C for classes */
    const lg_tensor *sample_weight; /* real, >= 0, NumPy-broadcastable to the units: [N, 1] for rows of an [N, D] loss */
    const lg_tensor *class_weight;  /* real [C], >= 0 */
    const lg_tensor *pos_weight;    /* real, one element or [D] along the last axis, >= 0: weight of positive labels */
    const int32_t *ignore_index;    /* units with this target are left out; NULL: -100 */
    size_t class_axis;              /* axis of the classes, 1 for [N, C, H, W]; 0: the last */
    double eps;                     /* probabilities are clipped to [eps, 1 - eps]; 0: the loss's own, 1e-7 */
    bool no_normalize;              /* class probabilities are taken as they are, not divided by their sum */
    lg_labels labels;               /* how two classes are written, for margin losses */
    bool clip_log100;               /* clip the logarithms at -100 instead, as torch.nn.BCELoss does */
    bool unchecked;                 /* skip the scans for values out of their domain; indices are always checked */
} lg_loss_options;

/* Sum of w loss, and the divisor of the reduction, of a tensor that a loss made; false for any other tensor (both are
 * left alone). With LG_REDUCE_SUM the divisor is the number of units, so that epochs can still be averaged. */
LG_API bool lg_loss_terms(const lg_tensor *loss, double *sum, double *divisor);

/* The reduction that a loss was made with; LG_REDUCE_MEAN for a tensor that no loss made. */
LG_API lg_reduction lg_loss_reduction(const lg_tensor *loss);

/* ------------------------------------------------------------------- chunks
 * A loss's mathematics is one function on a chunk of consecutive units: it reads x and labels and writes the value of
 * each unit and, where wanted, the derivatives times `scale`. What reduction, weights and ignored units do is applied
 * around it. It must not write beyond its units and cannot fail. Threads share the chunks of a large batch: whatever a
 * kernel keeps elsewhere may be another's at the same time. */
#define LG_LOSS_MAX_INPUTS 6
#define LG_LOSS_MAX_PARAMS 12

typedef struct lg_loss_chunk {
    size_t units;                     /* of this chunk */
    size_t width[LG_LOSS_MAX_INPUTS]; /* values of input i per unit */
    const lg_real *x[LG_LOSS_MAX_INPUTS]; /* real inputs: units x width */
    const int32_t *label;             /* the index input, units x its width; a LG_CLASS_INDEX is valid here */
    const double *param;              /* in the order of the table */
    const lg_real *class_weight;      /* [C] or NULL */
    const lg_real *pos_weight;        /* one per unit, for rows that take it; 1 where none is given */
    const lg_real *weight;            /* of each unit, or NULL; applied after the kernel, for check_chunk to know */
    lg_real scale;                    /* factor of every derivative */
    lg_real *loss;                    /* [units], out */
    lg_real *d[LG_LOSS_MAX_INPUTS];   /* out: derivative by input i, laid out as x[i]. d[0] is NULL when no derivative
                                         is wanted; d[i > 0] is NULL when that one is not */
    lg_real *scratch, *scratch_2;     /* units x width[0] reals and width[0] reals, for what lies between */
} lg_loss_chunk;

typedef void lg_loss_kernel(const lg_loss_chunk *chunk);

/* ------------------------------------------------------------ whole batches
 * A loss whose units depend on each other, or on whole tensors, sees the batch at once, in three functions: `plan`
 * checks shapes and data and says what the units are; `value` writes the loss of each unit; `derivative`, called in
 * backward and only if wanted, writes the derivatives of sum_u factor_u loss_u. What plan and value leave in `scratch`
 * is there for derivative. */
typedef struct lg_loss_batch {
    const struct lg_loss_info *info;
    lg_tensor *const *inputs;          /* NULL for an optional input that is not given */
    const double *param;
    const struct lg_loss_options *options;

    /* Set by plan: the shape of the units (rank 0, as at first: one scalar) and the scratch it wants. */
    size_t rank, dims[LG_MAX_RANK];
    size_t scratch_bytes;

    size_t units;                      /* the product of dims, from value on */
    void *scratch;                     /* 64-byte aligned, not initialised */
    lg_real *loss;                     /* [units], written by value */
    bool *counted;                     /* [units], true at first; false leaves the unit out of means and their divisors */
    double counts;                     /* LG_OWN_REDUCTION: a mean over batches takes this one's mean times this (its rows,
                                          say), lg_loss_terms; 0: each counts as one */

    const lg_real *factor;             /* [units] in derivative; a unit of factor 0 adds nothing, whatever its loss */
    lg_real *d[LG_LOSS_MAX_INPUTS];    /* out, every element: derivative by input i; NULL where not wanted */
} lg_loss_batch;

/* -------------------------------------------------------------------- table */

/* How the units lie in input 0 (the prediction). */
typedef enum lg_loss_units {
    LG_UNIT_ELEMENT, /* each element */
    LG_UNIT_ROW,     /* each row along the class axis */
    LG_UNIT_SAMPLE,  /* each index of the first axis, whatever follows */
    LG_UNIT_BATCH    /* as `plan` says; the row has plan, value and derivative instead of a kernel */
} lg_loss_units;

/* The shape of an input, against the units. */
typedef enum lg_loss_layout {
    LG_LIKE_PREDICTION = 0, /* input 0's shape (a trailing axis of 1 is no difference) */
    LG_PER_UNIT,            /* one per unit */
    LG_OWN_WIDTH,           /* [units..., a width of its own] */
    LG_WHOLE                /* any shape, given whole to every chunk; not differentiable (for LG_UNIT_BATCH: as plan says) */
} lg_loss_layout;

/* What its values may be. NaN passes the ranges (and gives NaN), but not the sets. */
typedef enum lg_loss_domain {
    LG_ANY_REAL = 0,
    LG_LOGIT_OR_PROBABILITY, /* any real with from_logits, else in [0, 1] with 1e-6 to spare */
    LG_LOGIT_OR_CLASS_PROBABILITIES, /* any real with from_logits, else >= 0; in [0, 1] too when not normalized */
    LG_PROBABILITY,          /* [0, 1] with 1e-6 to spare */
    LG_UNIT_INTERVAL,        /* [0, 1] */
    LG_NON_NEGATIVE,
    LG_PLUS_MINUS_ONE,       /* {-1, 1} */
    LG_ZERO_OR_ONE,          /* {0, 1} */
    LG_BINARY_LABEL,         /* {-1, 1} or {0, 1}, all of one kind, as the parameter `labels` says */
    LG_CLASS_INDEX,          /* int32 in [0, C), or the ignored index where the loss takes one; checked by plan for
                                LG_UNIT_BATCH */
    LG_ANY_INDEX             /* int32, checked by the row's own functions */
} lg_loss_domain;

typedef struct lg_loss_input {
    const char *name;
    lg_loss_layout layout;
    lg_loss_domain domain;
    bool differentiable;
    bool optional; /* may be NULL; with LG_UNIT_BATCH only */
} lg_loss_input;

/* A hyper-parameter: the range is [low, high], an open end where said. `choices` ("none|balanced|uniform",
 * "false|true") makes it one of a list, its value the position. */
typedef struct lg_loss_param {
    const char *name;
    double initial, low, high;
    bool low_open, high_open;
    const char *choices;
} lg_loss_param;

/* Another name, with parameters preset: "from_logits=true,alpha_mode=balanced". */
typedef struct lg_loss_alias {
    const char *name, *presets;
} lg_loss_alias;

/* Tasks that a loss serves, as a set. */
enum {
    LG_TASK_REGRESSION = 1 << 0,
    LG_TASK_BINARY = 1 << 1,
    LG_TASK_MULTILABEL = 1 << 2,
    LG_TASK_MULTICLASS = 1 << 3,
    LG_TASK_METRIC_LEARNING = 1 << 4,
    LG_TASK_DETECTION = 1 << 5,
    LG_TASK_SEGMENTATION = 1 << 6,
    LG_TASK_SEQUENCE = 1 << 7,
    LG_TASK_GENERATIVE = 1 << 8,
    LG_TASK_ANOMALY = 1 << 9,
    LG_TASK_RANKING = 1 << 10,
    LG_TASK_DISTRIBUTION = 1 << 11
};

/* Options a loss takes beyond reduction and sample_weight, as a set. */
enum {
    LG_TAKES_CLASS_WEIGHT = 1 << 0,
    LG_TAKES_POS_WEIGHT = 1 << 1,
    LG_TAKES_IGNORE_INDEX = 1 << 2,
    LG_WEIGHTS_IN_DIVISOR = 1 << 3, /* class_weight[target] enters the divisor of the mean */
    LG_TAKES_ELEMENT_MEAN = 1 << 4, /* LG_REDUCE_ELEMENT_MEAN */
    LG_TAKES_CLASS_AXIS = 1 << 5,   /* class_axis with LG_UNIT_BATCH */
    LG_OWN_REDUCTION = 1 << 6,      /* LG_UNIT_BATCH: value and derivative apply sample_weight and reduction themselves */
    LG_TAKES_MEAN_PER_LABEL = 1 << 7 /* LG_UNIT_BATCH: value and derivative divide by the labels with that reduction */
};

#define LG_LOSS_MAX_ALIASES 6

typedef struct lg_loss_info {
    const char *name;   /* Keras's name string where one exists */
    const char *family; /* "classification" */
    const char *summary; /* one line: when it is the right one */
    const char *formula; /* one line, of a unit */
    const char *output; /* what the network should emit: "one logit per label" */
    const char *reference;
    unsigned tasks, takes;
    lg_loss_units units;
    size_t least_width, most_width; /* of a row of input 0, others are LG_E_SHAPE; most_width 0: no limit */
    lg_loss_input inputs[LG_LOSS_MAX_INPUTS];
    lg_loss_param params[LG_LOSS_MAX_PARAMS];
    lg_loss_alias aliases[LG_LOSS_MAX_ALIASES];
    lg_loss_kernel *kernel;
    lg_status (*plan)(lg_loss_batch *batch); /* LG_UNIT_BATCH: these three instead */
    void (*value)(lg_loss_batch *batch);
    void (*derivative)(lg_loss_batch *batch);
    /* Optional: the domain of an input (real before and after), where it depends on parameters. */
    lg_loss_domain (*domain_of)(size_t input, const double *params);
    /* Optional: what ranges and domains cannot say. Parameters against each other and shapes, once; values, per
     * chunk before the kernel runs (`first` is the chunk's first unit, for the message). LG_OK or lg_fail(...). */
    lg_status (*check_call)(const struct lg_loss_info *info, lg_tensor *const inputs[], const double *params,
                            const lg_loss_options *options);
    lg_status (*check_chunk)(const struct lg_loss_info *info, const lg_loss_chunk *chunk, size_t first);
} lg_loss_info;

/* Every loss of the library: their number, and the i-th (NULL beyond the end), sorted by family and name. */
LG_API size_t lg_loss_count(void);
LG_API const lg_loss_info *lg_loss_at(size_t i);

/* Numbers of inputs and parameters of a row. */
LG_API size_t lg_loss_input_count(const lg_loss_info *info);
LG_API size_t lg_loss_param_count(const lg_loss_info *info);

/* A loss with its parameters, as named on a command line. */
typedef struct lg_loss_spec {
    const lg_loss_info *info;
    double params[LG_LOSS_MAX_PARAMS];
} lg_loss_spec;

/* Looks a name or alias up and fills the defaults and presets in. LG_E_PARAM with the nearest name if there is none. */
LG_API lg_status lg_loss_find(const char *name, lg_loss_spec *spec);

/* Sets parameters from "gamma=1.5" or "gamma=1.5,alpha_mode=balanced"; LG_E_PARAM names what is unknown, no number, or
 * out of range, with what would be right. */
LG_API lg_status lg_loss_set(lg_loss_spec *spec, const char *assignments);

/* The value of a parameter by name; NaN (no error) when the loss has none of that name. */
LG_API double lg_loss_get(const lg_loss_spec *spec, const char *name);

/* Applies a loss to its inputs (as many as the row has). `options` gives reduction, weights, axis and the ignored index;
 * its fields that are parameters of the row (from_logits, label_smoothing, eps, ...) must be left zero: the
 * specification has them. NULL on error. */
LG_API lg_tensor *lg_loss_apply(lg_tape *tape, const lg_loss_spec *spec, lg_tensor *const inputs[],
                                const lg_loss_options *options);

/* A loss of your own: write its kernel, describe it in a row (name, units, inputs, kernel, and parameters if any), and
 * call this with the parameters' values in the row's order. The row must outlive the tape's record.
 *
 *     static void absolute_log(const lg_loss_chunk *c)          loss = log(1 + |e|), e = pred - target
 *     {
 *         for (size_t i = 0; i < c->units; i++) {
 *             lg_real e = c->x[0][i] - c->x[1][i], a = fabs(e);
 *             c->loss[i] = log1p(a);
 *             if (c->d[0])
 *                 c->d[0][i] = c->scale * ((e > 0) - (e < 0)) / (1 + a);
 *         }
 *     }
 *     static const lg_loss_info row = { .name = "absolute_log", .units = LG_UNIT_ELEMENT, .kernel = absolute_log,
 *         .inputs = { { "pred", .differentiable = true }, { "target" } } };
 *     lg_tensor *loss = lg_loss_custom(tape, &row, (lg_tensor *[]){ pred, target }, NULL, NULL);             */
LG_API lg_tensor *lg_loss_custom(lg_tape *tape, const lg_loss_info *row, lg_tensor *const inputs[],
                                 const double *params, const lg_loss_options *options);

LG_END_DECLS

#endif

/* A loss against values that another library made: by name, in every reduction, with every gradient. */
#ifndef LOSS_REFERENCE_H
#define LOSS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

enum { REFERENCE_INPUTS = 4, REFERENCE_REDUCTIONS = 5 }; /* none, mean, sum, weighted mean, element mean */

typedef struct reference_tensor {
    size_t rank, dims[4];
    const double *values; /* NULL: there is none; whole numbers for class indices */
} reference_tensor;

typedef struct loss_reference {
    const char *loss, *what; /* a name or alias of the table; what the case is about */
    const char *params;      /* "delta=0.5,..." */
    size_t class_axis;
    size_t count;            /* inputs */
    reference_tensor inputs[REFERENCE_INPUTS];
    reference_tensor sample_weight, units, upstream; /* units: the losses before reduction, sample weights included */
    double value[REFERENCE_REDUCTIONS]; /* that of `none` is in units; NaN: the reduction is not tried */
    const double *gradient[REFERENCE_REDUCTIONS][REFERENCE_INPUTS]; /* NULL: not differentiable; for none: of
                                                                       sum(units * upstream) */
} loss_reference;

/* A case with options of losses over classes. */
typedef struct class_loss_reference {
    loss_reference of;
    reference_tensor class_weight;
    bool ignores;            /* units whose label is ignore_index */
    int ignore_index;
} class_loss_reference;

/* Asserts that the loss has these values and gradients. */
void assert_loss_reference(const loss_reference *reference);
void assert_class_loss_reference(const class_loss_reference *reference);

#endif

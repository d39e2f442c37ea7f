/* Checks a gradient against finite differences: of an op or a loss of one's own, or of a whole model.
 *
 *     static lg_tensor *f(lg_tape *tape, lg_tensor *const inputs[], void *context)
 *     {
 *         return lg_tanh(tape, lg_matmul(tape, inputs[0], inputs[1]));
 *     }
 *     if (lg_gradcheck(f, 2, (lg_tensor *[]){ a, b }, NULL, NULL, NULL) != LG_OK)
 *         puts(lg_error());
 *
 * For y = f(inputs) of any shape and fixed pseudo-random weights w of y's shape, 0.5 <= |w| <= 1.5, the gradient of
 * sum w y by backward is compared with
 *     numeric_i = sum over y of w (y(x_i + h) - y(x_i - h)) / 2h,   h = step,
 * for every element i of every input that requires a gradient. It passes when, for each input,
 *     max |numeric - analytic| <= tolerance max(floor, max |analytic|).
 * A function with kinks (relu, abs, max, ...) must be checked at points farther than h from them.
 * Build with lg_real double where you can: there the check is sharp, in float it is rough. */
#ifndef LG_GRADCHECK_H
#define LG_GRADCHECK_H

#include "autograd/tape.h"

LG_BEGIN_DECLS

/* Computes a real tensor on the tape from the inputs: the same one each time, when the inputs and the tape's random
 * stream (lg_tape_set_random) are. */
typedef lg_tensor *(*lg_function)(lg_tape *tape, lg_tensor *const inputs[], void *context);

/* Zero means the default of the build:
 *                double   float
 *   step         1e-5     2^-8     about the cube root of the machine epsilon, where rounding and truncation balance
 *   tolerance    1e-7     2e-3
 *   floor        1e-3     1
 * The step suits values and inputs of about 1. Float's tolerance is what rounding makes of it: a y of size up to 4 that is
 * off by 32 units in the last place (2^-24 each of 4) errs by 8e-6, or 1e-3 over 2h, above and below. Where one input
 * moves n > 64 values of y, such errors add up to sqrt(n) / 8 times that. */
typedef struct lg_gradcheck_options {
    double step, tolerance, floor;
} lg_gradcheck_options;

/* The element with the worst error, and how many were compared. */
typedef struct lg_gradcheck_report {
    size_t input, element, compared;
    double numeric, analytic;
    double error; /* |numeric - analytic| / max(floor, max |analytic| of that input) */
} lg_gradcheck_report;

/* Checks f at `inputs`, which are heap tensors or parameters; their values and gradients are left exactly as they were.
 * Runs on a tape of its own in training mode. options and report may be NULL. Errors: LG_E_DOMAIN when the gradient is
 * wrong (the message names input and element), LG_E_PARAM when no input requires a gradient or an option is negative,
 * LG_E_MEMORY, or what f failed with. */
LG_API lg_status lg_gradcheck(lg_function f, size_t count, lg_tensor *const inputs[], void *context,
                              const lg_gradcheck_options *options, lg_gradcheck_report *report);

LG_END_DECLS

#endif

/* Gradients against finite differences (gradcheck.h). */
#include "autograd/gradcheck.h"

#include "autograd/ops_internal.h"
#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef LG_DOUBLE
static const lg_gradcheck_options defaults = { .step = 1e-5, .tolerance = 1e-7, .floor = 1e-3 };
#else
static const lg_gradcheck_options defaults = { .step = 1.0 / 256, .tolerance = 2e-3, .floor = 1 };
#endif

typedef struct check {
    lg_function f;
    size_t count;
    lg_tensor *const *inputs;
    void *context;
    lg_gradcheck_options options;
    lg_gradcheck_report report;
    lg_tape *tape;
    size_t size;      /* of the result */
    lg_real *weights; /* [size]: d objective / d result */
    lg_real *above;   /* [size]: the result at x + h */
    lg_real **analytic; /* [count]: the gradients by backward; NULL for inputs that want none */
} check;

/* ------------------------------------------------------------- evaluation */

/* The result of f on a fresh record with the same random stream as every time; NULL on error. */
static lg_tensor *evaluate(check *c, bool gradients)
{
    lg_tape_reset(c->tape);
    lg_tape_set_random(c->tape, 0, 0, 0);
    lg_tape_set_gradients(c->tape, gradients);
    lg_tensor *y = c->f(c->tape, c->inputs, c->context);
    if (!lg_real_operands(c->tape, "lg_gradcheck", 1, &y))
        return NULL;
    if (!gradients && y->size != c->size) {
        lg_fail(LG_E_SHAPE, "lg_gradcheck: the function gave %zu values at first and %zu later", c->size, y->size);
        return NULL;
    }
    return y;
}

static lg_status make_weights(check *c, const lg_tensor *y)
{
    lg_rng rng = lg_rng_seed(1);
    c->size = y->size;
    c->weights = lg_calloc(c->size, sizeof *c->weights, "lg_gradcheck");
    c->above = lg_calloc(c->size, sizeof *c->above, "lg_gradcheck");
    if (!c->weights || !c->above)
        return LG_E_MEMORY;
    for (size_t i = 0; i < c->size; i++) {
        const double size = 0.5 + lg_rng_uniform(&rng);
        c->weights[i] = (lg_real)(lg_rng_uniform(&rng) < 0.5 ? -size : size);
    }
    return LG_OK;
}

/* Whether inputs[k] stands earlier in the list as well: it is checked there. */
static bool repeated(const check *c, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (c->inputs[i] == c->inputs[k])
            return true;
    return false;
}

/* Backward from the weights, into gradients of our own that the inputs wear for the while. */
static lg_status differentiate(check *c, lg_tensor *y)
{
    lg_tensor *upstream = lg_constant(c->tape, y->rank, y->dims, c->weights);
    lg_real **worn = lg_calloc(c->count, sizeof *worn, "lg_gradcheck");
    bool *written = lg_calloc(c->count, sizeof *written, "lg_gradcheck");
    lg_status status = upstream && worn && written ? LG_OK : LG_E_MEMORY;
    if (status == LG_OK) {
        for (size_t k = 0; k < c->count; k++) {
            lg_tensor *x = c->inputs[k];
            if (!c->analytic[k])
                continue;
            worn[k] = x->grad, written[k] = x->grad_written;
            x->grad = c->analytic[k], x->grad_written = false;
            for (size_t i = 0; i < x->size; i++) /* an element that backward forgets shall show */
                x->grad[i] = (lg_real)NAN;
        }
        status = lg_backward_from(c->tape, y, upstream);
        for (size_t k = 0; k < c->count; k++) {
            lg_tensor *x = c->inputs[k];
            if (!c->analytic[k])
                continue;
            if (!x->grad_written)
                memset(c->analytic[k], 0, x->size * sizeof(lg_real));
            x->grad = worn[k], x->grad_written = written[k];
        }
    }
    free(worn);
    free(written);
    return status;
}

/* sum w (y(x_i + h) - y(x_i - h)) / 2h, with the differences that x_i + h and x_i - h really have. */
static lg_status numeric_gradient(check *c, lg_tensor *x, size_t i, double *numeric)
{
    const lg_real kept = x->real[i];
    const double h = c->options.step;
    const lg_real high = (lg_real)((double)kept + h), low = (lg_real)((double)kept - h);
    double difference = 0;
    x->real[i] = high;
    const lg_tensor *y = evaluate(c, false);
    if (y) {
        memcpy(c->above, y->real, c->size * sizeof *c->above);
        x->real[i] = low;
        y = evaluate(c, false);
    }
    for (size_t k = 0; y && k < c->size; k++) /* before x is restored, of which y may be a view */
        difference += (double)c->weights[k] * ((double)c->above[k] - (double)y->real[k]);
    x->real[i] = kept;
    *numeric = difference / ((double)high - (double)low);
    return y ? LG_OK : lg_error_code();
}

/* ---------------------------------------------------------------- verdict */

static lg_status check_input(check *c, size_t k)
{
    lg_tensor *x = c->inputs[k];
    double largest = c->options.floor;
    for (size_t i = 0; i < x->size; i++)
        largest = fmax(largest, fabs((double)c->analytic[k][i]));
    for (size_t i = 0; i < x->size; i++) {
        double numeric = 0;
        const lg_status status = numeric_gradient(c, x, i, &numeric);
        if (status != LG_OK)
            return status;
        const double analytic = (double)c->analytic[k][i], error = fabs(numeric - analytic) / largest;
        const bool worst = c->report.compared == 0 || !(error <= c->report.error);
        c->report.compared++;
        if (worst && !isnan(c->report.error)) {
            c->report.input = k, c->report.element = i;
            c->report.numeric = numeric, c->report.analytic = analytic, c->report.error = error;
        }
    }
    return LG_OK;
}

static lg_status run(check *c)
{
    c->tape = lg_tape_new();
    c->analytic = lg_calloc(c->count, sizeof *c->analytic, "lg_gradcheck");
    if (!c->tape || !c->analytic)
        return LG_E_MEMORY;
    size_t wanted = 0;
    for (size_t k = 0; k < c->count; k++) {
        if (!c->inputs[k]->requires_grad || repeated(c, k))
            continue;
        c->analytic[k] = lg_calloc(c->inputs[k]->size, sizeof(lg_real), "lg_gradcheck");
        if (!c->analytic[k])
            return LG_E_MEMORY;
        wanted++;
    }
    if (wanted == 0)
        return lg_fail(LG_E_PARAM, "lg_gradcheck: no input requires a gradient (lg_tensor_require_grad)");
    lg_tensor *y = evaluate(c, true);
    if (!y)
        return lg_error_code();
    lg_status status = make_weights(c, y);
    if (status == LG_OK)
        status = differentiate(c, y);
    for (size_t k = 0; status == LG_OK && k < c->count; k++)
        if (c->analytic[k])
            status = check_input(c, k);
    if (status != LG_OK || c->report.compared == 0 || c->report.error <= c->options.tolerance)
        return status;
    char at[LG_SHAPE_TEXT_BYTES];
    const lg_gradcheck_report *r = &c->report;
    return lg_fail(LG_E_DOMAIN, "lg_gradcheck: input %zu, element %zu at %s: backward gives %.9g, differences %.9g; the "
                                "error %.3g is above %.3g",
                   r->input, r->element, lg_position_text(c->inputs[r->input], r->element, at, sizeof at), r->analytic,
                   r->numeric, r->error, c->options.tolerance);
}

lg_status lg_gradcheck(lg_function f, size_t count, lg_tensor *const inputs[], void *context,
                       const lg_gradcheck_options *options, lg_gradcheck_report *report)
{
    if (!f || (count > 0 && !inputs))
        return lg_fail_null("lg_gradcheck: a function and its inputs are wanted");
    for (size_t k = 0; k < count; k++) {
        if (!inputs[k])
            return lg_fail_null("lg_gradcheck: input %zu is NULL", k);
        if (inputs[k]->owner == LG_OWNER_TAPE)
            return lg_fail(LG_E_STATE, "lg_gradcheck: input %zu is a tape's; heap tensors and parameters can be checked",
                           k);
    }
    check c = { .f = f, .count = count, .inputs = inputs, .context = context, .options = defaults };
    if (options) {
        if (!(options->step >= 0) || !(options->tolerance >= 0) || !(options->floor >= 0))
            return lg_fail(LG_E_PARAM, "lg_gradcheck: step %g, tolerance %g, floor %g must not be negative",
                           options->step, options->tolerance, options->floor);
        c.options.step = options->step > 0 ? options->step : defaults.step;
        c.options.tolerance = options->tolerance > 0 ? options->tolerance : defaults.tolerance;
        c.options.floor = options->floor > 0 ? options->floor : defaults.floor;
    }
    const lg_status status = run(&c);
    for (size_t k = 0; c.analytic && k < count; k++)
        free(c.analytic[k]);
    free(c.analytic);
    free(c.weights);
    free(c.above);
    lg_tape_free(c.tape);
    if (report)
        *report = c.report;
    return status;
}

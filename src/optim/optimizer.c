/* What all optimizers share (optimizer.h). */
#include "optim/optimizer_internal.h"

#include "tensor/memory_internal.h"
#include "tensor/profile_internal.h"
#include "tensor/subnormal_internal.h"
#include "tensor/suggest_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- options */

double lg_option(double given, double standard)
{
    if (given == 0)
        return signbit(given) ? 0 : standard;
    return given;
}

bool lg_option_within(const char *what, const char *option, double value, double low, double high)
{
    if (isfinite(value) && value >= low && value < high)
        return true;
    if (isfinite(high))
        lg_fail(LG_E_PARAM, "%s: %s is %g, but must be at least %g and below %g", what, option, value, low, high);
    else
        lg_fail(LG_E_PARAM, "%s: %s is %g, but must be finite and at least %g", what, option, value, low);
    return false;
}

/* --------------------------------------------------------------- lifetime */

lg_optimizer *lg_optimizer_make(const char *what, const lg_optimizer *recipe)
{
    if (!lg_option_within(what, "learning_rate", recipe->learning_rate, 0, INFINITY))
        return NULL;
    const size_t length = lg_params_length(recipe->params);
    size_t reals, bytes;
    if (!lg_size_mul(length, recipe->state_count, &reals) || !lg_size_mul(reals, sizeof(lg_real), &bytes)) {
        lg_fail(LG_E_MEMORY, "%s: the optimizer's state exceeds what memory can address", what);
        return NULL;
    }
    lg_optimizer *optimizer = lg_calloc(1, sizeof *optimizer, what);
    lg_real *state = optimizer && bytes ? lg_aligned_alloc(bytes, what) : NULL;
    if (!optimizer || (bytes && !state)) {
        free(optimizer);
        return NULL;
    }
    if (bytes)
        memset(state, 0, bytes);
    *optimizer = *recipe;
    optimizer->state_length = length;
    for (size_t i = 0; bytes && i < recipe->state_count; i++)
        optimizer->state[i] = state + i * length;
    lg_params_hold(optimizer->params);
    return optimizer;
}

void lg_optimizer_free(lg_optimizer *optimizer)
{
    if (!optimizer)
        return;
    lg_params_release(optimizer->params);
    free(optimizer->state[0]);
    free(optimizer);
}

/* ------------------------------------------------------------------- use */

static void update_piece(const lg_optimizer *optimizer, lg_block block, size_t begin, size_t end)
{
    if (begin < end)
        optimizer->update(optimizer, (lg_block){ end - begin, block.values + begin, block.gradients + begin }, begin);
}

/* The whole block at once where no tensor is frozen; otherwise each run of tensors between frozen ones. */
static void update_trainable(const lg_optimizer *optimizer, lg_block block)
{
    const lg_params *params = optimizer->params;
    const size_t count = lg_params_count(params);
    size_t begin = 0;
    for (size_t i = 0; i < count; i++)
        if (!lg_tensor_requires_grad(lg_params_at(params, i))) {
            update_piece(optimizer, block, begin, lg_params_offset(params, i));
            begin = i + 1 < count ? lg_params_offset(params, i + 1) : block.length;
        }
    update_piece(optimizer, block, begin, block.length);
}

lg_status lg_optimizer_step(lg_optimizer *optimizer)
{
    if (!optimizer)
        return lg_fail_null("lg_optimizer_step: the optimizer is NULL");
    lg_profile_span span;
    lg_profile_begin(&span);
    optimizer->steps++;
    const lg_block block = lg_params_block(optimizer->params);
    const lg_float_mode mode = lg_flush_subnormals();
    update_trainable(optimizer, block);
    lg_restore_float_mode(mode);
    /* the gradients are read; values and state are read and written */
    lg_profile_end(&span, optimizer->name, LG_PHASE_UPDATE,
                   (double)(block.length * (3 + 2 * optimizer->state_count) * sizeof *block.values));
    return LG_OK;
}

void lg_optimizer_zero_grad(lg_optimizer *optimizer)
{
    if (optimizer)
        lg_params_zero_grad(optimizer->params);
}

double lg_optimizer_learning_rate(const lg_optimizer *optimizer)
{
    return optimizer ? optimizer->learning_rate : 0;
}

lg_status lg_optimizer_set_learning_rate(lg_optimizer *optimizer, double learning_rate)
{
    if (!optimizer)
        return lg_fail_null("lg_optimizer_set_learning_rate: the optimizer is NULL");
    if (!lg_option_within("lg_optimizer_set_learning_rate", "learning_rate", learning_rate, 0, INFINITY))
        return LG_E_PARAM;
    optimizer->learning_rate = learning_rate;
    return LG_OK;
}

lg_params *lg_optimizer_params(const lg_optimizer *optimizer)
{
    return optimizer ? optimizer->params : NULL;
}

uint64_t lg_optimizer_steps(const lg_optimizer *optimizer)
{
    return optimizer ? optimizer->steps : 0;
}

const char *lg_optimizer_name(const lg_optimizer *optimizer)
{
    return optimizer ? optimizer->name : NULL;
}

lg_real *lg_optimizer_state(const lg_optimizer *optimizer, const char *name)
{
    for (size_t i = 0; optimizer && i < optimizer->state_count; i++)
        if (strcmp(optimizer->state_name[i], name) == 0)
            return optimizer->state[i];
    return NULL;
}

/* ---------------------------------------------------------------- by name */

static lg_optimizer *named_sgd(lg_params *params, double learning_rate)
{
    return lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = learning_rate });
}

static lg_optimizer *named_momentum(lg_params *params, double learning_rate)
{
    return lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = learning_rate, .momentum = 0.9 });
}

static lg_optimizer *named_nesterov(lg_params *params, double learning_rate)
{
    return lg_sgd_new(params, &(lg_sgd_options){ .learning_rate = learning_rate, .momentum = 0.9, .nesterov = true });
}

static lg_optimizer *named_adam(lg_params *params, double learning_rate)
{
    return lg_adam_new(params, &(lg_adam_options){ .learning_rate = learning_rate });
}

static lg_optimizer *named_adamw(lg_params *params, double learning_rate)
{
    return lg_adamw_new(params, &(lg_adam_options){ .learning_rate = learning_rate });
}

static lg_optimizer *named_rmsprop(lg_params *params, double learning_rate)
{
    return lg_rmsprop_new(params, &(lg_rmsprop_options){ .learning_rate = learning_rate });
}

static const struct {
    const char *name;
    lg_optimizer *(*make)(lg_params *params, double learning_rate);
} known[] = {
    { "sgd", named_sgd },   { "momentum", named_momentum }, { "nesterov", named_nesterov },
    { "adam", named_adam }, { "adamw", named_adamw },       { "rmsprop", named_rmsprop },
};

#define KNOWN (sizeof known / sizeof *known)

const char *lg_optimizer_known(size_t i)
{
    return i < KNOWN ? known[i].name : NULL;
}

lg_optimizer *lg_optimizer_by_name(const char *name, lg_params *params, double learning_rate)
{
    if (!name || !params) {
        lg_fail_null("lg_optimizer_by_name: %s is NULL", name ? "params" : "the name");
        return NULL;
    }
    lg_nearest nearest = lg_nearest_to(name);
    for (size_t i = 0; i < KNOWN; i++) {
        if (strcmp(known[i].name, name) == 0)
            return known[i].make(params, learning_rate);
        lg_nearest_try(&nearest, known[i].name);
    }
    lg_fail(LG_E_PARAM, "lg_optimizer_by_name: there is no optimizer \"%s\"%s", name, lg_nearest_text(&nearest));
    return NULL;
}

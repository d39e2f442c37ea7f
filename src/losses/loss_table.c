/* The table of losses: names, aliases, parameters as text (loss.h). */
#include "losses/loss_internal.h"
#include "tensor/suggest_internal.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LG_LOSS_ROW(name) &lg_##name##_row,
static const lg_loss_info *const table[] = { LG_LOSSES(LG_LOSS_ROW) };
#undef LG_LOSS_ROW

#define TABLE_LENGTH (sizeof table / sizeof table[0])

size_t lg_loss_count(void)
{
    return TABLE_LENGTH;
}

const lg_loss_info *lg_loss_at(size_t i)
{
    return i < TABLE_LENGTH ? table[i] : NULL;
}

size_t lg_loss_input_count(const lg_loss_info *info)
{
    size_t n = 0;
    while (info && n < LG_LOSS_MAX_INPUTS && info->inputs[n].name)
        n++;
    return n;
}

size_t lg_loss_param_count(const lg_loss_info *info)
{
    size_t n = 0;
    while (info && n < LG_LOSS_MAX_PARAMS && info->params[n].name)
        n++;
    return n;
}

/* ----------------------------------------------------------------- names */

static lg_status start_spec(const lg_loss_info *info, const char *presets, lg_loss_spec *spec)
{
    *spec = (lg_loss_spec){ .info = info };
    for (size_t i = 0; i < lg_loss_param_count(info); i++)
        spec->params[i] = info->params[i].initial;
    return presets ? lg_loss_set(spec, presets) : LG_OK;
}

lg_status lg_loss_find(const char *name, lg_loss_spec *spec)
{
    if (!name || !spec)
        return lg_fail_null("lg_loss_find: an argument is NULL");
    lg_nearest nearest = lg_nearest_to(name);
    for (size_t i = 0; i < TABLE_LENGTH; i++) {
        const lg_loss_info *info = table[i];
        if (strcmp(name, info->name) == 0)
            return start_spec(info, NULL, spec);
        lg_nearest_try(&nearest, info->name);
        for (size_t a = 0; a < LG_LOSS_MAX_ALIASES && info->aliases[a].name; a++) {
            if (strcmp(name, info->aliases[a].name) == 0)
                return start_spec(info, info->aliases[a].presets, spec);
            lg_nearest_try(&nearest, info->aliases[a].name);
        }
    }
    return lg_fail(LG_E_PARAM, "there is no loss \"%s\"%s", name, lg_nearest_text(&nearest));
}

/* ------------------------------------------------------------ parameters */

static size_t choice_count(const char *choices)
{
    size_t n = 1;
    for (; *choices; choices++)
        n += *choices == '|';
    return n;
}

/* The position of `text` among "a|b|c"; -1 if it is none of them. */
static int choice_position(const char *choices, const char *text, size_t length)
{
    for (int position = 0;; position++) {
        const size_t n = strcspn(choices, "|");
        if (n == length && strncmp(choices, text, n) == 0)
            return position;
        if (choices[n] == '\0')
            return -1;
        choices += n + 1;
    }
}

lg_status lg_loss_check_param(const lg_loss_info *info, size_t i, double value)
{
    const lg_loss_param *p = &info->params[i];
    if (p->choices) {
        if (value == 0 || (value > 0 && value < (double)choice_count(p->choices) && value == floor(value)))
            return LG_OK;
        return lg_fail(LG_E_PARAM, "%s: %s must be one of %s", info->name, p->name, p->choices);
    }
    const bool ranged = p->low != 0 || p->high != 0;
    if (isfinite(value) && (!ranged || ((p->low_open ? value > p->low : value >= p->low) &&
                                        (p->high_open ? value < p->high : value <= p->high))))
        return LG_OK;
    if (!ranged)
        return lg_fail(LG_E_PARAM, "%s: %s is %g, but must be finite", info->name, p->name, value);
    if (isinf(p->high))
        return lg_fail(LG_E_PARAM, "%s: %s is %g, but must be finite and %s %g", info->name, p->name, value,
                       p->low_open ? ">" : ">=", p->low);
    return lg_fail(LG_E_PARAM, "%s: %s is %g, but must be in %c%g, %g%c", info->name, p->name, value,
                   p->low_open ? '(' : '[', p->low, p->high, p->high_open ? ')' : ']');
}

/* A number in the C locale's notation, whatever the program's locale is; false unless all of `text` is one. */
static bool parse_number(const char *text, double *value)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return false;
    char *end;
    *value = strtod_l(text, &end, c_locale);
    freelocale(c_locale);
    return end != text && *end == '\0';
}

static lg_status unknown_param(const lg_loss_info *info, const char *name)
{
    if (lg_loss_param_count(info) == 0)
        return lg_fail(LG_E_PARAM, "%s: has no parameter \"%s\", nor any other", info->name, name);
    lg_nearest nearest = lg_nearest_to(name);
    char known[256] = "";
    for (size_t i = 0; i < lg_loss_param_count(info); i++) {
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", info->params[i].name);
        lg_nearest_try(&nearest, info->params[i].name);
    }
    return lg_fail(LG_E_PARAM, "%s: has no parameter \"%s\"%s (it has %s)", info->name, name, lg_nearest_text(&nearest),
                   known);
}

static lg_status set_one(lg_loss_spec *spec, const char *text, size_t length)
{
    const lg_loss_info *info = spec->info;
    char name[64], value_text[64];
    const char *equals = memchr(text, '=', length);
    const size_t name_length = equals ? (size_t)(equals - text) : length, value_length = length - name_length - 1;
    if (!equals || name_length == 0 || name_length >= sizeof name || value_length >= sizeof value_text)
        return lg_fail(LG_E_PARAM, "%s: \"%.*s\" is not of the form name=value", info->name, (int)length, text);
    snprintf(name, sizeof name, "%.*s", (int)name_length, text);
    snprintf(value_text, sizeof value_text, "%.*s", (int)value_length, equals + 1);
    for (size_t i = 0; i < lg_loss_param_count(info); i++) {
        const lg_loss_param *p = &info->params[i];
        if (strcmp(p->name, name) != 0)
            continue;
        double value;
        if (p->choices) {
            const int position = choice_position(p->choices, value_text, value_length);
            if (position < 0)
                return lg_fail(LG_E_PARAM, "%s: %s is \"%s\", but must be one of %s", info->name, name, value_text,
                               p->choices);
            value = position;
        } else if (!parse_number(value_text, &value)) {
            return lg_fail(LG_E_PARAM, "%s: %s is \"%s\", which is not a number", info->name, name, value_text);
        }
        lg_status status = lg_loss_check_param(info, i, value);
        if (status == LG_OK)
            spec->params[i] = value;
        return status;
    }
    return unknown_param(info, name);
}

lg_status lg_loss_set(lg_loss_spec *spec, const char *assignments)
{
    if (!spec || !spec->info || !assignments)
        return lg_fail_null("lg_loss_set: an argument is NULL");
    lg_loss_spec changed = *spec;
    while (*assignments) {
        const size_t length = strcspn(assignments, ",");
        lg_status status = set_one(&changed, assignments, length);
        if (status != LG_OK)
            return status;
        assignments += length + (assignments[length] == ',');
    }
    *spec = changed;
    return LG_OK;
}

double lg_loss_get(const lg_loss_spec *spec, const char *name)
{
    for (size_t i = 0; spec && name && i < lg_loss_param_count(spec->info); i++)
        if (strcmp(spec->info->params[i].name, name) == 0)
            return spec->params[i];
    return NAN;
}

/* ----------------------------------------------------------------- calls */

/* What the caller's options say about the parameters that losses share. */
typedef struct shared_option {
    const char *name;
    bool given, taken; /* by the caller; by the row */
    double value;
} shared_option;

#define SHARED_OPTIONS 6

static shared_option *find_shared(shared_option options[SHARED_OPTIONS], const char *name)
{
    for (size_t i = 0; i < SHARED_OPTIONS; i++)
        if (lg_same_name(options[i].name, name))
            return &options[i];
    return NULL;
}

/* The parameters from number `first` on; LG_E_PARAM for an option that is set though the row has none of its name there. */
static lg_status params_of_options(const lg_loss_info *info, size_t first, const lg_loss_options *options, double *params)
{
    shared_option shared[SHARED_OPTIONS] = {
        { "from_logits", options->from_logits, false, 1 },
        { "label_smoothing", options->label_smoothing != 0, false, options->label_smoothing },
        { "eps", options->eps != 0, false, options->eps },
        { "normalize", options->no_normalize, false, 0 },
        { "clip", options->clip_log100, false, 1 },
        { "labels", options->labels != LG_LABELS_AUTO, false, options->labels },
    };
    const size_t count = lg_loss_param_count(info);
    for (size_t i = first; i < count; i++) {
        shared_option *option = find_shared(shared, info->params[i].name);
        params[i] = option && option->given ? option->value : info->params[i].initial;
        if (option)
            option->taken = true;
    }
    for (size_t i = 0; i < SHARED_OPTIONS; i++)
        if (shared[i].given && !shared[i].taken)
            return lg_fail(LG_E_PARAM, "%s: the option %s does not apply here", info->name, shared[i].name);
    return LG_OK;
}

lg_tensor *lg_loss_call(lg_tape *tape, const lg_loss_info *info, lg_tensor *const inputs[], const double *positional,
                        size_t positional_count, const lg_loss_options *options)
{
    static const lg_loss_options defaults = { 0 };
    double params[LG_LOSS_MAX_PARAMS] = { 0 };
    if (!options)
        options = &defaults;
    for (size_t i = 0; i < positional_count; i++)
        params[i] = positional[i];
    if (params_of_options(info, positional_count, options, params) != LG_OK)
        return NULL;
    return lg_loss_record(tape, info, inputs, params, options);
}

lg_tensor *lg_loss_custom(lg_tape *tape, const lg_loss_info *row, lg_tensor *const inputs[], const double *params,
                          const lg_loss_options *options)
{
    static const double none[LG_LOSS_MAX_PARAMS] = { 0 };
    if (!row || !row->name || (!row->kernel && !row->value) || !inputs || lg_loss_input_count(row) == 0) {
        lg_fail_null("lg_loss_custom: a row needs a name, at least one input and a kernel");
        return NULL;
    }
    if (!params && lg_loss_param_count(row) > 0) {
        lg_fail(LG_E_PARAM, "%s: has %zu parameters, but none are given", row->name, lg_loss_param_count(row));
        return NULL;
    }
    return lg_loss_call(tape, row, inputs, params ? params : none, lg_loss_param_count(row), options);
}

lg_tensor *lg_loss_apply(lg_tape *tape, const lg_loss_spec *spec, lg_tensor *const inputs[],
                         const lg_loss_options *options)
{
    if (!spec || !spec->info) {
        lg_fail_null("lg_loss_apply: the loss is NULL");
        return NULL;
    }
    return lg_loss_custom(tape, spec->info, inputs, spec->params, options);
}

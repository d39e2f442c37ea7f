#include "loss_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether --loss can be this one: it serves one of the tasks, from one prediction and one target of its shape. */
static bool fits(unsigned tasks, const lg_loss_info *info)
{
    return (info->tasks & tasks) != 0 && lg_loss_input_count(info) == 2 &&
           (tasks != LG_TASK_BINARY ||
            (info->inputs[1].domain != LG_CLASS_INDEX && info->inputs[1].layout == LG_LIKE_PREDICTION));
}

void loss_list(unsigned tasks)
{
    for (size_t i = 0; i < lg_loss_count(); i++) {
        const lg_loss_info *info = lg_loss_at(i);
        if (!fits(tasks, info))
            continue;
        printf("%s\n    %s\n    loss = %s\n", info->name, info->summary, info->formula);
        for (size_t p = 0; p < lg_loss_param_count(info); p++) {
            const lg_loss_param *param = &info->params[p];
            if (strcmp(param->name, "from_logits") == 0)
                continue;
            printf("    --loss-param %s=", param->name);
            if (param->choices)
                printf("%s\n", param->choices);
            else
                printf("%g   in %c%g, %g%c\n", param->initial, param->low_open ? '(' : '[', param->low, param->high,
                       param->high_open || isinf(param->high) ? ')' : ']');
        }
        for (size_t a = 0; a < LG_LOSS_MAX_ALIASES && info->aliases[a].name; a++)
            printf("    --loss %s%s%s\n", info->aliases[a].name, info->aliases[a].presets ? " sets " : "",
                   info->aliases[a].presets ? info->aliases[a].presets : "");
    }
    exit(EXIT_SUCCESS);
}

/* Names the losses that fit. */
static void refuse(struct argp_state *state, unsigned tasks, const char *name)
{
    char names[1024] = "";
    for (size_t i = 0; i < lg_loss_count(); i++)
        if (fits(tasks, lg_loss_at(i)))
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", names[0] ? ", " : "",
                     lg_loss_at(i)->name);
    argp_error(state, "--loss: \"%s\" does not fit this task; these do: %s", name, names);
}

void loss_settle(struct argp_state *state, unsigned tasks, const char *name, size_t count, const char *const *params,
                 lg_loss_spec *spec)
{
    if (lg_loss_find(name, spec) != LG_OK)
        argp_error(state, "--loss: %s", lg_error());
    if (!fits(tasks, spec->info))
        refuse(state, tasks, name);
    for (size_t i = 0; i < count; i++) {
        if (strstr(params[i], "from_logits"))
            argp_error(state, "--loss-param: from_logits is the trainer's own: its model emits logits");
        if (lg_loss_set(spec, params[i]) != LG_OK)
            argp_error(state, "--loss-param: %s", lg_error());
    }
    if (!isnan(lg_loss_get(spec, "from_logits")) && lg_loss_set(spec, "from_logits=true") != LG_OK)
        argp_error(state, "--loss: %s", lg_error());
}

/* Prints docs/losses.md from the table of losses: `make docs`. A test holds the page in the tree against it. */
#include <luge.h>

#include <math.h>
#include <string.h>

static const struct {
    unsigned task;
    const char *name;
} tasks[] = { { LG_TASK_REGRESSION, "regression" },
              { LG_TASK_BINARY, "two classes" },
              { LG_TASK_MULTILABEL, "several labels" },
              { LG_TASK_MULTICLASS, "one of several classes" },
              { LG_TASK_METRIC_LEARNING, "metric learning" },
              { LG_TASK_DETECTION, "detection" },
              { LG_TASK_SEGMENTATION, "segmentation" },
              { LG_TASK_SEQUENCE, "sequences" },
              { LG_TASK_GENERATIVE, "generation" },
              { LG_TASK_ANOMALY, "anomalies" },
              { LG_TASK_RANKING, "ranking" },
              { LG_TASK_DISTRIBUTION, "distributions" } };

static void print_tasks(unsigned set)
{
    const char *separator = "";
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        if (!(set & tasks[i].task))
            continue;
        printf("%s%s", separator, tasks[i].name);
        separator = ", ";
    }
}

/* The `position`-th of "a|b|c". */
static void print_choice(const char *choices, size_t position)
{
    for (; position > 0; position--)
        choices += strcspn(choices, "|") + 1;
    printf("%.*s", (int)strcspn(choices, "|"), choices);
}

static void print_param(const lg_loss_param *p)
{
    printf("`%s` = ", p->name);
    if (p->choices) {
        print_choice(p->choices, (size_t)p->initial);
        printf(" (");
        for (const char *c = p->choices; *c; c++)
            printf(*c == '|' ? ", " : "%c", *c);
        putchar(')');
        return;
    }
    printf("%g", p->initial);
    if (isinf(p->high))
        printf(" (%s %g)", p->low_open ? ">" : ">=", p->low);
    else if (p->low != 0 || p->high != 0)
        printf(" (in %c%g, %g%c)", p->low_open ? '(' : '[', p->low, p->high, p->high_open ? ')' : ']');
}

static void print_options(const lg_loss_info *info)
{
    static const struct {
        unsigned takes;
        const char *name;
    } options[] = { { LG_TAKES_CLASS_WEIGHT, "class_weight" },
                    { LG_TAKES_POS_WEIGHT, "pos_weight" },
                    { LG_TAKES_IGNORE_INDEX, "ignore_index" } };
    const char *separator = "- also: ";
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (!(info->takes & options[i].takes))
            continue;
        printf("%s`%s`", separator, options[i].name);
        separator = ", ";
    }
    if (*separator == ',')
        putchar('\n');
}

static void print_loss(const lg_loss_info *info)
{
    printf("\n### %s\n\n    %s\n\n- when: %s\n- for: ", info->name, info->formula, info->summary);
    print_tasks(info->tasks);
    printf("\n- network: %s\n- inputs: ", info->output);
    for (size_t i = 0; i < lg_loss_input_count(info); i++)
        printf("%s`%s`%s", i ? ", " : "", info->inputs[i].name, info->inputs[i].optional ? " (optional)" : "");
    putchar('\n');
    for (size_t i = 0; i < lg_loss_param_count(info); i++) {
        printf("%s", i ? "; " : "- parameters: ");
        print_param(&info->params[i]);
    }
    if (lg_loss_param_count(info) > 0)
        putchar('\n');
    print_options(info);
    for (size_t i = 0; i < LG_LOSS_MAX_ALIASES && info->aliases[i].name; i++) {
        printf("%s`%s`", i ? ", " : "- also called: ", info->aliases[i].name);
        if (info->aliases[i].presets)
            printf(" (%s)", info->aliases[i].presets);
    }
    if (info->aliases[0].name)
        putchar('\n');
    printf("- same as: %s\n", info->reference);
}

int main(void)
{
    const char *family = "";
    puts("# The losses\n\n"
         "Made from the library's own table by `make docs`. Names and aliases are what `--loss` takes, parameters what\n"
         "`--loss-param name=value` takes; in C each loss is `lg_<name>`, documented in the header of its family under\n"
         "`src/losses/`. Reduction, sample weights and losses of your own: `src/losses/loss.h`.");
    for (size_t i = 0; i < lg_loss_count(); i++) {
        const lg_loss_info *info = lg_loss_at(i);
        if (strcmp(info->family, family) != 0)
            printf("\n## %s\n", info->family);
        family = info->family;
        print_loss(info);
    }
    return ferror(stdout) || fflush(stdout) != 0;
}

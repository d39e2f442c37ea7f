/* Float against double, over the table of losses (loss_values.h). */
#include "loss_values.h"

#include "loss_trial.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An array of numbers of one call: the losses of the units (input -1), or a gradient. */
typedef void visit_numbers(void *context, const lg_loss_info *info, bool extreme, int input, size_t count,
                           const lg_real *values);

/* Scores 64 times as large; probabilities within 1e-5 of 0 and 1. */
static void make_extreme(loss_trial *trial)
{
    const bool logits = lg_loss_get(&trial->spec, "from_logits") == 1;
    for (size_t n = 0; n < trial->count; n++) {
        const lg_loss_domain domain = trial->spec.info->inputs[n].domain;
        lg_real *x = trial->inputs[n] && lg_tensor_dtype(trial->inputs[n]) == LG_REAL ? lg_tensor_data(trial->inputs[n])
                                                                                      : NULL;
        const bool score = domain == LG_ANY_REAL || (logits && domain <= LG_LOGIT_OR_CLASS_PROBABILITIES);
        for (size_t i = 0; x && i < lg_tensor_size(trial->inputs[n]); i++) {
            if (score && n == 0)
                x[i] = 64 * x[i]; /* a power of 2: the same in both precisions */
            else if (!score && domain <= LG_LOGIT_OR_CLASS_PROBABILITIES)
                x[i] = (lg_real)(i % 2 ? 1 - 0x1p-17 * (double)(1 + i % 5) : 0x1p-17 * (double)(1 + i % 5));
        }
    }
}

static void visit_call(loss_trial *trial, bool extreme, visit_numbers *visit, void *context)
{
    lg_tape *tape = lg_tape_new();
    trial->options.reduction = LG_REDUCE_NONE;
    lg_tensor *loss = loss_trial_apply(tape, trial);
    if (loss) { /* scaled inputs may have left the domain of a loss of whole batches */
        visit(context, trial->spec.info, extreme, -1, lg_tensor_size(loss), lg_tensor_data(loss));
        lg_tensor *ones = lg_tensor_full(lg_tensor_rank(loss), lg_tensor_dims(loss), 1);
        for (size_t n = 0; n < trial->count; n++)
            lg_tensor_zero_grad(trial->inputs[n]);
        if (lg_backward_from(tape, loss, ones) == LG_OK)
            for (size_t n = 0; n < trial->count; n++)
                if (lg_tensor_requires_grad(trial->inputs[n]))
                    visit(context, trial->spec.info, extreme, (int)n, lg_tensor_size(trial->inputs[n]),
                          lg_tensor_grad(trial->inputs[n]));
        lg_tensor_free(ones);
    }
    lg_error_clear();
    lg_tape_free(tape);
}

/* The builders of the calls assert, which Check allows only in a test: this one, run here and now. */
static visit_numbers *visitor;
static void *visitor_context;

START_TEST(every_call)
{
    visit_numbers *visit = visitor;
    void *context = visitor_context;
    for (size_t loss = 0; loss < lg_loss_count(); loss++) {
        const lg_loss_info *info = lg_loss_at(loss);
        lg_rng rng = lg_rng_seed(loss + 1000);
        for (size_t variant = 0; variant < 4 * loss_variants(info); variant++) {
            loss_trial trial;
            if (loss_trial_make(&trial, info, variant, &rng)) {
                visit_call(&trial, false, visit, context);
                make_extreme(&trial);
                visit_call(&trial, true, visit, context);
            }
            lg_error_clear();
            loss_trial_free(&trial);
        }
    }
}
END_TEST

static bool visit_all(visit_numbers *visit, void *context)
{
    visitor = visit;
    visitor_context = context;
    Suite *suite = suite_create("loss_values");
    TCase *calls = tcase_create("calls");
    tcase_add_test(calls, every_call);
    suite_add_tcase(suite, calls);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    const bool finished = srunner_ntests_failed(runner) == 0;
    srunner_free(runner);
    return finished;
}

/* ------------------------------------------------------------------ writing */

static void write_numbers(void *context, const lg_loss_info *info, bool extreme, int input, size_t count,
                          const lg_real *values)
{
    FILE *file = context;
    fprintf(file, "%s %d %d %zu", info->name, extreme, input, count);
    for (size_t i = 0; i < count; i++)
        fprintf(file, " %a", (double)values[i]);
    fputc('\n', file);
}

int write_loss_values(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return EXIT_FAILURE;
    }
    const bool finished = visit_all(write_numbers, file);
    return fclose(file) == 0 && finished ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---------------------------------------------------------------- comparing */

typedef struct errors {
    FILE *file;
    double worst[256][2][2]; /* by loss, extreme, gradient */
    size_t lines, out_of_step;
} errors;

static size_t index_of(const lg_loss_info *info)
{
    size_t i = 0;
    while (lg_loss_at(i) != info)
        i++;
    return i;
}

/* Relative errors, of numbers that are not below a thousandth of the largest beside them. */
static double worst_error(size_t count, const lg_real *values, const double *exact)
{
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(exact[i]))
            largest = fmax(largest, fabs(exact[i]));
    for (size_t i = 0; i < count; i++) {
        const double value = (double)values[i], scale = fmax(fabs(exact[i]), 1e-3 * largest);
        if (value == exact[i] || (isnan(value) && isnan(exact[i])) || scale < 0x1p-120)
            continue;
        const double error = fabs(value - exact[i]) / scale;
        worst = isnan(error) || error > worst ? error : worst;
        if (isnan(error))
            return INFINITY;
    }
    return worst;
}

static void compare_numbers(void *context, const lg_loss_info *info, bool extreme, int input, size_t count,
                            const lg_real *values)
{
    errors *e = context;
    char name[128];
    int is_extreme, of_input;
    size_t n;
    e->lines++;
    if (fscanf(e->file, "%127s %d %d %zu", name, &is_extreme, &of_input, &n) != 4 || strcmp(name, info->name) != 0 ||
        is_extreme != extreme || of_input != input || n != count) {
        e->out_of_step++;
        return;
    }
    double *exact = malloc((n + 1) * sizeof *exact);
    for (size_t i = 0; i < n; i++)
        if (fscanf(e->file, "%la", &exact[i]) != 1)
            e->out_of_step++;
    double *worst = &e->worst[index_of(info)][extreme][input >= 0];
    *worst = fmax(*worst, worst_error(n, values, exact));
    free(exact);
}

int print_loss_accuracy(const char *path)
{
    static errors e;
    e.file = fopen(path, "r");
    if (!e.file) {
        perror(path);
        return EXIT_FAILURE;
    }
    const bool finished = visit_all(compare_numbers, &e);
    fclose(e.file);
    printf("Largest relative error of float against double, over random calls of every loss.\n"
           "Extreme: scores 64 times as large, probabilities within 1e-4 of 0 and 1.\n\n"
           "%-40s %11s %11s %11s %11s\n",
           "", "value", "gradient", "extreme", "gradient");
    for (size_t i = 0; i < lg_loss_count(); i++) {
        printf("%-40s", lg_loss_at(i)->name);
        for (int k = 0; k < 4; k++)
            printf(" %10.1e%c", e.worst[i][k / 2][k % 2], e.worst[i][k / 2][k % 2] > 1e-5 ? '*' : ' ');
        putchar('\n');
    }
    printf("\n* beyond 1e-5: where a gradient is the difference of nearly equal terms, as p - y at a soft label y near p.\n"
           "Numbers below a thousandth of the largest in their array are measured against that thousandth.\n");
    if (!finished || e.lines == 0 || e.out_of_step > 0) {
        fprintf(stderr, "%zu of %zu lines of %s do not belong to these calls\n", e.out_of_step, e.lines, path);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

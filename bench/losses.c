/* Every loss of the table by itself: nanoseconds per element of its first input, forward and backward together, and
 * forward alone where no gradient is wanted, beside a plain copy of all its inputs in the same round. One thread;
 * medians of 11 rounds, the three taking turns, after one to warm up.
 *
 *     build/bench/losses              all
 *     build/bench/losses mse ctc      these, by name or alias */
#include <luge.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ELEMENTS = 1000000, ROW = 1000, OWN_WIDTH = 20, ROUNDS = 11 };

typedef struct bench_case {
    lg_loss_spec spec;
    const char *parameters;
    size_t count;
    bool present[LG_LOSS_MAX_INPUTS], real[LG_LOSS_MAX_INPUTS];
    size_t rank[LG_LOSS_MAX_INPUTS], dims[LG_LOSS_MAX_INPUTS][LG_MAX_RANK];
    void *values[LG_LOSS_MAX_INPUTS];
    size_t size[LG_LOSS_MAX_INPUTS];
} bench_case;

/* ------------------------------------------------------------------ shapes */

static void give(bench_case *c, size_t input, size_t rank, const size_t *dims)
{
    c->present[input] = true;
    c->rank[input] = rank;
    memcpy(c->dims[input], dims, rank * sizeof *dims);
    c->count = input + 1 > c->count ? input + 1 : c->count;
}

/* Losses of whole batches, each with shapes of its own: where rank is 0 the input is not given. */
static const struct {
    const char *loss;
    struct {
        size_t rank, dims[LG_MAX_RANK];
    } input[LG_LOSS_MAX_INPUTS];
} batches[] = {
    { "circle", { { 2, { 512, 128 } }, { 1, { 512 } } } },
    { "ctc", { { 3, { 32, 150, 64 } }, { 2, { 32, 20 } }, { 1, { 32 } }, { 1, { 32 } } } },
    { "ctc_simplified", { { 3, { 32, 150, 64 } }, { 2, { 32, 20 } }, { 1, { 32 } }, { 1, { 32 } } } },
    { "deep_svdd", { { 2, { 10000, 100 } }, { 1, { 100 } } } },
    { "dice", { { 4, { 16, 250, 250, 1 } }, { 4, { 16, 250, 250, 1 } } } },
    { "gan_discriminator", { { 1, { ELEMENTS } }, { 1, { ELEMENTS } } } },
    { "gaussian_nll", { { 1, { ELEMENTS } }, { 1, { ELEMENTS } }, { 1, { ELEMENTS } } } },
    { "one_class_svm", { { 1, { ELEMENTS } }, { 1, { 1 } }, { 1, { 64 } } } },
    { "quantile", { { 1, { ELEMENTS } }, { 1, { ELEMENTS } } } },
    { "svm", { { 1, { ELEMENTS } }, { 1, { 100 } }, { 1, { ELEMENTS } } } },
    { "triplet_from_distance", { { 1, { ELEMENTS } }, { 1, { ELEMENTS } } } },
    { "tversky", { { 4, { 16, 250, 250, 1 } }, { 4, { 16, 250, 250, 1 } } } },
};

static bool shape_batch(bench_case *c)
{
    for (size_t k = 0; k < sizeof batches / sizeof batches[0]; k++) {
        if (strcmp(batches[k].loss, c->spec.info->name) != 0)
            continue;
        for (size_t i = 0; i < lg_loss_input_count(c->spec.info); i++)
            if (batches[k].input[i].rank)
                give(c, i, batches[k].input[i].rank, batches[k].input[i].dims);
        c->count = lg_loss_input_count(c->spec.info);
        return true;
    }
    return false;
}

/* [ELEMENTS], or rows of ROW values (fewer where the loss takes no more), and what belongs to them. */
static void shape_units(bench_case *c)
{
    const lg_loss_info *info = c->spec.info;
    const bool element = info->units == LG_UNIT_ELEMENT;
    const size_t width = element ? 1 : info->most_width && info->most_width < ROW ? info->most_width : ROW;
    const size_t units = ELEMENTS / width;
    for (size_t i = 0; i < lg_loss_input_count(info); i++) {
        const lg_loss_layout layout = i == 0 ? LG_LIKE_PREDICTION : info->inputs[i].layout;
        if (layout == LG_WHOLE)
            give(c, i, LG_SHAPE(width));
        else if (layout == LG_OWN_WIDTH)
            give(c, i, LG_SHAPE(units, OWN_WIDTH));
        else if (layout == LG_PER_UNIT || element)
            give(c, i, LG_SHAPE(units));
        else
            give(c, i, LG_SHAPE(units, width));
    }
}

/* ------------------------------------------------------------------ values */

static double parameter(const bench_case *c, const char *name)
{
    const double value = lg_loss_get(&c->spec, name);
    return isnan(value) ? 0 : value;
}

static double random_value(const bench_case *c, size_t input, lg_loss_domain domain, lg_rng *rng)
{
    const double u = lg_rng_uniform(rng);
    if (strcmp(c->spec.info->name, "ctc_simplified") == 0 || (strcmp(c->spec.info->name, "vae") == 0 && input < 2))
        domain = LG_PROBABILITY; /* known to their own functions only */
    switch (domain) {
    case LG_LOGIT_OR_PROBABILITY:
    case LG_LOGIT_OR_CLASS_PROBABILITIES:
        return parameter(c, "from_logits") != 0 ? 2 * lg_rng_normal(rng) : 0.05 + 0.9 * u;
    case LG_PROBABILITY:
        return 0.05 + 0.9 * u;
    case LG_UNIT_INTERVAL:
    case LG_ZERO_OR_ONE:
        return u < 0.5;
    case LG_NON_NEGATIVE:
        return 0.1 + 2 * u;
    case LG_PLUS_MINUS_ONE:
    case LG_BINARY_LABEL:
        return u < 0.5 ? -1 : 1;
    case LG_ANY_REAL:
    case LG_CLASS_INDEX:
    case LG_ANY_INDEX:
        break;
    }
    return 1.5 * lg_rng_normal(rng);
}

/* Classes; lengths of sequences are those of the shapes, where 0 is left to the blank; lists of classes end after two. */
static int32_t random_index(const bench_case *c, size_t input, size_t k, lg_rng *rng)
{
    const size_t *dims = c->dims[0];
    if (strcmp(c->spec.info->name, "multilabel_margin") == 0 && k % dims[1] == 2)
        return -1;
    if (strncmp(c->spec.info->name, "ctc", 3) == 0)
        return input == 1 ? 1 + (int32_t)lg_rng_below(rng, dims[2] - 1) : (int32_t)(input == 2 ? dims[1] : c->dims[1][1]);
    return (int32_t)lg_rng_below(rng, c->rank[0] > 1 ? dims[1] : 10);
}

/* Boxes are corners: the second beyond the first. */
static void order_corners(bench_case *c)
{
    for (size_t i = 0; i < c->count; i++) {
        lg_real *box = c->values[i];
        for (size_t k = 0; k + 4 <= c->size[i]; k += 4) {
            box[k + 2] = box[k] + (lg_real)fabs((double)box[k + 2]) + (lg_real)0.1;
            box[k + 3] = box[k + 1] + (lg_real)fabs((double)box[k + 3]) + (lg_real)0.1;
        }
    }
}

/* Rows of length 1, as circle wants its embeddings. */
static void normalise_rows(bench_case *c)
{
    lg_real *x = c->values[0];
    const size_t width = c->dims[0][1];
    for (size_t i = 0; i < c->size[0]; i += width) {
        double square = 0;
        for (size_t k = 0; k < width; k++)
            square += (double)x[i + k] * (double)x[i + k];
        for (size_t k = 0; k < width; k++)
            x[i + k] = (lg_real)((double)x[i + k] / sqrt(square));
    }
}

static void fill(bench_case *c)
{
    const lg_loss_info *info = c->spec.info;
    lg_rng rng = lg_rng_seed(1);
    for (size_t i = 0; i < c->count; i++) {
        if (!c->present[i])
            continue;
        const lg_loss_domain domain = info->domain_of ? info->domain_of(i, c->spec.params) : info->inputs[i].domain;
        c->real[i] = domain != LG_CLASS_INDEX && domain != LG_ANY_INDEX;
        c->size[i] = 1;
        for (size_t k = 0; k < c->rank[i]; k++)
            c->size[i] *= c->dims[i][k];
        c->values[i] = malloc(c->size[i] * (c->real[i] ? sizeof(lg_real) : sizeof(int32_t)));
        if (!c->values[i])
            exit(1);
        for (size_t k = 0; k < c->size[i]; k++) {
            if (c->real[i])
                ((lg_real *)c->values[i])[k] = (lg_real)random_value(c, i, domain, &rng);
            else
                ((int32_t *)c->values[i])[k] = random_index(c, i, k, &rng);
        }
    }
    if (strcmp(info->family, "boxes") == 0)
        order_corners(c);
    if (strcmp(info->name, "circle") == 0)
        normalise_rows(c);
}

/* ------------------------------------------------------------------ timing */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds of the loss and, with gradients, its backward; -1 when it fails. The inputs are on the tape before; all that
 * can be differentiated are, but for targets, which are data. */
static double time_loss(const bench_case *c, lg_tape *tape, bool gradients)
{
    lg_tensor *inputs[LG_LOSS_MAX_INPUTS] = { NULL };
    lg_tape_reset(tape);
    lg_tape_set_gradients(tape, gradients);
    for (size_t i = 0; i < c->count; i++) {
        if (!c->present[i])
            continue;
        if (!c->real[i])
            inputs[i] = lg_view_indices(tape, c->rank[i], c->dims[i], c->values[i]);
        else if (c->spec.info->inputs[i].differentiable && strcmp(c->spec.info->inputs[i].name, "target") != 0)
            inputs[i] = lg_variable(tape, c->rank[i], c->dims[i], c->values[i]);
        else
            inputs[i] = lg_view(tape, c->rank[i], c->dims[i], c->values[i]);
    }
    const double start = seconds();
    lg_tensor *loss = lg_loss_apply(tape, &c->spec, inputs, NULL);
    if (!loss || (gradients && lg_backward(tape, loss) != LG_OK))
        return -1;
    return seconds() - start;
}

static double time_copy(const bench_case *c, char *room)
{
    const double start = seconds();
    for (size_t i = 0; i < c->count; i++)
        if (c->present[i])
            memcpy(room, c->values[i], c->size[i] * (c->real[i] ? sizeof(lg_real) : sizeof(int32_t)));
    const double taken = seconds() - start;
    return room[0] == 1 ? taken + 1e-15 : taken; /* the copy is used */
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double times[ROUNDS])
{
    qsort(times, ROUNDS, sizeof *times, ascending);
    return times[ROUNDS / 2];
}

static bool run(bench_case *c)
{
    double training[ROUNDS], evaluation[ROUNDS], copy[ROUNDS];
    size_t most = 0;
    for (size_t i = 0; i < c->count; i++)
        most = c->size[i] > most ? c->size[i] : most;
    char *room = malloc(most * sizeof(lg_real));
    lg_tape *tape = lg_tape_new();
    bool fine = room && tape;
    for (int round = -1; fine && round < ROUNDS; round++) {
        const int k = round < 0 ? 0 : round;
        training[k] = time_loss(c, tape, true);
        evaluation[k] = time_loss(c, tape, false);
        copy[k] = time_copy(c, room);
        fine = training[k] >= 0 && evaluation[k] >= 0;
    }
    if (fine) {
        char shape[64];
        lg_tensor *prediction = lg_view(tape, c->rank[0], c->dims[0], c->values[0]);
        const double scale = 1e9 / (double)c->size[0], with = median(training) * scale, plain = median(copy) * scale;
        printf("%-38s %-17s %-17s %8.2f %8.2f %8.2f %8.1f\n", c->spec.info->name, c->parameters ? c->parameters : "",
               lg_tensor_shape_text(prediction, shape, sizeof shape), with, median(evaluation) * scale, plain, with / plain);
    } else {
        fprintf(stderr, "bench-losses: %s\n", lg_error());
    }
    lg_tape_free(tape);
    free(room);
    return fine;
}

/* `parameters` as of --loss-param, or NULL. */
static bool bench(const char *name, const char *parameters)
{
    bench_case c = { .count = 0, .parameters = parameters };
    if (lg_loss_find(name, &c.spec) != LG_OK || (parameters && lg_loss_set(&c.spec, parameters) != LG_OK)) {
        fprintf(stderr, "bench-losses: %s\n", lg_error());
        return false;
    }
    if (c.spec.info->units != LG_UNIT_BATCH) {
        shape_units(&c);
    } else if (!shape_batch(&c)) {
        fprintf(stderr, "bench-losses: %s: bench/losses.c has no shapes for it\n", name);
        return false;
    }
    fill(&c);
    const bool fine = run(&c);
    for (size_t i = 0; i < c.count; i++)
        free(c.values[i]);
    return fine;
}

int main(int argc, char **argv)
{
    bool fine = true;
    printf("ns per element               %s\n", LG_REAL_BITS == 64 ? "double" : "float");
    printf("%-38s %-17s %-17s %8s %8s %8s %8s\n", "loss", "parameters", "first input", "training", "value", "copy", "ratio");
    for (int i = 1; i < argc; i++)
        fine &= bench(argv[i], NULL);
    for (size_t i = 0; argc == 1 && i < lg_loss_count(); i++) {
        lg_loss_spec spec;
        fine &= bench(lg_loss_at(i)->name, NULL) && lg_loss_find(lg_loss_at(i)->name, &spec) == LG_OK;
        if (lg_loss_get(&spec, "from_logits") == 0)
            fine &= bench(lg_loss_at(i)->name, "from_logits=true");
        fflush(stdout);
    }
    return !fine;
}

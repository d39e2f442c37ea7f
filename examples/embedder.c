#include "embedder.h"
#include "embedded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- data */

/* Mean and deviation of all inputs of some rows together, as a scaler that has them for each input. */
static lg_scaler *fit_common_scale(const lg_dataset *all, const size_t *ids, size_t rows)
{
    const size_t width = lg_dataset_features(all);
    const lg_real *x = lg_dataset_values(all, "x");
    double *means = calloc(2 * width, sizeof *means), mean = 0, squares = 0;
    lg_scaler *scaler = NULL;
    if (!means)
        lg_fail(LG_E_MEMORY, "out of memory for a scale of %zu inputs", width);
    else if (!x)
        lg_fail(LG_E_PARAM, "the rows are not in memory");
    else {
        const double count = (double)rows * (double)width;
        for (size_t i = 0; i < rows; i++)
            for (size_t k = 0; k < width; k++)
                mean += (double)x[ids[i] * width + k] / count;
        for (size_t i = 0; i < rows; i++)
            for (size_t k = 0; k < width; k++) {
                const double difference = (double)x[ids[i] * width + k] - mean;
                squares += difference * difference / count;
            }
        for (size_t k = 0; k < width; k++) {
            means[k] = mean;
            means[width + k] = squares > 0 ? sqrt(squares) : 1;
        }
        scaler = lg_scaler_from(width, means, means + width);
    }
    free(means);
    return scaler;
}

/* Pairs need two classes, one of them of two rows; triplets two classes of two rows. */
static lg_status check_part(const trainer_data *data, const char *name, const char *option, const size_t *ids, size_t rows)
{
    const size_t classes = lg_dataset_classes(data->all);
    size_t *count = calloc(classes, sizeof *count), good = 0;
    int32_t *labels = count ? calloc(rows, sizeof *labels) : NULL;
    lg_status status = labels ? lg_dataset_labels(data->all, ids, rows, labels)
                              : lg_fail(LG_E_MEMORY, "out of memory for %zu labels", rows);
    for (size_t i = 0; i < rows && status == LG_OK; i++)
        good += ++count[labels[i]] == 2;
    if (status == LG_OK && good < 2)
        status = lg_fail(LG_E_PARAM, "the %s part has %zu classes of two rows or more, but two are needed: the data has "
                                     "%zu classes; %s shares them out", name, good, classes, option);
    free(labels);
    free(count);
    return status;
}

static lg_split *split_classes(const lg_dataset *all, const trainer_options *shared)
{
    const size_t rows = lg_dataset_rows(all);
    lg_rng rng = trainer_rng(shared, TRAINER_SPLIT);
    lg_split *split = NULL;
    int32_t *labels = calloc(rows, sizeof *labels);
    if (!labels)
        lg_fail(LG_E_MEMORY, "out of memory for %zu labels", rows);
    else if (lg_dataset_labels(all, NULL, 0, labels) == LG_OK)
        split = lg_split_by_class(rows, labels, lg_dataset_classes(all), shared->validation_split, shared->test_split,
                                  &rng);
    free(labels);
    return split;
}

lg_status embedder_read(trainer_data *data, const trainer_options *shared, const embedder_options *options,
                        loaded_model *loaded)
{
    /* The columns of a loaded model, but classes of their own. */
    const lg_csv_options csv = { .target_kind = LG_CLASSES, .like = loaded ? loaded_like(loaded, false) : NULL };
    if (loaded && !csv.like)
        return lg_error_code();
    lg_dataset *all = shared->data ? trainer_read(shared, csv)
                                   : embedded_read("digits.csv.gz", &(lg_csv_options){ .target = "-1",
                                                                                       .target_kind = LG_CLASSES });
    lg_status status = trainer_split_as(data, shared, all, all ? split_classes(all, shared) : NULL);
    if (status != LG_OK)
        return status;
    const lg_split *split = data->split;
    status = check_part(data, "training", "--validation-split and --test-split", split->train, split->train_rows);
    if (status == LG_OK)
        status = check_part(data, "validation", "--validation-split", split->validation, split->validation_rows);
    if (status == LG_OK)
        status = check_part(data, "test", "--test-split", split->test, split->test_rows);
    if (status != LG_OK)
        return status;
    if (loaded)
        return loaded_scale(loaded, data);
    if (options->scale == EMBEDDER_SCALE_EACH)
        return trainer_scale(data);
    data->scaler = fit_common_scale(data->all, split->train, split->train_rows);
    return data->scaler ? lg_scaler_apply(data->scaler, data->all) : lg_error_code();
}

static lg_status print_part(const char *name, const trainer_data *data, const lg_dataset *part)
{
    enum { NAMES_WIDTH = 60 };
    const size_t rows = lg_dataset_rows(part), classes = lg_dataset_classes(data->all);
    size_t present = 0;
    int32_t *labels = calloc(rows + classes, sizeof *labels), *seen = labels + rows;
    if (!labels)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu labels", rows);
    lg_status status = lg_dataset_labels(part, NULL, 0, labels);
    char names[NAMES_WIDTH] = "";
    for (size_t i = 0; i < rows && status == LG_OK; i++)
        present += seen[labels[i]]++ == 0;
    for (size_t c = 0, used = 0; c < classes && status == LG_OK; c++) {
        const char *class_name = lg_dataset_class_name(data->all, c);
        const size_t length = strlen(class_name);
        if (!seen[c] || used > NAMES_WIDTH - 6)
            continue;
        const bool fits = used + length + 6 < NAMES_WIDTH;
        used += (size_t)snprintf(names + used, NAMES_WIDTH - used, " %s", fits ? class_name : "...");
        used += fits ? 0 : NAMES_WIDTH;
    }
    if (status == LG_OK)
        printf("  %-12s %10zu %10zu %s\n", name, rows, present, names);
    free(labels);
    return status;
}

lg_status embedder_print_data(const trainer_options *shared, const trainer_data *data)
{
    printf("Data: %s, %zu rows, %zu features, %zu classes, none of them in two parts\n",
           shared->data ? shared->data : "embedded digits", lg_dataset_rows(data->all), lg_dataset_features(data->all),
           lg_dataset_classes(data->all));
    printf("  %-12s %10s %10s\n", "part", "rows", "classes");
    lg_status status = print_part("training", data, data->train);
    if (status == LG_OK)
        status = print_part("validation", data, data->validation);
    if (status == LG_OK)
        status = print_part("test", data, data->test);
    printf("\n");
    return status;
}

/* ----------------------------------------------------------------- network */

lg_status embedder_build(embedder *e, lg_rng *rng)
{
    e->params = lg_params_new();
    e->net = lg_sequential_new(e->params, LG_SHAPE(e->inputs));
    hidden_add(&e->hidden, e->net, LG_TANH, rng);
    return lg_sequential_dense(e->net, e->width, e->tanh_output ? LG_TANH : LG_LINEAR, rng);
}

lg_status embedder_new(embedder *e, const embedder_options *options, const lg_scaler *scaler, lg_rng rng)
{
    *e = (embedder){ .inputs = lg_scaler_features(scaler),
                     .width = options->width,
                     .hidden = options->hidden,
                     .normalize = options->normalize,
                     .tanh_output = options->tanh_output };
    e->scaler = lg_scaler_from(e->inputs, lg_scaler_means(scaler), lg_scaler_deviations(scaler));
    return e->scaler ? embedder_build(e, &rng) : lg_error_code();
}

void embedder_free(embedder *e)
{
    lg_scaler_free(e->scaler);
    lg_params_free(e->params);
    *e = (embedder){ 0 };
}

void embedder_note(run *r, const embedder *e)
{
    run_note_counts(r, "arguments.hidden", e->hidden.count, e->hidden.width);
    run_note_count(r, "arguments.embedding", e->width);
    run_note_flag(r, "arguments.normalize", e->normalize);
    run_note_flag(r, "arguments.tanh_output", e->tanh_output);
}

lg_tensor *embedder_apply(lg_tape *tape, const embedder *e, lg_tensor *x)
{
    lg_tensor *v = lg_sequential_apply(tape, e->net, x); /* [batch, width] */
    if (!e->normalize)
        return v;
    lg_tensor *squares = lg_sum_axis(tape, lg_square(tape, v), -1, true); /* [batch, 1] */
    return lg_div(tape, v, lg_sqrt(tape, lg_add_scalar(tape, squares, 1e-12)));
}

lg_tensor *embedder_outputs(lg_tape *tape, const lg_batch *batch, void *e)
{
    return embedder_apply(tape, e, lg_batch_x(tape, batch));
}

lg_tensor *embedder_rows(embedder *e, const lg_dataset *dataset)
{
    return lg_predict(embedder_outputs, e, dataset, &(lg_fit_options){ .batch_size = EMBEDDER_BATCH });
}

double embedder_distance(const lg_real *u, const lg_real *v, size_t width)
{
    double sum = 0;
    for (size_t k = 0; k < width; k++)
        sum += ((double)u[k] - (double)v[k]) * ((double)u[k] - (double)v[k]);
    return sqrt(sum);
}

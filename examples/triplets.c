#include "triplets.h"
#include "embedder_steps.h"

#include <math.h>
#include <stdlib.h>

#define STREAM_BATCHES TRAINER_OWN
#define STREAM_TRIPLETS (TRAINER_OWN + 60)
#define VALIDATION_BATCHES 20

/* ----------------------------------------------------------------- options */

error_t triplet_parse(int key, char *arg, struct argp_state *state, triplet_options *options)
{
    const argument_range margin = { 0, INFINITY, true, true };
    switch (key) {
    case TRIPLET_KEY_MINING: options->mining = argument_choice(state, "--mining", arg, "random|semi-hard"); break;
    case TRIPLET_KEY_DISTANCE: options->distance = argument_choice(state, "--distance", arg, "squared|plain"); break;
    case TRIPLET_KEY_MARGIN: options->margin = argument_real(state, "--margin", arg, margin); break;
    case TRIPLET_KEY_CLASSES: options->classes = argument_count(state, "--batch-classes", arg, 2, 10000); break;
    case TRIPLET_KEY_ROWS: options->rows_per_class = argument_count(state, "--batch-rows", arg, 2, 10000); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void triplet_note(run *r, const triplet_options *options)
{
    run_note_text(r, "arguments.mining", options->mining == LG_MINE_RANDOM ? "random" : "semi-hard");
    run_note_text(r, "arguments.distance", options->distance ? "plain" : "squared");
    run_note_number(r, "arguments.margin", options->margin);
    run_note_count(r, "arguments.batch_classes", options->classes);
    run_note_count(r, "arguments.batch_rows", options->rows_per_class);
}

/* ------------------------------------------------------------------- model */

/* As many batches an epoch as make up the part's rows. */
static lg_draw *draw_batches(const triplet_model *m, const trainer_data *data, const size_t *ids, size_t rows,
                             size_t batches, trainer_stream stream)
{
    const triplet_options *o = m->options;
    const lg_rng rng = trainer_rng(m->shared, stream);
    if (batches == 0)
        batches = 1 + rows / (o->classes * o->rows_per_class);
    return lg_draw_classes(data->all, ids, rows, batches, o->classes, o->rows_per_class, &rng);
}

lg_status triplet_model_new(triplet_model *m, trainer_data *data, const trainer *about, const trainer_options *shared,
                            const embedder_options *network, const triplet_options *options)
{
    *m = (triplet_model){ .shared = shared, .options = options };
    lg_status status = embedder_prepare(&m->net, data, about, shared, network);
    if (status != LG_OK)
        return status;
    const lg_split *split = data->split;
    m->optimizer = trainer_optimizer(shared, m->net.params);
    m->train = draw_batches(m, data, split->train, split->train_rows, 0, STREAM_BATCHES);
    m->validation = draw_batches(m, data, split->validation, split->validation_rows, VALIDATION_BATCHES,
                                 STREAM_BATCHES + 1);
    if (!m->optimizer || !m->train || !m->validation)
        return lg_error_code();
    const size_t of_train = lg_draw_batch_rows(m->train), of_validation = lg_draw_batch_rows(m->validation);
    const size_t most = of_train > of_validation ? of_train : of_validation;
    m->distance = calloc(most, most * sizeof *m->distance); /* at most 10^8 rows: no overflow */
    return m->distance ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for batches of %zu rows", most);
}

void triplet_model_free(triplet_model *m)
{
    lg_draw_free(m->train);
    lg_draw_free(m->validation);
    lg_optimizer_free(m->optimizer);
    embedder_free(&m->net);
    free(m->distance);
}

static lg_distance distance_of(const triplet_model *m)
{
    return m->options->distance ? LG_DISTANCE_EUCLIDEAN : LG_DISTANCE_SQEUCLIDEAN;
}

/* Reports the share of all triplets of the batch in which the anchor is nearer to the positive than to the negative. */
static void report_order(lg_tape *tape, const triplet_model *m, lg_tensor *embeddings, lg_tensor *labels)
{
    const size_t n = lg_tensor_dim(embeddings, 0), width = lg_tensor_dim(embeddings, 1);
    const lg_real *e = lg_tensor_data(embeddings);
    const int32_t *y = lg_tensor_indices(labels);
    double right = 0, all = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k <= i; k++)
            m->distance[i * n + k] = m->distance[k * n + i] = embedder_distance(e + i * width, e + k * width, width);
    for (size_t a = 0; a < n; a++)
        for (size_t p = 0; p < n; p++)
            for (size_t k = 0; k < n && p != a && y[p] == y[a]; k++)
                if (y[k] != y[a]) {
                    right += m->distance[a * n + p] < m->distance[a * n + k];
                    all++;
                }
    lg_report(tape, "accuracy", all > 0 ? right / all : 0, all);
}

/* One batch: its triplets are mined, and the loss taken. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const triplet_model *m = model;
    lg_tensor *e = embedder_apply(tape, &m->net, lg_batch_x(tape, batch)); /* [batch, embedding] */
    lg_tensor *y = lg_batch_y(tape, batch);                                /* [batch] */
    if (e && y)
        report_order(tape, m, e, y);
    return lg_triplet_mined(tape, e, y, (lg_mining)m->options->mining, m->options->margin,
                            distance_of(m), NULL);
}

/* lg_fit calls this after each epoch: other batches for the next. Those of validation stay. */
static lg_status draw_the_next(size_t epoch, const lg_history *history, void *context)
{
    triplet_model *m = context;
    (void)history;
    return lg_draw_epoch(m->train, epoch);
}

lg_status triplet_fit(triplet_model *m, run *r, lg_history **history, const char *title)
{
    lg_fit_options options = trainer_fit_options(m->shared, lg_draw_dataset(m->validation), r);
    options.batch_size = lg_draw_batch_rows(m->train);
    options.no_shuffle = true; /* batches are rows one after the other */
    options.callback = draw_the_next;
    options.context = m;
    *history = lg_fit(step, m, m->optimizer, lg_draw_dataset(m->train), &options);
    if (!*history)
        return lg_error_code();
    return trainer_note_history(r, *history, title);
}

/* ---------------------------------------------------------------- predictions */

/* rows[3][count]: an anchor and a positive from pairs of one class, and any row of another. */
static lg_status draw_triplets(const trainer_data *data, const size_t *ids, size_t id_count, size_t count, lg_rng rng,
                               int32_t *rows)
{
    lg_draw *draw = lg_draw_pairs(data->all, ids, id_count, count, 1, &rng);
    lg_batch *batch = draw ? lg_batch_new(lg_draw_dataset(draw), 1) : NULL;
    int32_t *labels = batch ? calloc(lg_dataset_rows(data->all), sizeof *labels) : NULL;
    lg_status status = batch ? LG_OK : lg_error_code();
    if (status == LG_OK)
        status = labels ? lg_dataset_labels(data->all, NULL, 0, labels) : lg_fail(LG_E_MEMORY, "out of memory");
    rng = lg_rng_split(&rng, 1);
    for (size_t i = 0; i < count && status == LG_OK; i++) {
        status = lg_batch_fill(batch, &i, 1);
        if (status != LG_OK)
            break;
        rows[i] = lg_batch_indices(batch, "row_a")[0];
        rows[count + i] = lg_batch_indices(batch, "row_b")[0];
        do /* every part has two classes */
            rows[2 * count + i] = (int32_t)ids[lg_rng_below(&rng, id_count)];
        while (labels[rows[2 * count + i]] == labels[rows[i]]);
    }
    free(labels);
    lg_batch_free(batch);
    lg_draw_free(draw);
    return status;
}

static void write_lines(FILE *stream, const char *part, size_t count, const int32_t *rows, const lg_real *e, size_t width,
                        bool squared, const lg_real *loss)
{
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    for (size_t i = 0; i < count; i++) {
        const lg_real *anchor = e + (size_t)rows[i] * width;
        double distance[2];
        for (size_t k = 0; k < 2; k++) {
            distance[k] = embedder_distance(anchor, e + (size_t)rows[(k + 1) * count + i] * width, width);
            distance[k] *= squared ? distance[k] : 1;
        }
        fprintf(stream, "%s,%d,%d,%d,%.*g,%.*g,%.*g\n", part, (int)rows[i], (int)rows[count + i],
                (int)rows[2 * count + i], digits, distance[0], digits, distance[1], digits, (double)loss[i]);
    }
}

static lg_status write_part(FILE *stream, const triplet_model *m, const trainer_data *data, const lg_tensor *embeddings,
                            const char *part, const size_t *ids, size_t id_count, size_t count, lg_rng rng)
{
    const size_t width = m->net.width;
    lg_tensor *table = (lg_tensor *)(uintptr_t)embeddings, *of[3];
    int32_t *rows = calloc(count, 3 * sizeof *rows);
    lg_tape *tape = rows ? lg_tape_new() : NULL;
    lg_status status = tape ? draw_triplets(data, ids, id_count, count, rng, rows)
                            : lg_fail(LG_E_MEMORY, "out of memory for %zu triplets", count);
    if (status == LG_OK) {
        for (size_t k = 0; k < 3; k++)
            of[k] = lg_gather_rows(tape, table, lg_view_indices(tape, LG_SHAPE(count), rows + k * count));
        lg_tensor *loss = lg_triplet_margin(tape, of[0], of[1], of[2], m->options->margin, distance_of(m), 2, false, false,
                                            &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
        if (loss)
            write_lines(stream, part, count, rows, lg_tensor_data(table), width, !m->options->distance,
                        lg_tensor_data(loss));
        status = loss ? LG_OK : lg_error_code();
    }
    lg_tape_free(tape);
    free(rows);
    return status;
}

lg_status triplets_write(run *r, const triplet_model *m, const trainer_data *data, const lg_tensor *embeddings,
                         size_t count)
{
    const lg_rng rng = trainer_rng(m->shared, STREAM_TRIPLETS);
    const lg_split *split = data->split;
    run_file file;
    lg_status status = run_file_begin(&file, r, "predictions.csv");
    if (status != LG_OK)
        return status;
    fputs("part,anchor,positive,negative,distance_positive,distance_negative,loss\n", file.stream);
    status = write_part(file.stream, m, data, embeddings, "validation", split->validation, split->validation_rows, count,
                        lg_rng_split(&rng, 1));
    if (status == LG_OK)
        status = write_part(file.stream, m, data, embeddings, "test", split->test, split->test_rows, count,
                            lg_rng_split(&rng, 2));
    if (status == LG_OK)
        return run_file_end(&file);
    run_file_discard(&file);
    return status;
}

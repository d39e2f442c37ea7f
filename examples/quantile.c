/* Quantile regression: not what is to be expected on average, but below which value the target stays with a given
 * probability; several such values by one model.
 *
 *     build/quantile                                          what households spend on food, by income (Engel 1857)
 *     build/quantile --quantiles 0.1,0.5,0.9 --hidden 16      curves instead of lines
 *     build/quantile --data cars.csv --target price --test-split 0.2
 *     build/quantile --load runs/quantile --predict new.csv   what a model that is there says of other rows
 *     build/quantile --load runs/quantile --data more.csv --target foodexp           goes on training it
 *
 * Minimises the mean pinball loss  max(tau u, (tau - 1) u),  u = target - prediction  (Koenker and Bassett 1978), by
 * Adam on standardised features and target. The loss has kinks and its slope does not fade towards the minimum, so the
 * steps have to: the learning rate goes down to 0 along a cosine. Scores and predictions are in the data's units. */
#include "embedded.h"
#include "prediction.h"
#include "quantile_file.h"
#include "quantile_report.h"
#include "trainer_steps.h"

typedef struct regression {
    table_model table; /* first: rows, parameters, optimizer */
    quantile_options options;
    target_scale scale; /* the network learns (y - centre) / unit */
    lg_sequential *net;
    lg_dense *last;     /* its last layer, with an output for each quantile */
} regression;

/* -------------------------------------------------------------------- data */

static lg_dataset *read_engel(void)
{
    return embedded_read("engel.csv", &(lg_csv_options){ .target = "foodexp" });
}

static lg_dataset *read_textbook(void)
{
    return embedded_read("quantile_textbook.csv.gz", &(lg_csv_options){ .target = "y" });
}

static lg_status read_data(regression *d)
{
    const quantile_options *options = &d->options;
    const lg_csv_options csv = { .target_kind = LG_VALUES };
    return table_read(&d->table, &options->shared, csv, options->textbook ? read_textbook : read_engel, options->folds,
                      !options->raw);
}

/* ------------------------------------------------------------------- model */

/* A column of outputs for each quantile. Lines start at zero, since their loss is convex: no start is better. What is
 * loaded starts as it was saved. */
static lg_status build_model(regression *d, size_t features)
{
    const quantile_options *options = &d->options;
    const hidden_layers *hidden = &options->hidden;
    const size_t width = hidden->count ? hidden->width[hidden->count - 1] : features;
    const lg_dense_options start = { .init = hidden->count ? LG_INIT_DEFAULT : LG_INIT_ZEROS };
    lg_rng rng = trainer_rng(&options->shared, TRAINER_WEIGHTS);
    d->table.params = lg_params_new();
    d->net = lg_sequential_new(d->table.params, LG_SHAPE(features));
    hidden_add(hidden, d->net, LG_TANH, &rng);
    d->last = lg_dense_new_with(d->table.params, "quantiles", width, options->quantiles, &start, &rng);
    lg_status status = lg_sequential_add(d->net, lg_layer_dense(d->last));
    if (status == LG_OK && d->table.loaded)
        status = loaded_weights(d->table.loaded, d->table.params);
    d->table.optimizer = status == LG_OK ? trainer_optimizer(&options->shared, d->table.params) : NULL;
    return d->table.optimizer ? LG_OK : lg_error_code();
}

/* The quantiles of each row in the data's units.   [batch, quantiles] */
static lg_tensor *outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    const regression *d = model;
    lg_tensor *predicted = lg_sequential_apply(tape, d->net, lg_batch_x(tape, batch)); /* [batch, quantiles] */
    return lg_add_scalar(tape, lg_scale(tape, predicted, d->scale.unit), d->scale.centre);
}

/* -------------------------------------------------------------------- loss */

/* One batch of training or evaluation: records the forward pass on the tape, returns the loss, of the standardised
 * target. What is reported beside it is in the data's units. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const regression *d = model;
    const quantile_options *options = &d->options;
    lg_real tau[MOST_QUANTILES];
    for (size_t q = 0; q < options->quantiles; q++)
        tau[q] = (lg_real)options->tau[q];
    lg_tensor *taus = lg_constant(tape, LG_SHAPE(options->quantiles), tau);
    lg_tensor *predicted = lg_sequential_apply(tape, d->net, lg_batch_x(tape, batch)); /* [batch, quantiles] */
    lg_tensor *y = lg_batch_y(tape, batch);                                            /* [batch] */
    lg_tensor *target = lg_scale(tape, lg_add_scalar(tape, y, -d->scale.centre), 1 / d->scale.unit);
    if (predicted && target && !lg_tape_is_training(tape))
        quantile_report_batch(tape, options, predicted, target, d->scale.unit);
    return lg_multi_quantile(tape, predicted, target, taus, options->crossing_penalty, NULL);
}

/* --------------------------------------------------------------------- fit */

/* `r` NULL: in silence, for a fold. */
static lg_history *fit(regression *d, const trainer_data *data, run *r)
{
    const trainer_options *shared = &d->options.shared;
    const size_t batches = (data->split->train_rows + shared->batch_size - 1) / shared->batch_size;
    lg_schedule schedule = lg_schedule_cosine(0, shared->epochs * batches, 0);
    schedule.unit = LG_PER_STEP;
    lg_fit_options options = trainer_fit_options(shared, data->validation, r);
    options.evaluate_train = r != NULL;
    options.schedule = d->options.constant_rate ? NULL : &schedule;
    return lg_fit(step, d, d->table.optimizer, data->train, &options);
}

/* A model of its own for a fold. */
static lg_history *fit_fold(void *model, const trainer_data *fold)
{
    regression *d = model;
    d->scale = target_scale_of(fold, d->options.raw);
    return build_model(d, lg_dataset_features(fold->all)) == LG_OK ? fit(d, fold, NULL) : NULL;
}

/* ------------------------------------------------------------------ report */

static lg_status report(regression *d, run *r)
{
    regression fold = { .options = d->options };
    const fold_trainer how = { &fold, fit_fold, outputs, table_release, d->options.quantiles };
    quantile_results results = { .scale = d->scale, .last = d->last, .outputs = outputs, .model = d };
    lg_status status = table_outputs(&d->table, &d->options.shared, &how, &results.rows, &results.held_out);
    if (status == LG_OK && !interrupt_signal())
        status = quantile_report(r, &d->table, &d->options, &results);
    lg_tensor_free(results.held_out);
    lg_tensor_free(results.rows);
    return status;
}

/* ---------------------------------------------------------------- together */

static lg_status prepare(void *model)
{
    regression *d = model;
    lg_status status = quantile_load(&d->table, &d->options, &d->scale);
    if (status == LG_OK)
        status = read_data(d);
    if (status != LG_OK)
        return status;
    quantile_options_settle(&d->options, d->table.data.split->train_rows);
    if (!d->table.loaded)
        d->scale = target_scale_of(&d->table.data, d->options.raw);
    status = build_model(d, lg_dataset_features(d->table.data.all));
    return status == LG_OK ? lg_sequential_summary(d->net, stdout) : status;
}

static lg_status train(void *model, run *r, lg_history **history)
{
    regression *d = model;
    quantile_options_note(&d->options, folds_count(d->table.folds), r);
    trainer_note_data(r, &d->options.shared, &d->table.data);
    *history = fit(d, &d->table.data, r);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(r, *history, "Quantile regression: pinball loss");
    if (status == LG_OK)
        status = quantile_save(r, d->table.params, &d->table.data, &d->options, &d->scale);
    return status != LG_OK || lg_history_signal(*history) ? status : report(d, r);
}

/* --load MODEL --predict FILE */
static lg_status predict(void *model, int argc, const char *const *argv)
{
    regression *d = model;
    lg_status status = quantile_load(&d->table, &d->options, &d->scale);
    if (status == LG_OK)
        status = build_model(d, loaded_features(d->table.loaded));
    const prediction quantiles = { .outputs = outputs, .model = d, .columns = d->options.quantiles,
                                   .names = quantile_names(&d->options) };
    return status == LG_OK ? loaded_predict(d->table.loaded, argc, argv, &quantiles) : status;
}

int main(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, predict, table_release };
    regression d = { .options = quantile_options_parse(argc, argv) };
    return trainer_main(&quantile_about, &d.options.shared, &steps, &d, argc, argv);
}

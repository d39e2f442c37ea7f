/* Quantile regression: not what is to be expected on average, but below which value the target stays with a given
 * probability; several such values by one model.
 *
 *     build/quantile                                          what households spend on food, by income (Engel 1857)
 *     build/quantile --quantiles 0.1,0.5,0.9 --hidden 16      curves instead of lines
 *     build/quantile --data cars.csv --target price --test-split 0.2
 *
 * Minimises the mean pinball loss  max(tau u, (tau - 1) u),  u = target - prediction  (Koenker and Bassett 1978), by
 * Adam on standardised features and target. The loss has kinks and its slope does not fade towards the minimum, so the
 * steps have to: the learning rate goes down to 0 along a cosine. Scores and predictions are in the data's units. */
#include "embedded.h"
#include "folds.h"
#include "model_file.h"
#include "quantile_report.h"

#include <math.h>
#include <stdlib.h>

#define MOST_LAYERS 8
#define GRID 100 /* points of a curve in the picture */

/* ------------------------------------------------------------ command line */

typedef struct quantile_options {
    trainer_options shared; /* first: the shared parser knows no other */
    double tau[MOST_QUANTILES];
    size_t quantiles;
    size_t hidden[MOST_LAYERS], layers;
    size_t folds;
    double crossing_penalty;
    bool textbook, raw, constant_rate;
} quantile_options;

enum { KEY_QUANTILES = 256, KEY_HIDDEN, KEY_FOLDS, KEY_CROSSING, KEY_RAW, KEY_CONSTANT, KEY_TEXTBOOK };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The quantiles:", 1 },
    { "quantiles", KEY_QUANTILES, "TAU,...", 0, "Which, ascending (default: 0.1,0.25,0.5,0.75,0.9)", 1 },
    { "hidden", KEY_HIDDEN, "N,...", 0, "Widths of hidden layers (tanh), as in 64,32 (default: none, lines)", 1 },
    { "crossing-penalty", KEY_CROSSING, "PRICE", 0,
      "What it costs, per unit, that a quantile lies above the next higher one (default: 0)", 1 },
    { "folds", KEY_FOLDS, "N", 0, "Folds of the cross-validation that is done without a test part; 0: none (default: 5)", 1 },
    { "raw", KEY_RAW, 0, 0, "Take features and target as they are, not standardised", 1 },
    { "constant-rate", KEY_CONSTANT, 0, 0, "Keep the learning rate, instead of a cosine down to 0", 1 },
    { "textbook", KEY_TEXTBOOK, 0, 0,
      "As the textbook: quantile 0.75 of its 1000 made-up rows (or of --data), from zero by plain descent on all rows at "
      "once, 1000 epochs, learning rate 0.01, --raw --constant-rate --folds 0. Options after this one change it", 1 },
    { 0 },
};

static void be_textbook(quantile_options *options)
{
    options->textbook = options->raw = options->constant_rate = true;
    options->quantiles = 1;
    options->tau[0] = 0.75;
    options->folds = 0;
    options->shared.optimizer = "sgd";
    options->shared.learning_rate = 0.01;
    options->shared.epochs = 1000;
    options->shared.batch_size = 100000000; /* all rows */
}

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    quantile_options *options = state->input;
    switch (key) {
    case KEY_QUANTILES:
        options->quantiles = argument_reals(state, "--quantiles", arg, (argument_range){ 0, 1, true, true },
                                            MOST_QUANTILES, options->tau);
        for (size_t q = 1; q < options->quantiles; q++)
            if (options->tau[q] <= options->tau[q - 1])
                argp_error(state, "--quantiles: %g after %g: they have to ascend", options->tau[q], options->tau[q - 1]);
        break;
    case KEY_HIDDEN:
        options->layers = argument_counts(state, "--hidden", arg, 1, 65536, MOST_LAYERS, options->hidden);
        break;
    case KEY_CROSSING:
        options->crossing_penalty = argument_real(state, "--crossing-penalty", arg, (argument_range){ 0, INFINITY, false, true });
        break;
    case KEY_FOLDS: options->folds = folds_argument(state, arg); break;
    case KEY_RAW: options->raw = true; break;
    case KEY_CONSTANT: options->constant_rate = true; break;
    case KEY_TEXTBOOK: be_textbook(options); break;
    case ARGP_KEY_END:
        if (options->shared.data && !options->shared.target && !options->shared.labels)
            argp_error(state, "--data needs --target: the column to predict (-1 is the last); or --labels");
        if (!options->shared.data && options->shared.target)
            argp_error(state, "--target needs --data");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const trainer about = {
    .name = "quantile",
    .summary = "Trains a quantile regression, linear or a small network, for several quantiles at once. Without --data it "
               "learns what Belgian households of 1857 spent on food, by their income (235 rows).",
    .examples = "Examples:\n"
                "  quantile --quantiles 0.1,0.5,0.9 --hidden 16\n"
                "  quantile --textbook\n"
                "  quantile --data data/penguins.csv --target body_mass_g --missing drop --test-split 0.2",
    .epochs = "as many as make 5000 steps, from 20 to 1000",
    .options = own_options,
    .parser = parse_own,
};

/* ------------------------------------------------------------------- model */

typedef struct regression {
    const quantile_options *options;
    trainer_data data;
    folds *folds;               /* NULL: no cross-validation */
    double centre, unit;        /* of the target: it is trained as (y - centre) / unit */
    lg_params *params;
    lg_sequential *net;
    lg_dense *last;
    lg_optimizer *optimizer;
} regression;

static lg_dataset *read_embedded(const quantile_options *options)
{
    return options->textbook ? embedded_read("quantile_textbook.csv.gz", &(lg_csv_options){ .target = "y" })
                             : embedded_read("engel.csv", &(lg_csv_options){ .target = "foodexp" });
}

static lg_status read_data(regression *d)
{
    const quantile_options *options = d->options;
    const lg_csv_options csv = { .target_kind = LG_VALUES };
    lg_dataset *all = options->shared.data ? trainer_read(&options->shared, csv) : read_embedded(options);
    if (all && options->folds && options->shared.test_split == 0 &&
        !(d->folds = folds_new(all, options->folds, !options->raw))) {
        lg_dataset_free(all);
        return lg_error_code();
    }
    lg_status status = trainer_split(&d->data, &options->shared, all);
    return status == LG_OK && !options->raw ? trainer_scale(&d->data) : status;
}

/* Without --epochs, what lets lines settle: 1000 steps where all rows fit into a batch, about 5000 where they do not. */
static void settle_steps(trainer_options *options, size_t rows)
{
    if (options->batch_size > rows)
        options->batch_size = rows;
    if (options->epochs == 0) {
        const size_t batches = (rows + options->batch_size - 1) / options->batch_size, epochs = 5000 / batches;
        options->epochs = epochs < 20 ? 20 : epochs > 1000 ? 1000 : epochs;
    }
}

/* Mean and deviation of the target over the training part. */
static void standardise_target(regression *d)
{
    const lg_real *y = lg_dataset_values(d->data.all, "y");
    const lg_split *split = d->data.split;
    const double rows = (double)split->train_rows;
    double squares = 0;
    d->centre = 0;
    d->unit = 1;
    if (d->options->raw)
        return;
    for (size_t i = 0; i < split->train_rows; i++)
        d->centre += (double)y[split->train[i]] / rows;
    for (size_t i = 0; i < split->train_rows; i++)
        squares += pow((double)y[split->train[i]] - d->centre, 2) / rows;
    if (squares > 0)
        d->unit = sqrt(squares);
}

/* A column of outputs for each quantile. Lines start at zero, since their loss is convex: no start is better. */
static lg_status build_model(regression *d)
{
    const quantile_options *options = d->options;
    lg_rng rng = trainer_rng(&options->shared, TRAINER_WEIGHTS);
    size_t width = lg_dataset_features(d->data.all);
    standardise_target(d);
    d->params = lg_params_new();
    d->net = lg_sequential_new(d->params, LG_SHAPE(width));
    for (size_t i = 0; i < options->layers; i++) {
        lg_sequential_dense(d->net, options->hidden[i], LG_TANH, &rng);
        width = options->hidden[i];
    }
    d->last = lg_dense_new_with(d->params, "quantiles", width, options->quantiles,
                                &(lg_dense_options){ .init = options->layers ? LG_INIT_DEFAULT : LG_INIT_ZEROS }, &rng);
    lg_status status = lg_sequential_add(d->net, lg_layer_dense(d->last));
    d->optimizer = status == LG_OK ? trainer_optimizer(&options->shared, d->params) : NULL;
    return d->optimizer ? LG_OK : lg_error_code();
}

/* One batch of training or evaluation: records the forward pass on the tape, returns the loss, of the standardised target.
 * What is reported beside it is in the data's units. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const regression *d = model;
    const quantile_options *options = d->options;
    lg_real tau[MOST_QUANTILES];
    for (size_t q = 0; q < options->quantiles; q++)
        tau[q] = (lg_real)options->tau[q];
    lg_tensor *taus = lg_constant(tape, LG_SHAPE(options->quantiles), tau);
    lg_tensor *predicted = lg_sequential_apply(tape, d->net, lg_batch_x(tape, batch)); /* [batch, quantiles] */
    lg_tensor *y = lg_batch_y(tape, batch);                                            /* [batch] */
    lg_tensor *target = lg_scale(tape, lg_add_scalar(tape, y, -d->centre), 1 / d->unit);
    if (predicted && target && !lg_tape_is_training(tape))
        quantile_report_batch(tape, options->quantiles, options->tau, predicted, target, d->unit);
    return lg_multi_quantile(tape, predicted, target, taus, options->crossing_penalty, NULL);
}

/* The quantiles of each row in the data's units.   [batch, quantiles] */
static lg_tensor *outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    const regression *d = model;
    lg_tensor *predicted = lg_sequential_apply(tape, d->net, lg_batch_x(tape, batch));
    return lg_add_scalar(tape, lg_scale(tape, predicted, d->unit), d->centre);
}

/* ---------------------------------------------------------------- training */

/* `r` NULL: in silence, for a fold. */
static lg_history *fit(regression *d, run *r)
{
    const trainer_options *o = &d->options->shared;
    const size_t rows = d->data.split->train_rows, batches = (rows + o->batch_size - 1) / o->batch_size;
    lg_schedule schedule = lg_schedule_cosine(0, o->epochs * batches, 0);
    schedule.unit = LG_PER_STEP;
    lg_fit_options options = { .epochs = o->epochs, .batch_size = o->batch_size, .seed = o->seed,
                               .clip_norm = o->clip_norm, .verbose = LG_SILENT };
    if (r) {
        options = trainer_fit_options(o, d->data.validation, r);
        options.evaluate_train = true;
    }
    options.schedule = d->options->constant_rate ? NULL : &schedule;
    return lg_fit(step, d, d->optimizer, d->data.train, &options);
}

static void free_model(regression *d)
{
    lg_optimizer_free(d->optimizer);
    lg_params_free(d->params);
}

/* What a model of its own predicts for the rows of a fold. */
static lg_tensor *predict_fold(const trainer_data *data, void *context)
{
    regression fold = { .options = context, .data = *data };
    lg_history *history = build_model(&fold) == LG_OK ? fit(&fold, NULL) : NULL;
    lg_tensor *rows = history ? lg_predict(outputs, &fold, data->test, &(lg_fit_options){ .batch_size = 4096 }) : NULL;
    lg_history_free(history);
    free_model(&fold);
    return rows;
}

/* ------------------------------------------------------------------ report */

/* The lines in the data's units: with z = (x - mean) / deviation and y = centre + unit (b + w z)
 *   slope = unit w / deviation,   intercept = centre + unit b - sum slope mean      */
static void unscale_lines(const regression *d, double *intercept, double *slope)
{
    const size_t features = lg_dataset_features(d->data.all);
    const lg_real *w = lg_tensor_data(lg_dense_weight(d->last)), *b = lg_tensor_data(lg_dense_bias(d->last));
    const double *mean = lg_scaler_means(d->data.scaler), *deviation = lg_scaler_deviations(d->data.scaler);
    for (size_t q = 0; q < d->options->quantiles; q++) {
        intercept[q] = d->centre + d->unit * (double)b[q];
        for (size_t k = 0; k < features; k++) {
            slope[q * features + k] = d->unit * (double)w[q * features + k] / (deviation ? deviation[k] : 1);
            intercept[q] -= mean ? slope[q * features + k] * mean[k] : 0;
        }
    }
}

/* For the picture: predictions at equal steps of the one feature. grid [GRID]; NULL on error. */
static lg_tensor *predict_grid(regression *d, double *grid)
{
    const lg_real *x = lg_dataset_values(d->data.all, "x");
    const double *mean = lg_scaler_means(d->data.scaler), *deviation = lg_scaler_deviations(d->data.scaler);
    lg_real low = x[0], high = x[0], scaled[GRID];
    for (size_t i = 0; i < lg_dataset_rows(d->data.all); i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    for (size_t i = 0; i < GRID; i++) {
        scaled[i] = low + (high - low) * (lg_real)i / (GRID - 1);
        grid[i] = mean ? (double)scaled[i] * deviation[0] + mean[0] : (double)scaled[i];
    }
    lg_dataset *points = lg_dataset_from_arrays(GRID, 1, scaled, NULL);
    lg_tensor *curves = points ? lg_predict(outputs, d, points, &(lg_fit_options){ .batch_size = GRID }) : NULL;
    lg_dataset_free(points);
    return curves;
}

static lg_status evaluate(regression *d, run *r)
{
    const size_t rows = lg_dataset_rows(d->data.all), features = lg_dataset_features(d->data.all);
    const size_t quantiles = d->options->quantiles;
    double grid[GRID], intercept[MOST_QUANTILES];
    double *slope = calloc(quantiles * features + 1, sizeof *slope);
    lg_real *held_out = calloc(quantiles * rows, sizeof *held_out);
    lg_tensor *curves = features == 1 ? predict_grid(d, grid) : NULL;                        /* [GRID, quantiles] */
    lg_tensor *predicted = lg_predict(outputs, d, d->data.all, &(lg_fit_options){ .batch_size = 4096 });
    lg_status status = predicted && (curves || features != 1) ? LG_OK : lg_error_code();
    if (status == LG_OK && (!slope || !held_out))
        status = lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", rows);
    if (status == LG_OK && d->folds)
        status = folds_predict(d->folds, &d->data, &d->options->shared, predict_fold, (void *)(uintptr_t)d->options,
                               quantiles, held_out);
    if (status == LG_OK) {
        const bool linear = d->options->layers == 0;
        if (linear)
            unscale_lines(d, intercept, slope);
        status = quantile_report(r, &d->data, &(quantile_model){ .quantiles = quantiles,
                                                                 .tau = d->options->tau,
                                                                 .rows = lg_tensor_data(predicted),
                                                                 .held_out = d->folds ? held_out : NULL,
                                                                 .folds = d->options->folds,
                                                                 .intercept = linear ? intercept : NULL,
                                                                 .slope = slope,
                                                                 .points = GRID,
                                                                 .grid = curves ? grid : NULL,
                                                                 .curves = curves ? lg_tensor_data(curves) : NULL });
    }
    lg_tensor_free(curves);
    lg_tensor_free(predicted);
    free(held_out);
    free(slope);
    return status;
}

/* Predictions in the data's units are  target.centre + target.unit net((x - input.means) / input.deviations). */
static lg_status save(const regression *d, run *r)
{
    const size_t quantiles = d->options->quantiles;
    const lg_file_entry more[] = { { "quantiles", LG_FILE_F64, 1, &quantiles, d->options->tau },
                                   { "target.centre", LG_FILE_F64, 0, NULL, &d->centre },
                                   { "target.unit", LG_FILE_F64, 0, NULL, &d->unit } };
    return model_save(r, "quantile regression", d->params, d->data.scaler, more, 3);
}

static lg_status train(regression *d, run *r, lg_history **history)
{
    const quantile_options *options = d->options;
    run_note_numbers(r, "arguments.quantiles", options->quantiles, options->tau);
    run_note_counts(r, "arguments.hidden", options->layers, options->hidden);
    run_note_number(r, "arguments.crossing_penalty", options->crossing_penalty);
    run_note_count(r, "arguments.folds", d->folds ? options->folds : 0);
    run_note_flag(r, "arguments.raw", options->raw);
    run_note_flag(r, "arguments.constant_rate", options->constant_rate);
    trainer_note_data(r, &options->shared, &d->data);
    *history = fit(d, r);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(r, *history, "Quantile regression: pinball loss");
    if (status == LG_OK)
        status = save(d, r);
    return status != LG_OK || lg_history_signal(*history) ? status : evaluate(d, r);
}

int main(int argc, char **argv)
{
    quantile_options options = { .shared = { .batch_size = 256,
                                             .optimizer = "adam",
                                             .learning_rate = 0.02,
                                             .seed = 42,
                                             .verbose = LG_PROGRESS },
                                 .tau = { 0.1, 0.25, 0.5, 0.75, 0.9 },
                                 .quantiles = 5,
                                 .folds = 5 };
    trainer_parse(&about, &options, argc, argv);
    regression d = { .options = &options };
    run *r = NULL;
    lg_history *history = NULL;
    lg_status status = run_check(options.shared.out, options.shared.overwrite);
    if (status == LG_OK)
        status = read_data(&d);
    if (status == LG_OK) {
        settle_steps(&options.shared, d.data.split->train_rows);
        status = build_model(&d);
    }
    if (status == LG_OK)
        status = trainer_print_data(&options.shared, &d.data);
    if (status == LG_OK)
        status = lg_sequential_summary(d.net, stdout);
    if (status == LG_OK && !options.shared.dry_run) {
        r = trainer_open(&about, &options.shared, argc, (const char *const *)argv);
        status = r ? train(&d, r, &history) : lg_error_code();
        status = trainer_close(r, history, status);
    }
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    run_free(r);
    free_model(&d);
    folds_free(d.folds);
    trainer_data_free(&d.data);
    return trainer_end(status, signal_number);
}

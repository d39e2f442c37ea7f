/* The variational autoencoder: learns to write down a picture in a few numbers, and to draw one from such numbers.
 *
 *     build/vae                                               handwritten digits of 8 x 8 pixels
 *     build/vae --latent 2 --beta 0.5                         fewer numbers, that may say more
 *     build/vae --data train-images-idx3-ubyte.gz --textbook  784-400-32, as for MNIST
 *     build/vae --score strangers.csv                         how much are these rows like digits?
 *
 * The model and its loss are in autoencoder.c; this is about data: rows become values in [0, 1], which the loss takes for
 * probabilities of ink. What was learned shows in numbers (autoencoder_report.c) and in pictures (autoencoder_pictures.c):
 * rows and their reconstructions, samples drawn from nothing but noise, walks from one row to another. */
#include "autoencoder_pictures.h"
#include "autoencoder_report.h"
#include "embedded.h"

#include <math.h>
#include <stdlib.h>

#define MOST_LAYERS AUTOENCODER_MOST_LAYERS
enum { TEXTBOOK_SIDE = 28, TEXTBOOK_HIDDEN = 400, TEXTBOOK_LATENT = 32 };

/* ------------------------------------------------------------ command line */

typedef struct vae_options {
    trainer_options shared; /* first: the shared parser knows no other */
    autoencoder_options model;
    size_t height, width; /* of --shape; 0: not given */
    const char *score;
    bool textbook;
} vae_options;

enum { KEY_LATENT = 256, KEY_HIDDEN, KEY_BETA, KEY_BETA_WARMUP, KEY_SAMPLES, KEY_SHAPE, KEY_SCORE, KEY_TEXTBOOK };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The autoencoder:", 1 },
    { "latent", KEY_LATENT, "N", 0, "Numbers that a row is written down in (default: 8)", 1 },
    { "hidden", KEY_HIDDEN, "N,...", 0, "Widths of the encoder's hidden layers; the decoder has them the other way round "
      "(default: 128)", 1 },
    { "beta", KEY_BETA, "BETA", 0, "Weight of the KL divergence (default: 1, the evidence lower bound)", 1 },
    { "beta-warmup", KEY_BETA_WARMUP, "N", 0, "Let beta rise from 0 over the first N epochs (default: 0)", 1 },
    { "samples", KEY_SAMPLES, "N", 0, "Codes drawn for each row when rows are scored (default: 16)", 1 },
    { "shape", KEY_SHAPE, "HEIGHT,WIDTH", 0, "Of the picture in each row of a table (default: square, if that comes out "
      "even)", 1 },
    { "score", KEY_SCORE, "FILE", 0, "Score these rows, of the same kind as --data, by how little they are like it", 1 },
    { "textbook", KEY_TEXTBOOK, 0, 0, "The network for pictures of 28 x 28, 784-400-32, with beta 1, 20 epochs in batches "
      "of 128, Adam at 0.001; options after it change it", 1 },
    { 0 },
};

static void take_textbook(vae_options *options)
{
    options->textbook = true;
    options->model.layers = 1;
    options->model.hidden[0] = TEXTBOOK_HIDDEN;
    options->model.latent = TEXTBOOK_LATENT;
    options->model.beta = 1;
    options->model.beta_warmup = 0;
    options->shared.epochs = 20;
    options->shared.batch_size = 128;
    options->shared.optimizer = "adam";
    options->shared.learning_rate = 0.001;
}

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    vae_options *options = state->input;
    size_t shape[2];
    switch (key) {
    case KEY_LATENT: options->model.latent = argument_count(state, "--latent", arg, 1, 65536); break;
    case KEY_HIDDEN:
        options->model.layers =
            argument_counts(state, "--hidden", arg, 1, 65536, MOST_LAYERS, options->model.hidden);
        break;
    case KEY_BETA:
        options->model.beta = argument_real(state, "--beta", arg, (argument_range){ 0, INFINITY, false, true });
        break;
    case KEY_BETA_WARMUP: options->model.beta_warmup = argument_count(state, "--beta-warmup", arg, 0, 1000000); break;
    case KEY_SAMPLES: options->model.samples = argument_count(state, "--samples", arg, 1, 10000); break;
    case KEY_SHAPE:
        if (argument_counts(state, "--shape", arg, 1, 16384, 2, shape) != 2)
            argp_error(state, "--shape: two numbers are wanted, height and width, as in 28,28");
        options->height = shape[0];
        options->width = shape[1];
        break;
    case KEY_SCORE: options->score = arg; break;
    case KEY_TEXTBOOK: take_textbook(options); break;
    case ARGP_KEY_END:
        if (options->shared.target && !options->shared.data)
            argp_error(state, "--target needs --data");
        if (options->textbook && !options->shared.data)
            argp_error(state, "--textbook needs --data: pictures of 28 x 28, such as those of MNIST or Fashion-MNIST");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const trainer about = {
    .name = "vae",
    .summary = "Trains a variational autoencoder: pictures, or any rows of numbers in a range, are written down in a few "
               "numbers, and drawn from such numbers again. Without --data it trains on 1797 handwritten digits. A "
               "--target is not learned: it is left out of the rows, and keeps the parts alike.",
    .examples = "Examples:\n"
                "  vae --latent 2 --beta 0.5\n"
                "  vae --data train-images-idx3-ubyte.gz --textbook\n"
                "  vae --data data/digits.csv.gz --target -1 --score new.csv",
    .options = own_options,
    .parser = parse_own,
};

/* -------------------------------------------------------------------- data */

typedef struct vae {
    const vae_options *options;
    trainer_data data;
    lg_dataset *scored;
    size_t height, width; /* of a picture; 0: rows are none */
    autoencoder model;
    lg_optimizer *optimizer;
} vae;

static lg_dataset *read_rows(const vae_options *options)
{
    if (!options->shared.data)
        return embedded_read("digits.csv.gz", &(lg_csv_options){ .target = "-1", .target_kind = LG_CLASSES });
    return trainer_read_pictures(&options->shared, (lg_csv_options){ .target_kind = LG_CLASSES });
}

/* The rows of an array are pictures as they are, [height, width] or [height, width, 1]; those of a table by --shape, or
 * if they come out square. */
static lg_status find_shape(vae *v)
{
    const vae_options *options = v->options;
    const lg_field *x = lg_dataset_field(v->data.all, "x");
    const size_t features = lg_dataset_features(v->data.all), side = (size_t)sqrt((double)features);
    if (options->height) {
        if (options->height * options->width != features)
            return lg_fail(LG_E_PARAM, "--shape: %zu x %zu are %zu pixels, but a row has %zu values", options->height,
                           options->width, options->height * options->width, features);
        v->height = options->height;
        v->width = options->width;
    } else if (x->rank == 2 || (x->rank == 3 && x->dims[2] == 1)) {
        v->height = x->dims[0];
        v->width = x->dims[1];
    } else if (x->rank == 1 && side > 1 && side * side == features)
        v->height = v->width = side;
    if (options->textbook && features != TEXTBOOK_SIDE * TEXTBOOK_SIDE)
        return lg_fail(LG_E_PARAM, "--textbook: the network is for pictures of 28 x 28, 784 values; a row of %s has %zu",
                       options->shared.data, features);
    return LG_OK;
}

/* Lowest and highest value of each feature, in the training part. */
static void find_range(const vae *v, double *low, double *high)
{
    const size_t features = lg_dataset_features(v->data.all);
    const lg_real *x = lg_dataset_values(v->data.all, "x");
    for (size_t j = 0; j < features; j++)
        low[j] = INFINITY, high[j] = -INFINITY;
    for (size_t i = 0; i < v->data.split->train_rows; i++) {
        const lg_real *row = x + v->data.split->train[i] * features;
        for (size_t j = 0; j < features; j++) {
            const double value = (double)row[j];
            low[j] = value < low[j] ? value : low[j];
            high[j] = value > high[j] ? value : high[j];
        }
    }
}

/* Turns low and high into what is subtracted from values and what they are divided by: 0 and 1 where they are in [0, 1]
 * anyhow, and not all in its lower half (as bytes of 0 .. 16 would be); for pictures the range of all pixels; else that
 * of each column. */
static lg_status settle_range(const vae *v, double *low, double *high)
{
    const size_t features = lg_dataset_features(v->data.all);
    double lowest = low[0], highest = high[0];
    for (size_t j = 1; j < features; j++) {
        lowest = fmin(lowest, low[j]);
        highest = fmax(highest, high[j]);
    }
    if (!(highest > lowest))
        return lg_fail(LG_E_DOMAIN, "%s: every value of the training part is %g; there is nothing to learn",
                       v->options->shared.data, lowest);
    const bool probabilities = lowest >= 0 && highest > 0.5 && highest <= 1;
    for (size_t j = 0; j < features; j++) {
        if (v->height)
            low[j] = lowest, high[j] = highest;
        high[j] = high[j] > low[j] ? high[j] - low[j] : 1;
        if (probabilities)
            low[j] = 0, high[j] = 1;
    }
    return LG_OK;
}

/* Values beyond the range of the training part count as its ends. */
static lg_status to_unit_range(const lg_scaler *scaler, lg_dataset *rows)
{
    lg_status status = lg_scaler_apply(scaler, rows);
    lg_real *x = lg_dataset_values(rows, "x");
    const size_t values = lg_dataset_rows(rows) * lg_dataset_features(rows);
    for (size_t i = 0; status == LG_OK && i < values; i++)
        x[i] = x[i] < 0 ? 0 : x[i] > 1 ? 1 : x[i];
    return status;
}

static lg_status scale(vae *v)
{
    const size_t features = lg_dataset_features(v->data.all);
    double *low = calloc(features, sizeof *low), *range = calloc(features, sizeof *range);
    lg_status status = low && range ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for the range of %zu features", features);
    if (status == LG_OK) {
        find_range(v, low, range);
        status = settle_range(v, low, range);
    }
    if (status == LG_OK)
        v->data.scaler = lg_scaler_from(features, low, range);
    free(low);
    free(range);
    if (status == LG_OK)
        status = v->data.scaler ? to_unit_range(v->data.scaler, v->data.all) : lg_error_code();
    return status;
}

/* The file of --score has the features of --data, with or without the column of its target. */
static lg_status read_scored(vae *v)
{
    const size_t features = lg_dataset_features(v->data.all);
    trainer_options other = v->options->shared;
    const char *target = other.data ? other.target : "-1";
    if (!v->options->score)
        return LG_OK;
    other.data = v->options->score;
    other.labels = other.target = NULL;
    v->scored = trainer_read(&other, (lg_csv_options){ 0 });
    if (target && (!v->scored || lg_dataset_features(v->scored) != features)) {
        lg_dataset_free(v->scored);
        other.target = target;
        v->scored = trainer_read(&other, (lg_csv_options){ .target_kind = LG_CLASSES });
    }
    if (!v->scored)
        return lg_error_code();
    if (lg_dataset_features(v->scored) != features)
        return lg_fail(LG_E_SHAPE, "%s: rows have %zu values%s, but those of the training have %zu", other.data,
                       lg_dataset_features(v->scored), other.target ? " beside the target" : "", features);
    return to_unit_range(v->data.scaler, v->scored);
}

static lg_status read_data(vae *v)
{
    lg_status status = trainer_split(&v->data, &v->options->shared, read_rows(v->options));
    if (status == LG_OK)
        status = find_shape(v);
    if (status == LG_OK)
        status = scale(v);
    return status == LG_OK ? read_scored(v) : status;
}

/* ---------------------------------------------------------------- training */

static lg_status build_model(vae *v)
{
    lg_rng rng = trainer_rng(&v->options->shared, TRAINER_WEIGHTS);
    autoencoder_options options = v->options->model;
    options.features = lg_dataset_features(v->data.all);
    lg_status status = autoencoder_init(&v->model, &options, &rng);
    if (status == LG_OK)
        v->optimizer = trainer_optimizer(&v->options->shared, v->model.params);
    return status == LG_OK && !v->optimizer ? lg_error_code() : status;
}

static void note_arguments(run *r, const vae_options *options)
{
    run_note_count(r, "arguments.latent", options->model.latent);
    run_note_counts(r, "arguments.hidden", options->model.layers, options->model.hidden);
    run_note_number(r, "arguments.beta", options->model.beta);
    run_note_count(r, "arguments.beta_warmup", options->model.beta_warmup);
    run_note_count(r, "arguments.samples", options->model.samples);
    run_note_text(r, "arguments.score", options->score);
}

static lg_status train(vae *v, run *r, lg_history **history)
{
    const uint64_t seed = v->options->shared.seed;
    note_arguments(r, v->options);
    trainer_note_data(r, &v->options->shared, &v->data);
    lg_fit_options options = trainer_fit_options(&v->options->shared, v->data.validation, r);
    options.callback = autoencoder_next_epoch;
    options.context = &v->model;
    *history = lg_fit(autoencoder_step, &v->model, v->optimizer, v->data.train, &options);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(r, *history, "Variational autoencoder: loss");
    if (status != LG_OK || lg_history_signal(*history))
        return status;
    status = autoencoder_report(r, &v->model, &v->data, seed);
    if (status == LG_OK && v->scored)
        status = autoencoder_score(r, &v->model, &v->data, v->scored, v->options->score, seed);
    if (status == LG_OK && v->height)
        status = autoencoder_pictures(r, &v->model, &v->data, v->height, v->width, seed);
    else if (status == LG_OK)
        printf("No pictures: %zu values are no square; --shape HEIGHT,WIDTH says how they lie\n",
               v->model.options.features);
    return status;
}

int main(int argc, char **argv)
{
    vae_options options = { .shared = { .epochs = 100,
                                        .batch_size = 64,
                                        .optimizer = "adam",
                                        .learning_rate = 0.003,
                                        .seed = 42,
                                        .validation_split = 0.2,
                                        .verbose = LG_PROGRESS },
                            .model = { .latent = 8, .hidden = { 128 }, .layers = 1, .beta = 1, .samples = 16 } };
    trainer_parse(&about, &options, argc, argv);
    vae v = { .options = &options };
    run *r = NULL;
    lg_history *history = NULL;
    lg_status status = run_check(options.shared.out, options.shared.overwrite);
    if (status == LG_OK)
        status = read_data(&v);
    if (status == LG_OK)
        status = build_model(&v);
    if (status == LG_OK)
        status = trainer_print_data(&options.shared, &v.data);
    if (status == LG_OK)
        status = lg_sequential_summary(v.model.encoder, stdout);
    if (status == LG_OK)
        status = lg_sequential_summary(v.model.decoder, stdout);
    if (status == LG_OK && !options.shared.dry_run) {
        r = trainer_open(&about, &options.shared, argc, (const char *const *)argv);
        status = r ? train(&v, r, &history) : lg_error_code();
        status = trainer_close(r, history, status);
    }
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    run_free(r);
    lg_optimizer_free(v.optimizer);
    autoencoder_free(&v.model);
    lg_dataset_free(v.scored);
    trainer_data_free(&v.data);
    return trainer_end(status, signal_number);
}

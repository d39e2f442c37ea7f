/* The fraud detector: rare events among many, by logistic regression or a small network.
 *
 *     build/fraud                                             made-up payments, logistic regression
 *     build/fraud --hidden 32,16 --loss focal                 a network, and a loss for rare classes
 *     build/fraud --data creditcard.csv --target Class
 *     build/fraud --load runs/fraud --predict new.csv         what a model that is there says of other rows
 *
 * The rows are split into three parts with the same share of fraud. The model learns on the training part; the
 * validation part chooses the threshold above which a probability counts as fraud; the test part is read once, at the
 * end, and says what the detector is worth. */
#include "model_file.h"
#include "prediction.h"
#include "report.h"
#include "trainer.h"
#include "transactions.h"

#include <math.h>
#include <stdlib.h>

#define MOST_LAYERS 8

/* ------------------------------------------------------------ command line */

typedef struct fraud_options {
    trainer_options shared; /* first: the shared parser knows no other */
    const char *positive;
    size_t hidden[MOST_LAYERS], layers;
    size_t balanced, hardest;
} fraud_options;

enum { KEY_POSITIVE = 256, KEY_HIDDEN, KEY_CLASS_WEIGHT, KEY_HARDEST };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The detector:", 1 },
    { "positive", KEY_POSITIVE, "CLASS", 0, "The class of --target that is fraud (default: the second of two)", 1 },
    { "hidden", KEY_HIDDEN, "N,...", 0, "Widths of hidden layers, as in 64,32 (default: none, logistic regression)", 1 },
    { "class-weight", KEY_CLASS_WEIGHT, "none|balanced", 0,
      "balanced: both classes count alike in training (default: none)", 1 },
    { "hardest", KEY_HARDEST, "N", 0, "Show the N rows of highest loss (default: 0)", 1 },
    { 0 },
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    fraud_options *options = state->input;
    switch (key) {
    case KEY_POSITIVE: options->positive = arg; break;
    case KEY_HIDDEN:
        options->layers = argument_counts(state, "--hidden", arg, 1, 65536, MOST_LAYERS, options->hidden);
        break;
    case KEY_CLASS_WEIGHT: options->balanced = argument_choice(state, "--class-weight", arg, "none|balanced"); break;
    case KEY_HARDEST: options->hardest = argument_count(state, "--hardest", arg, 0, 1000000000); break;
    case ARGP_KEY_END:
        if (options->shared.data && !options->shared.target && !options->shared.labels)
            argp_error(state, "--data needs --target: the column that says what is fraud (-1 is the last); or --labels");
        if (!options->shared.data && !options->shared.predict && (options->shared.target || options->positive))
            argp_error(state, "%s needs --data", options->positive ? "--positive" : "--target");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const trainer about = {
    .name = "fraud",
    .summary = "Trains a fraud detector: logistic regression or a small network that tells a rare class from a common "
               "one. Without --data it trains on 50,000 made-up payments, 2 in 100 of them fraud.",
    .examples = "Examples:\n"
                "  fraud --hidden 32,16\n"
                "  fraud --loss focal --loss-param gamma=1.5 --class-weight balanced\n"
                "  fraud --data creditcard.csv --target Class --early-stopping 5\n"
                "  fraud --data data/spam.csv.gz --target type --positive spam\n"
                "  fraud --load runs/fraud --predict new.csv\n"
                "  fraud --load runs/fraud --data more.csv --target Class --lr 0.001",
    .tasks = LG_TASK_BINARY,
    .kind = "fraud detector",
    .of_model = (const char *const[]){ "hidden", "positive", NULL },
    .options = own_options,
    .parser = parse_own,
};

/* ------------------------------------------------------------------- model */

typedef struct detector {
    const fraud_options *options;
    loaded_model *loaded; /* NULL without --load */
    trainer_data data;
    const char *names[2]; /* of the classes */
    lg_params *params;
    lg_sequential *net;
    lg_optimizer *optimizer;
} detector;

static lg_status read_data(detector *d)
{
    const fraud_options *options = d->options;
    const lg_csv_options csv = { .target_kind = LG_BINARY, .positive = options->positive,
                                 .like = d->loaded ? loaded_like(d->loaded, true) : NULL };
    if (d->loaded && !csv.like)
        return lg_error_code();
    lg_dataset *all = options->shared.data ? trainer_read(&options->shared, csv) : transactions_new();
    lg_status status = trainer_split(&d->data, &options->shared, all);
    if (status != LG_OK)
        return status;
    for (size_t i = 0; i < 2; i++)
        d->names[i] = lg_dataset_class_name(all, i);
    return d->loaded ? loaded_scale(d->loaded, &d->data) : trainer_scale(&d->data);
}

/* The hidden layers of a loaded model are those to build. */
static lg_status read_layers(const loaded_model *loaded, fraud_options *options)
{
    size_t outputs, in = loaded_features(loaded);
    lg_status status = loaded_check_classes(loaded);
    if (status == LG_OK)
        status = loaded_hidden(loaded, MOST_LAYERS, options->hidden, &options->layers, &outputs);
    for (size_t i = 0; i <= options->layers && status == LG_OK; i++) {
        const size_t out = i < options->layers ? options->hidden[i] : 1;
        char name[32];
        snprintf(name, sizeof name, "dense_%zu", i + 1);
        status = loaded_check_dense(loaded, name, in, out);
        in = out;
    }
    return status;
}

/* Without hidden layers this is logistic regression: logit = w x + b. */
static lg_status build_model(detector *d, size_t features)
{
    lg_rng rng = trainer_rng(&d->options->shared, TRAINER_WEIGHTS);
    d->params = lg_params_new();
    d->net = lg_sequential_new(d->params, LG_SHAPE(features));
    for (size_t i = 0; i < d->options->layers; i++)
        lg_sequential_dense(d->net, d->options->hidden[i], LG_RELU, &rng);
    lg_status status = lg_sequential_dense(d->net, 1, LG_LINEAR, &rng);
    if (status == LG_OK && d->loaded)
        status = loaded_weights(d->loaded, d->params);
    d->optimizer = status == LG_OK ? trainer_optimizer(&d->options->shared, d->params) : NULL;
    return d->optimizer ? LG_OK : lg_error_code();
}

static lg_tensor *logits_of(lg_tape *tape, const lg_batch *batch, const detector *d)
{
    lg_tensor *x = lg_batch_x(tape, batch);                   /* [batch, features] */
    lg_tensor *logits = lg_sequential_apply(tape, d->net, x); /* [batch, 1] */
    return lg_reshape(tape, logits, LG_SHAPE(lg_batch_rows(batch)));
}

/* One batch of training or validation: records the forward pass on the tape, returns the loss. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const detector *d = model;
    lg_tensor *logits = logits_of(tape, batch, d); /* [batch] */
    lg_tensor *y = lg_batch_y(tape, batch);        /* [batch], 0 or 1 */
    lg_report_accuracy(tape, logits, y);
    lg_report_scores(tape, logits, y);
    return trainer_binary_loss(tape, &d->options->shared, batch, logits, y, LG_REDUCE_MEAN);
}

/* What is to be known of each row: the probability of fraud, and the loss.   [batch, 2] */
static lg_tensor *outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    const detector *d = model;
    const size_t rows = lg_batch_rows(batch);
    lg_tensor *logits = logits_of(tape, batch, d); /* [batch] */
    lg_tensor *y = lg_batch_y(tape, batch);        /* [batch] */
    lg_tensor *loss = trainer_binary_loss(tape, &d->options->shared, batch, logits, y, LG_REDUCE_NONE);
    if (loss && lg_tensor_size(loss) != rows) /* a loss of the batch as a whole: cross-entropy says how wrong a row is */
        loss = lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .reduction = LG_REDUCE_NONE,
                                                                           .from_logits = true });
    lg_tensor *columns[] = { lg_reshape(tape, lg_sigmoid(tape, logits), LG_SHAPE(rows, 1)),
                             lg_reshape(tape, loss, LG_SHAPE(rows, 1)) };
    return lg_concat(tape, 2, columns, 1);
}

/* ---------------------------------------------------------------- training */

static lg_history *fit(detector *d, run *r)
{
    lg_fit_options options = trainer_fit_options(&d->options->shared, d->data.validation, r);
    lg_real weights[2];
    if (d->options->balanced) {
        if (trainer_class_weights(d->data.train, 2, weights) != LG_OK)
            return NULL;
        options.class_weight = weights;
        options.class_weight_count = 2;
    }
    return lg_fit(step, d, d->optimizer, d->data.train, &options);
}

static lg_status predict(detector *d, predictions *p)
{
    lg_status status = predictions_new(p, d->data.split);
    lg_tensor *table = status == LG_OK ? lg_predict(outputs, d, d->data.all, &(lg_fit_options){ .batch_size = 4096 })
                                       : NULL; /* [rows, 2] */
    const lg_real *values = lg_tensor_data(table);
    for (size_t i = 0; values && i < p->rows; i++) {
        p->probability[i] = values[2 * i];
        p->loss[i] = values[2 * i + 1];
    }
    lg_tensor_free(table);
    return values ? lg_dataset_labels(d->data.all, NULL, 0, p->target) : lg_error_code();
}

/* The network with what it takes to predict by it; the threshold only if one was chosen. */
static lg_status save_model(const detector *d, run *r, double threshold)
{
    char layers[24 * (MOST_LAYERS + 2)], number[32];
    size_t used = (size_t)snprintf(layers, sizeof layers, "%zu", lg_dataset_features(d->data.all));
    for (size_t i = 0; i < d->options->layers; i++)
        used += (size_t)snprintf(layers + used, sizeof layers - used, ",%zu", d->options->hidden[i]);
    snprintf(layers + used, sizeof layers - used, ",1");
    snprintf(number, sizeof number, "%.17g", threshold);
    const lg_metadata texts[] = { { "layers", layers }, { "hidden_activation", "relu" }, { "output", "logit" },
                                  { "threshold", number } };
    return model_save_table(r, about.kind, d->params, &d->data, NULL, 0, texts, isnan(threshold) ? 3 : 4);
}

/* -------------------------------------------------------------- prediction */

/* The probability of fraud.   [batch, 1] */
static lg_tensor *probabilities(lg_tape *tape, const lg_batch *batch, void *model)
{
    return lg_sigmoid(tape, lg_reshape(tape, logits_of(tape, batch, model), LG_SHAPE(lg_batch_rows(batch), 1)));
}

/* 0.5 for a model that has none, because its training was interrupted. */
static lg_status read_threshold(const loaded_model *loaded, double *threshold)
{
    const char *text = lg_safetensors_metadata(loaded->file, "threshold");
    char *end = NULL;
    *threshold = text ? strtod(text, &end) : 0.5;
    if (text && (end == text || *end || isnan(*threshold)))
        return lg_fail(LG_E_FORMAT, "%s: its threshold is no number", loaded->path);
    return LG_OK;
}

static lg_status predict_file(detector *d, int argc, const char *const *argv)
{
    prediction p = { .outputs = probabilities,
                     .model = d,
                     .columns = 1,
                     .names = (const char *const[]){ "probability" },
                     .classes = true };
    lg_status status = build_model(d, loaded_features(d->loaded));
    if (status == LG_OK)
        status = read_threshold(d->loaded, &p.threshold);
    return status == LG_OK ? loaded_predict(d->loaded, argc, argv, &p) : status;
}

/* ---------------------------------------------------------------- together */

static lg_status train(detector *d, run *r, lg_history **history)
{
    run_note_text(r, "arguments.positive", d->options->positive);
    run_note_counts(r, "arguments.hidden", d->options->layers, d->options->hidden);
    run_note_text(r, "arguments.class_weight", d->options->balanced ? "balanced" : "none");
    trainer_note_data(r, &d->options->shared, &d->data);
    *history = fit(d, r);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(r, *history, "Fraud detector: loss");
    if (status != LG_OK || lg_history_signal(*history))
        return status == LG_OK ? save_model(d, r, NAN) : status;
    predictions p;
    double threshold = NAN;
    status = predict(d, &p);
    if (status == LG_OK)
        status = binary_report(r, &p, d->names, d->options->hardest, &threshold);
    predictions_free(&p);
    return status == LG_OK ? save_model(d, r, threshold) : status;
}

static lg_status train_and_report(detector *d, int argc, const char *const *argv, run **r, lg_history **history)
{
    const trainer_options *shared = &d->options->shared;
    lg_status status = read_data(d);
    if (status == LG_OK)
        status = build_model(d, lg_dataset_features(d->data.all));
    if (status == LG_OK)
        status = trainer_print_data(shared, &d->data);
    if (status == LG_OK)
        status = lg_sequential_summary(d->net, stdout);
    if (status != LG_OK || shared->dry_run)
        return status;
    *r = trainer_open(&about, shared, argc, argv);
    status = *r ? train(d, *r, history) : lg_error_code();
    return trainer_close(*r, *history, status);
}

int main(int argc, char **argv)
{
    fraud_options options = { .shared = { .epochs = 20,
                                          .batch_size = 64,
                                          .optimizer = "adam",
                                          .learning_rate = 0.003,
                                          .loss = "binary_crossentropy",
                                          .seed = 42,
                                          .validation_split = 0.2,
                                          .test_split = 0.2,
                                          .verbose = LG_PROGRESS } };
    trainer_parse(&about, &options, argc, argv);
    detector d = { .options = &options };
    loaded_model loaded = { 0 };
    run *r = NULL;
    lg_history *history = NULL;
    lg_status status = run_check(options.shared.out, options.shared.overwrite);
    if (status == LG_OK && options.shared.load) {
        d.loaded = &loaded;
        status = loaded_open(&loaded, &about, &options.shared);
        if (status == LG_OK)
            status = read_layers(&loaded, &options);
    }
    if (status == LG_OK && options.shared.predict)
        status = predict_file(&d, argc, (const char *const *)argv);
    else if (status == LG_OK)
        status = train_and_report(&d, argc, (const char *const *)argv, &r, &history);
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    run_free(r);
    lg_optimizer_free(d.optimizer);
    lg_params_free(d.params);
    trainer_data_free(&d.data);
    loaded_close(&loaded);
    return trainer_end(status, signal_number);
}

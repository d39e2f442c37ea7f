/* The fraud detector: rare events among many, by logistic regression or a small network.
 *
 *     build/fraud                                             made-up payments, logistic regression
 *     build/fraud --hidden 32,16 --loss focal                 a network, and a loss for rare classes
 *     build/fraud --data creditcard.csv --target Class
 *     build/fraud --load runs/fraud --predict new.csv         what a model that is there says of other rows
 *     build/fraud --load runs/fraud --data more.csv --target Class                   goes on training it
 *
 * The rows are split into three parts with the same share of fraud. The model learns on the training part; the
 * validation part chooses the threshold above which a probability counts as fraud; the test part is read once, at the
 * end, and says what the detector is worth. */
#include "fraud_file.h"
#include "prediction.h"
#include "report.h"
#include "trainer_steps.h"
#include "transactions.h"

#include <math.h>

typedef struct detector {
    table_model table; /* first: rows, parameters, optimizer */
    fraud_options options;
    lg_sequential *net;
    double threshold; /* above which a probability counts as fraud; NAN until the validation part has chosen one */
} detector;

/* -------------------------------------------------------------------- data */

static lg_status read_data(detector *d)
{
    const lg_csv_options csv = { .target_kind = LG_BINARY, .positive = d->options.positive };
    return table_read(&d->table, &d->options.shared, csv, transactions_new, 0, true);
}

/* ------------------------------------------------------------------- model */

/* Without hidden layers this is logistic regression: logit = w x + b. */
static lg_status build_model(detector *d, size_t features)
{
    lg_rng rng = trainer_rng(&d->options.shared, TRAINER_WEIGHTS);
    d->table.params = lg_params_new();
    d->net = lg_sequential_new(d->table.params, LG_SHAPE(features));
    hidden_add(&d->options.hidden, d->net, LG_RELU, &rng);
    lg_status status = lg_sequential_dense(d->net, 1, LG_LINEAR, &rng);
    if (status == LG_OK && d->table.loaded)
        status = loaded_weights(d->table.loaded, d->table.params);
    d->table.optimizer = status == LG_OK ? trainer_optimizer(&d->options.shared, d->table.params) : NULL;
    return d->table.optimizer ? LG_OK : lg_error_code();
}

static lg_tensor *logits_of(lg_tape *tape, const lg_batch *batch, const detector *d)
{
    lg_tensor *x = lg_batch_x(tape, batch);                   /* [batch, features] */
    lg_tensor *logits = lg_sequential_apply(tape, d->net, x); /* [batch, 1] */
    return lg_reshape(tape, logits, LG_SHAPE(lg_batch_rows(batch)));
}

/* Of fraud.   [batch, 1] */
static lg_tensor *probabilities(lg_tape *tape, const lg_batch *batch, void *model)
{
    return lg_sigmoid(tape, lg_reshape(tape, logits_of(tape, batch, model), LG_SHAPE(lg_batch_rows(batch), 1)));
}

/* -------------------------------------------------------------------- loss */

/* One batch of training or validation: records the forward pass on the tape, returns the loss. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const detector *d = model;
    lg_tensor *logits = logits_of(tape, batch, d); /* [batch] */
    lg_tensor *y = lg_batch_y(tape, batch);        /* [batch], 0 or 1 */
    lg_report_accuracy(tape, logits, y);
    lg_report_scores(tape, logits, y);
    return trainer_binary_loss(tape, &d->options.shared, batch, logits, y, LG_REDUCE_MEAN);
}

/* What is to be known of each row: the probability of fraud, and the loss.   [batch, 2] */
static lg_tensor *outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    const detector *d = model;
    const size_t rows = lg_batch_rows(batch);
    lg_tensor *logits = logits_of(tape, batch, d); /* [batch] */
    lg_tensor *y = lg_batch_y(tape, batch);        /* [batch] */
    lg_tensor *loss = trainer_binary_loss(tape, &d->options.shared, batch, logits, y, LG_REDUCE_NONE);
    if (loss && lg_tensor_size(loss) != rows) /* of the batch as a whole: cross-entropy says how wrong a row is */
        loss = lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .reduction = LG_REDUCE_NONE,
                                                                           .from_logits = true });
    lg_tensor *columns[] = { lg_reshape(tape, lg_sigmoid(tape, logits), LG_SHAPE(rows, 1)),
                             lg_reshape(tape, loss, LG_SHAPE(rows, 1)) };
    return lg_concat(tape, 2, columns, 1);
}

/* --------------------------------------------------------------------- fit */

static lg_history *fit(detector *d, run *r)
{
    const trainer_data *data = &d->table.data;
    lg_fit_options options = trainer_fit_options(&d->options.shared, data->validation, r);
    lg_real weights[2];
    if (d->options.balanced) {
        if (trainer_class_weights(data->train, 2, weights) != LG_OK)
            return NULL;
        options.class_weight = weights;
        options.class_weight_count = 2;
    }
    return lg_fit(step, d, d->table.optimizer, data->train, &options);
}

/* ------------------------------------------------------------------ report */

static lg_status report(detector *d, run *r)
{
    const lg_dataset *all = d->table.data.all;
    const char *const names[] = { lg_dataset_class_name(all, 0), lg_dataset_class_name(all, 1) };
    lg_tensor *rows = lg_predict(outputs, d, all, &(lg_fit_options){ .batch_size = 4096 }); /* [all rows, 2] */
    predictions p = { 0 };
    lg_status status = rows ? predictions_of(&p, &d->table.data, rows) : lg_error_code();
    if (status == LG_OK)
        status = binary_report(r, &p, names, d->options.hardest, &d->threshold);
    predictions_free(&p);
    lg_tensor_free(rows);
    return status;
}

/* ---------------------------------------------------------------- together */

static lg_status prepare(void *model)
{
    detector *d = model;
    lg_status status = fraud_load(&d->table, &d->options, &d->threshold);
    if (status == LG_OK)
        status = read_data(d);
    if (status == LG_OK)
        status = build_model(d, lg_dataset_features(d->table.data.all));
    return status == LG_OK ? lg_sequential_summary(d->net, stdout) : status;
}

static lg_status train(void *model, run *r, lg_history **history)
{
    detector *d = model;
    fraud_options_note(&d->options, r);
    trainer_note_data(r, &d->options.shared, &d->table.data);
    *history = fit(d, r);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(r, *history, "Fraud detector: loss");
    d->threshold = NAN;
    if (status == LG_OK && !lg_history_signal(*history))
        status = report(d, r);
    return status == LG_OK ? fraud_save(r, d->table.params, &d->table.data, &d->options, d->threshold) : status;
}

/* --load MODEL --predict FILE */
static lg_status predict(void *model, int argc, const char *const *argv)
{
    detector *d = model;
    lg_status status = fraud_load(&d->table, &d->options, &d->threshold);
    if (status == LG_OK)
        status = build_model(d, loaded_features(d->table.loaded));
    const prediction fraud = { .outputs = probabilities, .model = d, .columns = 1, .classes = true,
                               .threshold = d->threshold, .names = (const char *const[]){ "probability" } };
    return status == LG_OK ? loaded_predict(d->table.loaded, argc, argv, &fraud) : status;
}

int main(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, predict, table_release };
    detector d = { .options = fraud_options_parse(argc, argv), .threshold = NAN };
    return trainer_main(&fraud_about, &d.options.shared, &steps, &d, argc, argv);
}

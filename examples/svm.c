/* The linear support vector machine: two classes, told apart by the plane with the widest margin.
 *
 *     build/svm                                               benign or malignant, by 30 measures of cell nuclei
 *     build/svm --lambda 0.001 --loss squared_hinge
 *     build/svm --data data/spam.csv.gz --target type --positive spam --test-split 0.2
 *     build/svm --load runs/svm --predict new.csv             what a machine that is there says of other rows
 *     build/svm --load runs/svm --data more.csv --target kind goes on training it
 *
 * Minimises, with y = -1 or 1 and standardised features x,
 *
 *     lambda |w|^2 + mean max(0, 1 - y (w x + b))^power,   power 1, or 2 with squared_hinge
 *
 * by sub-gradient descent with the step 1 / (lambda t), and takes the average of the way with weights t. By rights the
 * objective is 2 lambda-strongly convex and the step of Pegasos is 1 / (2 lambda t); twice that belongs to this
 * average, with which the distance to the optimum falls as 1 / t, without a logarithm (Lacoste-Julien, Schmidt, Bach
 * 2012).
 *
 * The first of these steps throws away whatever the plane was. So a plane that is loaded, with s steps behind it, goes
 * on with 1 / (lambda (s + t)), and the average is that of the new steps alone.
 *
 * All rows train unless some are held back (--test-split), so that the objective is one that can be compared. How good
 * the machine is on rows that it has not seen, cross-validation tells. */
#include "nuclei.h"
#include "prediction.h"
#include "svm_file.h"
#include "svm_report.h"
#include "svm_steps.h"
#include "trainer_steps.h"

typedef struct svm {
    table_model table; /* first: rows, parameters, optimizer */
    svm_options options;
    lg_dense *plane;      /* score = w x + b */
    size_t steps_made;    /* that the plane has behind it */
    lg_schedule schedule; /* of those to come */
} svm;

/* -------------------------------------------------------------------- data */

static lg_status read_data(svm *d)
{
    const lg_csv_options csv = { .target_kind = LG_BINARY, .positive = d->options.positive };
    return table_read(&d->table, &d->options.shared, csv, nuclei_new, d->options.folds, true);
}

/* ------------------------------------------------------------------- model */

/* The plane begins at zero, where every row is inside the margin, or as it was saved. */
static lg_status make_plane(svm *d, size_t features)
{
    const loaded_model *loaded = d->table.loaded;
    d->table.params = lg_params_new();
    d->plane = lg_dense_new_with(d->table.params, "plane", features, 1, &(lg_dense_options){ .init = LG_INIT_ZEROS },
                                 NULL);
    if (!d->plane)
        return lg_error_code();
    return loaded ? loaded_weights(loaded, d->table.params) : LG_OK;
}

static lg_status make_optimizer(svm *d, const trainer_data *data)
{
    const svm_steps steps = svm_steps_of(&d->options, data, d->steps_made);
    d->schedule = steps.schedule;
    d->table.optimizer = lg_sgd_new(d->table.params, &(lg_sgd_options){ .learning_rate = steps.first });
    return d->table.optimizer ? LG_OK : lg_error_code();
}

/* score = w x + b, which is 0 on the plane and -1 and 1 at the edges of the margin.   [batch, 1] */
static lg_tensor *scores_of(lg_tape *tape, const lg_batch *batch, void *model)
{
    const svm *d = model;
    return lg_dense_apply(tape, d->plane, lg_batch_x(tape, batch));
}

/* -------------------------------------------------------------------- loss */

/* One batch: the objective; and, when all is evaluated after an epoch, how the rows lie about the margin. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const svm *d = model;
    const int power = d->options.loss == SVM_SQUARED_HINGE ? 2 : 1;
    lg_tensor *x = lg_batch_x(tape, batch); /* [batch, features] */
    lg_tensor *y = lg_batch_y(tape, batch); /* [batch], 0 or 1, which the loss takes as -1 and 1 */
    if (!lg_tape_is_training(tape)) {
        lg_tensor *scores = scores_of(tape, batch, model); /* [batch, 1] */
        svm_report_batch(tape, lg_reshape(tape, scores, LG_SHAPE(lg_batch_rows(batch))), y);
    }
    return lg_svm_linear(tape, x, lg_dense_weight(d->plane), lg_dense_bias(d->plane), y, d->options.lambda, power,
                         false, &(lg_loss_options){ .labels = LG_LABELS_01 });
}

/* What is to be known of each row: score and hinge term.   [batch, 2] */
static lg_tensor *outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    const svm *d = model;
    const size_t rows = lg_batch_rows(batch);
    const lg_loss_options options = { .labels = LG_LABELS_01, .reduction = LG_REDUCE_NONE };
    lg_tensor *scores = scores_of(tape, batch, model);                              /* [batch, 1] */
    lg_tensor *y = lg_reshape(tape, lg_batch_y(tape, batch), LG_SHAPE(rows, 1));    /* [batch, 1] */
    lg_tensor *hinge = d->options.loss == SVM_SQUARED_HINGE ? lg_squared_hinge(tape, scores, y, &options)
                                                             : lg_hinge(tape, scores, y, &options);
    return lg_concat(tape, 2, (lg_tensor *[]){ scores, hinge }, 1);
}

/* --------------------------------------------------------------------- fit */

/* `r` NULL: in silence, for a fold. */
static lg_history *fit(svm *d, const trainer_data *data, run *r)
{
    lg_fit_options options = trainer_fit_options(&d->options.shared, data->validation, r);
    options.schedule = &d->schedule;
    options.no_shuffle = d->options.in_order;
    options.evaluate_train = r != NULL;
    if (!d->options.last)
        options.average = (lg_average_options){ .kind = LG_AVERAGE_POLYNOMIAL, .power = 1 };
    return lg_fit(step, d, d->table.optimizer, data->train, &options);
}

/* A machine of its own for a fold. */
static lg_history *fit_fold(void *model, const trainer_data *fold)
{
    svm *d = model;
    lg_status status = make_plane(d, lg_dataset_features(fold->all));
    if (status == LG_OK)
        status = make_optimizer(d, fold);
    return status == LG_OK ? fit(d, fold, NULL) : NULL;
}

/* ------------------------------------------------------------------ report */

static lg_status report(svm *d, run *r)
{
    svm fold = { .options = d->options };
    const fold_trainer how = { &fold, fit_fold, outputs, table_release, 2 };
    lg_tensor *rows, *held_out; /* [all rows, 2] */
    lg_status status = table_outputs(&d->table, &d->options.shared, &how, &rows, &held_out);
    if (status == LG_OK && !interrupt_signal())
        status = svm_report(r, &d->table, &d->options, d->plane, rows, held_out);
    lg_tensor_free(held_out);
    lg_tensor_free(rows);
    return status;
}

/* ---------------------------------------------------------------- together */

static lg_status prepare(void *model)
{
    svm *d = model;
    lg_status status = svm_load(&d->table, &d->options, &d->steps_made);
    if (status == LG_OK)
        status = read_data(d);
    if (status == LG_OK)
        status = make_plane(d, lg_dataset_features(d->table.data.all));
    return status == LG_OK ? make_optimizer(d, &d->table.data) : status;
}

static lg_status train(void *model, run *r, lg_history **history)
{
    svm *d = model;
    svm_options_note(&d->options, folds_count(d->table.folds), r);
    trainer_note_data(r, &d->options.shared, &d->table.data);
    *history = fit(d, &d->table.data, r);
    if (!*history)
        return lg_error_code();
    d->steps_made += lg_optimizer_steps(d->table.optimizer);
    lg_status status = trainer_note_history(r, *history, "Support vector machine: objective");
    if (status == LG_OK)
        status = svm_save(r, d->table.params, &d->table.data, &d->options, d->steps_made);
    return status != LG_OK || lg_history_signal(*history) ? status : report(d, r);
}

/* --load MODEL --predict FILE */
static lg_status predict(void *model, int argc, const char *const *argv)
{
    svm *d = model;
    const prediction score = { .outputs = scores_of, .model = d, .columns = 1, .classes = true, .threshold = 0,
                               .names = (const char *const[]){ "score" } };
    lg_status status = svm_load(&d->table, &d->options, &d->steps_made);
    if (status == LG_OK)
        status = make_plane(d, loaded_features(d->table.loaded));
    return status == LG_OK ? loaded_predict(d->table.loaded, argc, argv, &score) : status;
}

int main(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, predict, table_release };
    svm d = { .options = svm_options_parse(argc, argv) };
    return trainer_main(&svm_about, &d.options.shared, &steps, &d, argc, argv);
}

/* The linear support vector machine: two classes, told apart by the plane with the widest margin.
 *
 *     build/svm                                               benign or malignant, by 30 measures of cell nuclei
 *     build/svm --lambda 0.001 --loss squared_hinge
 *     build/svm --data data/spam.csv.gz --target type --positive spam --test-split 0.2
 *     build/svm --load runs/svm --predict new.csv             what a machine that is there says of other rows
 *
 * Minimises, with y = -1 or 1 and standardised features x,
 *
 *     lambda |w|^2 + mean max(0, 1 - y (w x + b))^power,   power 1, or 2 with squared_hinge
 *
 * by sub-gradient descent with the step 1 / (lambda t), and takes the average of the way with weights t. By rights the
 * objective is 2 lambda-strongly convex and the step of Pegasos is 1 / (2 lambda t); twice that belongs to this average,
 * with which the distance to the optimum falls as 1 / t, without a logarithm (Lacoste-Julien, Schmidt, Bach 2012).
 *
 * All rows train unless some are held back (--test-split), so that the objective is one that can be compared. How good
 * the machine is on rows that it has not seen, cross-validation tells. */
#include "embedded.h"
#include "folds.h"
#include "model_file.h"
#include "prediction.h"
#include "svm_report.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------ command line */

typedef struct svm_options {
    trainer_options shared; /* first: the shared parser knows no other */
    const char *positive;
    double lambda;
    size_t squared, folds;
    bool last, in_order;
} svm_options;

enum { KEY_POSITIVE = 256, KEY_LAMBDA, KEY_LOSS_NAME, KEY_FOLDS, KEY_NO_AVERAGE, KEY_TEXTBOOK };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The machine:", 1 },
    { "positive", KEY_POSITIVE, "CLASS", 0, "The class of --target above the plane (default: the second of two)", 1 },
    { "lambda", KEY_LAMBDA, "NUMBER", 0, "Weight of |w|^2: larger makes the margin wider (default: 0.01)", 1 },
    { "loss", KEY_LOSS_NAME, "hinge|squared_hinge", 0, "What a row inside the margin costs (default: hinge)", 1 },
    { "folds", KEY_FOLDS, "N", 0, "Folds of the cross-validation that is done without a test part; 0: none (default: 5)", 1 },
    { "no-average", KEY_NO_AVERAGE, 0, 0, "Keep the last weights, not the average of all steps", 1 },
    { "textbook", KEY_TEXTBOOK, 0, 0,
      "As the textbook: the constant step 0.01, batches of 1 in the order of the file, 1000 epochs, the last weights. "
      "Options after this one change it", 1 },
    { 0 },
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
    svm_options *options = state->input;
    switch (key) {
    case KEY_POSITIVE: options->positive = arg; break;
    case KEY_LAMBDA:
        options->lambda = argument_real(state, "--lambda", arg, (argument_range){ 0, INFINITY, true, true });
        break;
    case KEY_LOSS_NAME: options->squared = argument_choice(state, "--loss", arg, "hinge|squared_hinge"); break;
    case KEY_FOLDS: options->folds = folds_argument(state, arg); break;
    case KEY_NO_AVERAGE: options->last = true; break;
    case KEY_TEXTBOOK:
        options->shared.learning_rate = 0.01;
        options->shared.batch_size = 1;
        options->shared.epochs = 1000;
        options->last = options->in_order = true;
        break;
    case ARGP_KEY_END:
        if (options->shared.data && !options->shared.target && !options->shared.labels)
            argp_error(state, "--data needs --target: the column of the two classes (-1 is the last); or --labels");
        if (!options->shared.data && !options->shared.predict && (options->shared.target || options->positive))
            argp_error(state, "%s needs --data", options->positive ? "--positive" : "--target");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const trainer about = {
    .name = "svm",
    .summary = "Trains a linear support vector machine by sub-gradient descent. Without --data it tells benign from "
               "malignant tumours by 30 measures of cell nuclei (569 rows).",
    .examples = "Examples:\n"
                "  svm --lambda 0.001\n"
                "  svm --textbook\n"
                "  svm --data data/spam.csv.gz --target type --positive spam --test-split 0.2\n"
                "  svm --data data/breast_cancer.csv --skip-lines 1 --target -1\n"
                "  svm --data a9a --target label                              (LIBSVM)\n"
                "  svm --load runs/svm --predict new.csv",
    .kind = "linear support vector machine",
    .only_predicts = true,
    .rate = "1/(lambda t) at step t",
    .without = (const char *const[]){ "optimizer", NULL },
    .options = own_options,
    .parser = parse_own,
};

/* ------------------------------------------------------------------- model */

typedef struct svm {
    const svm_options *options;
    trainer_data data;
    folds *folds; /* NULL: no cross-validation */
    lg_params *params;
    lg_dense *plane; /* score = w x + b */
    lg_optimizer *optimizer;
} svm;

/* The table of nuclei has neither names of features nor of classes in it. */
static lg_dataset *read_nuclei(void)
{
    static const char *const measures[] = { "radius",    "texture",        "perimeter", "area",
                                            "smoothness", "compactness",   "concavity", "concave points",
                                            "symmetry",  "fractal dimension" };
    char text[30][32];
    const char *names[30];
    for (size_t i = 0; i < 30; i++) {
        snprintf(text[i], sizeof text[i], i < 10 ? "mean %s" : i < 20 ? "%s error" : "worst %s", measures[i % 10]);
        names[i] = text[i];
    }
    lg_dataset *nuclei = embedded_read("breast_cancer.csv", &(lg_csv_options){ .skip_lines = 1,
                                                                               .target = "-1",
                                                                               .target_kind = LG_BINARY });
    if (nuclei && (lg_dataset_set_feature_names(nuclei, 30, names) != LG_OK ||
                   lg_dataset_set_class_names(nuclei, 2, (const char *[]){ "malignant", "benign" }) != LG_OK)) {
        lg_dataset_free(nuclei);
        return NULL;
    }
    return nuclei;
}

static lg_status read_data(svm *d)
{
    const svm_options *options = d->options;
    const lg_csv_options csv = { .target_kind = LG_BINARY, .positive = options->positive };
    lg_dataset *all = options->shared.data ? trainer_read(&options->shared, csv) : read_nuclei();
    if (all && options->folds && options->shared.test_split == 0 && !(d->folds = folds_new(all, options->folds, true))) {
        lg_dataset_free(all);
        return lg_error_code();
    }
    lg_status status = trainer_split(&d->data, &options->shared, all);
    return status == LG_OK ? trainer_scale(&d->data) : status;
}

/* How fast the slope of the squared hinge can change along a step: the curvature of a row is at most 2 (1 + |x|^2), and
 * what the rows of a batch of n have in excess over the mean counts 1/n. Steps beyond its inverse run away; the hinge,
 * whose slope is bounded, needs no such care. */
static double curvature(const svm *d)
{
    const size_t features = lg_dataset_features(d->data.all), rows = d->data.split->train_rows;
    const lg_real *x = lg_dataset_values(d->data.all, "x");
    double squares = 0, fourths = 0;
    if (!d->options->squared)
        return 0;
    for (size_t i = 0; i < rows; i++) {
        double norm = 1;
        for (size_t k = 0; k < features; k++) {
            const double value = (double)x[d->data.split->train[i] * features + k];
            norm += value * value;
        }
        squares += norm;
        fourths += norm * norm;
    }
    return 2 * (squares / (double)rows + fourths / squares / (double)d->options->shared.batch_size);
}

static lg_status make_plane(svm *d, size_t features)
{
    d->params = lg_params_new();
    d->plane = lg_dense_new_with(d->params, "plane", features, 1, &(lg_dense_options){ .init = LG_INIT_ZEROS }, NULL);
    return d->plane ? LG_OK : lg_error_code();
}

/* From zero. The first step is 1 / (lambda + curvature); the schedule makes it 1 / (lambda t + curvature). */
static lg_status build_model(svm *d)
{
    const double constant = d->options->shared.learning_rate;
    lg_status status = make_plane(d, lg_dataset_features(d->data.all));
    const double first = constant > 0 ? constant : 1 / (d->options->lambda + curvature(d));
    d->optimizer = status == LG_OK ? lg_sgd_new(d->params, &(lg_sgd_options){ .learning_rate = first }) : NULL;
    return d->optimizer ? LG_OK : lg_error_code();
}

static lg_tensor *scores_of(lg_tape *tape, const lg_batch *batch, const svm *d)
{
    lg_tensor *scores = lg_dense_apply(tape, d->plane, lg_batch_x(tape, batch)); /* [batch, 1] */
    return lg_reshape(tape, scores, LG_SHAPE(lg_batch_rows(batch)));             /* [batch] */
}

static lg_status report_violations(lg_tape *tape, const lg_tensor *scores, const lg_tensor *y)
{
    const size_t rows = lg_tensor_size(scores);
    const lg_real *score = lg_tensor_data((lg_tensor *)(uintptr_t)scores), *label = lg_tensor_data((lg_tensor *)(uintptr_t)y);
    size_t violations = 0;
    for (size_t i = 0; score && i < rows; i++)
        violations += (label[i] > 0 ? score[i] : -score[i]) < 1;
    return lg_report(tape, "violations", (double)violations / (double)rows, (double)rows);
}

/* One batch: the objective; and, when all is evaluated after an epoch, how the rows lie about the margin. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const svm *d = model;
    lg_tensor *x = lg_batch_x(tape, batch); /* [batch, features] */
    lg_tensor *y = lg_batch_y(tape, batch); /* [batch], 0 or 1, which the loss takes as -1 and 1 */
    if (!lg_tape_is_training(tape)) {
        lg_tensor *scores = scores_of(tape, batch, d); /* [batch] */
        lg_report_accuracy(tape, scores, y);
        report_violations(tape, scores, y);
    }
    return lg_svm_linear(tape, x, lg_dense_weight(d->plane), lg_dense_bias(d->plane), y, d->options->lambda,
                         d->options->squared ? 2 : 1, false, &(lg_loss_options){ .labels = LG_LABELS_01 });
}

/* What is to be known of each row: score and hinge term.   [batch, 2] */
static lg_tensor *outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    const svm *d = model;
    const size_t rows = lg_batch_rows(batch);
    const lg_loss_options options = { .labels = LG_LABELS_01, .reduction = LG_REDUCE_NONE };
    lg_tensor *scores = scores_of(tape, batch, d), *y = lg_batch_y(tape, batch); /* [batch] */
    lg_tensor *hinge = d->options->squared ? lg_squared_hinge(tape, scores, y, &options)
                                           : lg_hinge(tape, scores, y, &options);
    lg_tensor *columns[] = { lg_reshape(tape, scores, LG_SHAPE(rows, 1)), lg_reshape(tape, hinge, LG_SHAPE(rows, 1)) };
    return lg_concat(tape, 2, columns, 1);
}

/* ---------------------------------------------------------------- training */

/* `r` NULL: in silence, for a fold. */
static lg_history *fit(svm *d, run *r)
{
    const svm_options *o = d->options;
    const double lambda = o->lambda;
    lg_schedule schedule = lg_schedule_inverse(lambda / (lambda + curvature(d)));
    schedule.unit = LG_PER_STEP;
    lg_fit_options options = { .epochs = o->shared.epochs, .batch_size = o->shared.batch_size, .seed = o->shared.seed,
                               .clip_norm = o->shared.clip_norm, .verbose = LG_SILENT };
    if (r) {
        options = trainer_fit_options(&o->shared, d->data.validation, r);
        options.evaluate_train = true;
    }
    options.schedule = o->shared.learning_rate > 0 ? NULL : &schedule;
    options.no_shuffle = o->in_order;
    if (!o->last)
        options.average = (lg_average_options){ .kind = LG_AVERAGE_POLYNOMIAL, .power = 1 };
    return lg_fit(step, d, d->optimizer, d->data.train, &options);
}

static void free_model(svm *d)
{
    lg_optimizer_free(d->optimizer);
    lg_params_free(d->params);
}

/* Score and hinge term of the rows of a fold, by a machine of its own. */
static lg_tensor *predict_fold(const trainer_data *data, void *context)
{
    svm fold = { .options = context, .data = *data };
    lg_history *history = build_model(&fold) == LG_OK ? fit(&fold, NULL) : NULL;
    lg_tensor *rows = history ? lg_predict(outputs, &fold, data->test, &(lg_fit_options){ .batch_size = 4096 }) : NULL;
    lg_history_free(history);
    free_model(&fold);
    return rows;
}

static lg_status evaluate(svm *d, run *r)
{
    const size_t rows = lg_dataset_rows(d->data.all);
    lg_tensor *predicted = lg_predict(outputs, d, d->data.all, &(lg_fit_options){ .batch_size = 4096 }); /* [rows, 2] */
    lg_real *held_out = d->folds ? calloc(2 * rows, sizeof *held_out) : NULL;
    lg_status status = predicted ? LG_OK : lg_error_code();
    if (status == LG_OK && d->folds && !held_out)
        status = lg_fail(LG_E_MEMORY, "out of memory for the predictions of %zu rows", rows);
    if (status == LG_OK && d->folds)
        status = folds_predict(d->folds, &d->data, &d->options->shared, predict_fold, (void *)(uintptr_t)d->options, 2,
                               held_out);
    if (status == LG_OK)
        status = svm_report(r, &d->data, &(svm_model){ .names = { lg_dataset_class_name(d->data.all, 0),
                                                                  lg_dataset_class_name(d->data.all, 1) },
                                                       .lambda = d->options->lambda,
                                                       .squared = d->options->squared,
                                                       .weights = lg_tensor_data(lg_dense_weight(d->plane)),
                                                       .bias = lg_tensor_data(lg_dense_bias(d->plane)),
                                                       .rows = lg_tensor_data(predicted),
                                                       .held_out = held_out,
                                                       .folds = d->options->folds });
    free(held_out);
    lg_tensor_free(predicted);
    return status;
}

static lg_status train(svm *d, run *r, lg_history **history)
{
    run_note_text(r, "arguments.positive", d->options->positive);
    run_note_number(r, "arguments.lambda", d->options->lambda);
    run_note_text(r, "arguments.loss", d->options->squared ? "squared_hinge" : "hinge");
    run_note_count(r, "arguments.folds", d->folds ? d->options->folds : 0);
    run_note_flag(r, "arguments.average", !d->options->last);
    trainer_note_data(r, &d->options->shared, &d->data);
    *history = fit(d, r);
    if (!*history)
        return lg_error_code();
    lg_status status = trainer_note_history(r, *history, "Support vector machine: objective");
    if (status == LG_OK)
        status = model_save_table(r, about.kind, d->params, &d->data, NULL, 0, NULL, 0);
    return status != LG_OK || lg_history_signal(*history) ? status : evaluate(d, r);
}

/* -------------------------------------------------------------- prediction */

static lg_tensor *scores(lg_tape *tape, const lg_batch *batch, void *model)
{
    return lg_reshape(tape, scores_of(tape, batch, model), LG_SHAPE(lg_batch_rows(batch), 1));
}

static lg_status predict_file(svm *d, int argc, const char *const *argv)
{
    loaded_model loaded;
    const prediction p = { .outputs = scores,
                           .model = d,
                           .columns = 1,
                           .names = (const char *const[]){ "score" },
                           .classes = true };
    lg_status status = loaded_open(&loaded, &about, &d->options->shared);
    if (status == LG_OK)
        status = loaded_check_classes(&loaded);
    if (status == LG_OK)
        status = loaded_check_dense(&loaded, "plane", loaded_features(&loaded), 1);
    if (status == LG_OK)
        status = make_plane(d, loaded_features(&loaded));
    if (status == LG_OK)
        status = loaded_weights(&loaded, d->params);
    if (status == LG_OK)
        status = loaded_predict(&loaded, argc, argv, &p);
    loaded_close(&loaded);
    return status;
}

/* ---------------------------------------------------------------- together */

static lg_status train_and_report(svm *d, int argc, const char *const *argv, run **r, lg_history **history)
{
    const trainer_options *shared = &d->options->shared;
    lg_status status = read_data(d);
    if (status == LG_OK)
        status = build_model(d);
    if (status == LG_OK)
        status = trainer_print_data(shared, &d->data);
    if (status != LG_OK || shared->dry_run)
        return status;
    *r = trainer_open(&about, shared, argc, argv);
    status = *r ? train(d, *r, history) : lg_error_code();
    return trainer_close(*r, *history, status);
}

int main(int argc, char **argv)
{
    svm_options options = { .shared = { .epochs = 200, .batch_size = 16, .seed = 42, .verbose = LG_PROGRESS },
                            .lambda = 0.01,
                            .folds = 5 };
    trainer_parse(&about, &options, argc, argv);
    svm d = { .options = &options };
    run *r = NULL;
    lg_history *history = NULL;
    lg_status status = run_check(options.shared.out, options.shared.overwrite);
    if (status == LG_OK && options.shared.predict)
        status = predict_file(&d, argc, (const char *const *)argv);
    else if (status == LG_OK)
        status = train_and_report(&d, argc, (const char *const *)argv, &r, &history);
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    run_free(r);
    free_model(&d);
    folds_free(d.folds);
    trainer_data_free(&d.data);
    return trainer_end(status, signal_number);
}

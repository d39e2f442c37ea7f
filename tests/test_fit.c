/* What lg_fit computes: updates, means, validation, schedules, clipping, accumulation, stopping. Against closed forms. */
#include "fit_support.h"
#include "reference/textbook.h"
#include "support.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE (LG_REAL_BITS == 64 ? 1e-12 : 1e-5)

static void near(double value, double expected, double tolerance, const char *what)
{
    ck_assert_msg(fabs(value - expected) <= tolerance * fmax(1, fabs(expected)), "%s: %.12g instead of %.12g", what,
                  value, expected);
}

static lg_history *fit(lg_step_function *step, line *l, const lg_dataset *data, const lg_fit_options *options)
{
    lg_history *history = lg_fit(step, l, l->optimizer, data, options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    return history;
}

/* One of gradient descent's own: w <- w - rate 2/n sum (w x + b - y) x, likewise b, in double. Returns the loss before
 * the step. */
static double descend(const lg_dataset *data, size_t columns, double rate, double *w, double *b)
{
    const size_t rows = lg_dataset_rows(data);
    const lg_real *x = lg_dataset_values(data, "x"), *y = lg_dataset_values(data, "y");
    double loss = 0, gb = 0, gw[8] = { 0 };
    for (size_t i = 0; i < rows; i++) {
        double e = *b - (double)y[i];
        for (size_t j = 0; j < columns; j++)
            e += w[j] * (double)x[i * columns + j];
        loss += e * e / (double)rows;
        gb += 2 * e / (double)rows;
        for (size_t j = 0; j < columns; j++)
            gw[j] += 2 * e * (double)x[i * columns + j] / (double)rows;
    }
    *b -= rate * gb;
    for (size_t j = 0; j < columns; j++)
        w[j] -= rate * gw[j];
    return loss;
}

START_TEST(full_batches_descend_as_the_formula_does)
{
    lg_dataset *data = points_new(100, 3, false, 1);
    line l = line_new(3, 0.05);
    const lg_fit_options options = quiet(60, 100);
    lg_history *history = fit(line_step, &l, data, &options);
    size_t rows;
    const double *loss = lg_history_column(history, "loss", &rows);
    ck_assert_uint_eq(rows, 60);
    double w[3] = { 0 }, b = 0;
    for (size_t epoch = 0; epoch < 60; epoch++)
        near(loss[epoch], descend(data, 3, 0.05, w, &b), TOLERANCE * 10, "loss");
    for (size_t j = 0; j < 3; j++)
        near((double)lg_tensor_data(l.w)[j], w[j], TOLERANCE * 10, "w");
    near((double)lg_tensor_data(l.b)[0], b, TOLERANCE * 10, "b");
    near(lg_history_last(history, "learning_rate"), 0.05, 0, "learning rate");
    near(lg_history_last(history, "epoch"), 60, 0, "epoch");
    ck_assert(lg_history_last(history, "seconds") >= 0 && lg_history_stop(history) == LG_STOP_NONE);
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

/* scikit-learn's rows, NumPy's descent: 100 full-batch steps from zero (reference/textbook.h). */
START_TEST(the_textbook_run_ends_where_the_textbook_does)
{
    char path[512];
    size_t train[REFERENCE_TEXTBOOK_TRAIN_ROWS], test[REFERENCE_TEXTBOOK_TEST_ROWS];
    snprintf(path, sizeof path, "%s/tests/reference/textbook.csv.gz", test_source_dir());
    lg_dataset *data = lg_dataset_read_csv(path, &(lg_csv_options){ .target = "fraud", .target_kind = LG_BINARY });
    ck_assert_msg(data != NULL, "%s", lg_error());
    lg_scaler *scaler = lg_scaler_fit(data, NULL, 0);
    ck_assert_int_eq(lg_scaler_apply(scaler, data), LG_OK);
    for (size_t i = 0; i < REFERENCE_TEXTBOOK_TRAIN_ROWS; i++)
        train[i] = i;
    for (size_t i = 0; i < REFERENCE_TEXTBOOK_TEST_ROWS; i++)
        test[i] = REFERENCE_TEXTBOOK_TRAIN_ROWS + i;
    lg_dataset *train_part = lg_dataset_subset(data, train, REFERENCE_TEXTBOOK_TRAIN_ROWS);
    lg_dataset *test_part = lg_dataset_subset(data, test, REFERENCE_TEXTBOOK_TEST_ROWS);
    line l = line_new(REFERENCE_TEXTBOOK_FEATURES, 0.01);
    const lg_fit_options options = quiet(100, REFERENCE_TEXTBOOK_TRAIN_ROWS);
    lg_history *history = fit(logistic_step, &l, train_part, &options);
    const double tolerance = LG_REAL_BITS == 64 ? 1e-9 : 1e-5;
    for (size_t epoch = 0; epoch < 100; epoch++)
        near(lg_history_column(history, "loss", NULL)[epoch], reference_textbook_history[epoch], tolerance, "loss");
    for (size_t j = 0; j < REFERENCE_TEXTBOOK_FEATURES; j++)
        near((double)lg_tensor_data(l.w)[j], reference_textbook_weight[j], tolerance, "weight");
    lg_history *on_train = lg_evaluate(logistic_step, &l, train_part, NULL);
    lg_history *on_test = lg_evaluate(logistic_step, &l, test_part, &(lg_fit_options){ .batch_size = 77 });
    near(lg_history_last(on_train, "loss"), reference_textbook_train_loss, tolerance, "training loss");
    near(lg_history_last(on_test, "loss"), reference_textbook_test_loss, tolerance, "test loss");
    near(lg_history_last(on_test, "accuracy"), reference_textbook_test_accuracy, 1e-12, "test accuracy");
    lg_history_free(on_train);
    lg_history_free(on_test);
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(train_part);
    lg_dataset_free(test_part);
    lg_scaler_free(scaler);
    lg_dataset_free(data);
}
END_TEST

/* ------------------------------------------------------------- epoch means */

/* sum w l / sum w with w = the row's x, reported with the weight of the batch's w. */
static lg_tensor *weighted_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    line *l = model;
    lg_tensor *x = lg_batch_x(tape, batch), *y = lg_batch_y(tape, batch);
    lg_tensor *zeros = lg_scale(tape, lg_linear(tape, x, l->w, l->b, LG_LINEAR), 1);
    const lg_real *values = lg_batch_values(batch, "x");
    double sum = 0;
    for (size_t i = 0; i < lg_batch_rows(batch); i++)
        sum += (double)values[i];
    lg_report(tape, "first", (double)values[0], sum);
    return lg_binary_crossentropy(tape, zeros, y, &(lg_loss_options){ .from_logits = true, .sample_weight = x,
                                                                      .reduction = LG_REDUCE_WEIGHTED_MEAN });
}

/* Seven rows in batches of three: the weights 1..7 count across batches, whose means do not. b = ln 3 makes the
 * probability 3/4, so the loss is -ln(3/4) for label 1 and -ln(1/4) for label 0. */
START_TEST(epoch_means_weigh_ragged_batches_by_their_divisors)
{
    const lg_real x[] = { 1, 2, 3, 4, 5, 6, 7 }, y[] = { 1, 0, 1, 0, 1, 0, 0 };
    lg_dataset *data = lg_dataset_from_arrays(7, 1, x, y);
    line l = line_new(1, LG_ZERO);
    lg_tensor_data(l.b)[0] = (lg_real)log(3);
    lg_optimizer_set_learning_rate(l.optimizer, 0);
    lg_fit_options options = quiet(1, 3);
    options.no_shuffle = true;
    options.validation = data;
    lg_history *history = fit(weighted_step, &l, data, &options);
    const double right = -log(0.75), wrong = -log(0.25);
    const double expected = ((1 + 3 + 5) * right + (2 + 4 + 6 + 7) * wrong) / 28;
    near(lg_history_last(history, "loss"), expected, TOLERANCE, "loss");
    near(lg_history_last(history, "val_loss"), expected, TOLERANCE, "val_loss");
    near(lg_history_last(history, "first"), (1 * 6 + 4 * 15 + 7 * 7) / 28.0, 1e-12, "first");
    near(lg_history_last(history, "val_first"), (1 * 6 + 4 * 15 + 7 * 7) / 28.0, 1e-12, "val_first");
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

/* ---------------------------------------------------------------- validation */

typedef struct watched {
    line line;
    size_t training_steps, evaluation_steps, wrong;
    size_t rows[100]; /* how often each row was trained on */
    const lg_tensor *class_weight;
    double weights[2];
    size_t last_rows;
} watched;

static lg_tensor *watched_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    watched *w = model;
    const bool training = lg_tape_is_training(tape);
    lg_tensor *loss = logistic_step(tape, batch, &w->line);
    (*(training ? &w->training_steps : &w->evaluation_steps))++;
    w->wrong += loss && lg_tensor_requires_grad(loss) != training;
    const lg_tensor *class_weight = lg_batch_class_weight(tape, batch);
    w->wrong += !training && class_weight;
    if (training) {
        w->class_weight = class_weight;
        for (size_t i = 0; class_weight && i < 2; i++)
            w->weights[i] = (double)lg_tensor_data((lg_tensor *)class_weight)[i];
        for (size_t i = 0; i < lg_batch_rows(batch) && lg_batch_ids(batch)[i] < 100; i++)
            w->rows[lg_batch_ids(batch)[i]]++;
        w->last_rows = lg_batch_rows(batch);
    }
    return loss;
}

START_TEST(validation_runs_without_gradients_and_without_class_weights)
{
    lg_dataset *data = points_new(70, 2, true, 3), *more = points_new(25, 2, true, 4);
    watched w = { .line = line_new(2, 0.1) };
    lg_fit_options options = quiet(3, 32);
    options.validation = more;
    options.class_weight = (lg_real[]){ 0.5, 4 };
    options.class_weight_count = 2;
    lg_history *history = lg_fit(watched_step, &w, w.line.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_eq(w.training_steps, 9); /* 32 + 32 + 6 rows, three times */
    ck_assert_uint_eq(w.evaluation_steps, 3);
    ck_assert_uint_eq(w.last_rows, 6);
    ck_assert_uint_eq(w.wrong, 0);
    ck_assert(w.class_weight && w.weights[0] == 0.5 && w.weights[1] == 4);
    for (size_t i = 0; i < 70; i++)
        ck_assert_uint_eq(w.rows[i], 3);
    lg_history *evaluation = lg_evaluate(watched_step, &w, more, NULL);
    ck_assert_uint_eq(w.wrong, 0);
    near(lg_history_last(history, "val_loss"), lg_history_last(evaluation, "loss"), 0, "val_loss");
    near(lg_history_last(history, "val_accuracy"), lg_history_last(evaluation, "accuracy"), 0, "val_accuracy");
    lg_history_free(evaluation);
    lg_history_free(history);
    line_free(&w.line);
    lg_dataset_free(data);
    lg_dataset_free(more);
}
END_TEST

/* 20 of 100 rows are of class 1; a stratified fifth has 4 of them among its 20. */
static lg_tensor *counting_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const lg_real *y = lg_batch_values(batch, "y");
    double positives = 0;
    for (size_t i = 0; i < lg_batch_rows(batch); i++)
        positives += (double)y[i];
    lg_report(tape, "positives", positives, 1);
    lg_report(tape, "rows", (double)lg_batch_rows(batch), 1);
    return logistic_step(tape, batch, model);
}

START_TEST(a_validation_split_is_stratified)
{
    lg_real x[100] = { 0 }, y[100] = { 0 };
    for (size_t i = 0; i < 20; i++)
        y[i] = 1;
    lg_dataset *data = lg_dataset_from_arrays(100, 1, x, y);
    lg_dataset_set_class_names(data, 2, (const char *[]){ "no", "yes" });
    line l = line_new(1, 0.1);
    lg_fit_options options = quiet(1, 100);
    options.validation_split = 0.2;
    options.seed = (uint64_t)_i;
    lg_history *history = fit(counting_step, &l, data, &options);
    near(lg_history_last(history, "rows"), 80, 0, "rows");
    near(lg_history_last(history, "positives"), 16, 0, "positives");
    near(lg_history_last(history, "val_rows"), 20, 0, "val_rows");
    near(lg_history_last(history, "val_positives"), 4, 0, "val_positives");
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

/* ----------------------------------------------- rates, clipping, accumulation */

START_TEST(schedules_are_followed_and_recorded)
{
    lg_dataset *data = points_new(40, 1, false, 5);
    line l = line_new(1, 0.08);
    lg_schedule per_epoch = lg_schedule_step(2, 0.5), per_step = lg_schedule_exponential(0.9);
    per_step.unit = LG_PER_STEP;
    lg_fit_options options = quiet(6, 10);
    options.schedule = &per_epoch;
    lg_history *history = fit(line_step, &l, data, &options);
    const double *rate = lg_history_column(history, "learning_rate", NULL);
    for (int epoch = 0; epoch < 6; epoch++)
        near(rate[epoch], 0.08 * pow(0.5, epoch / 2), 1e-15, "rate per epoch");
    near(lg_optimizer_learning_rate(l.optimizer), 0.08, 0, "rate afterwards");
    lg_history_free(history);
    options.schedule = &per_step;
    history = fit(line_step, &l, data, &options);
    rate = lg_history_column(history, "learning_rate", NULL);
    for (int epoch = 0; epoch < 6; epoch++) /* four steps an epoch, the last of them is number 4 epoch + 3 */
        near(rate[epoch], 0.08 * pow(0.9, 4 * epoch + 3), 1e-15, "rate per step");
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

/* The parameter b alone, with the gradient that the test sets: loss = slope b. */
typedef struct pushed {
    line line;
    const double *script; /* reported as "score", one an epoch */
    size_t epoch, failing_step;
    double slope;
} pushed;

static lg_tensor *pushed_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    pushed *p = model;
    (void)batch;
    if (p->script && lg_tape_is_training(tape))
        lg_report(tape, "score", p->script[p->epoch++], 1);
    return lg_scale(tape, lg_sum(tape, p->line.b), p->slope);
}

static double b_of(const pushed *p)
{
    return (double)lg_tensor_data(p->line.b)[0];
}

START_TEST(a_plateau_reduces_the_rate)
{
    lg_dataset *data = points_new(4, 1, false, 6);
    const double script[] = { 3, 2, 2, 2, 2, 2 };
    pushed p = { .line = line_new(1, 1), .script = script, .slope = 1 };
    lg_schedule plateau = lg_schedule_plateau(0.1, 1);
    lg_fit_options options = quiet(6, 4);
    options.schedule = &plateau;
    options.early_stopping.monitor = "score";
    lg_history *history = lg_fit(pushed_step, &p, p.line.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    const double expected[] = { 1, 1, 1, 1, 0.1, 0.1 }; /* epochs 3 and 4 are bad, one more than patience */
    for (size_t epoch = 0; epoch < 6; epoch++)
        near(lg_history_column(history, "learning_rate", NULL)[epoch], expected[epoch], 1e-15, "rate");
    lg_history_free(history);
    line_free(&p.line);
    lg_dataset_free(data);
}
END_TEST

START_TEST(gradients_are_clipped_by_value_then_by_norm)
{
    lg_dataset *data = points_new(1, 1, false, 6);
    pushed p = { .line = line_new(1, 1), .slope = -8 };
    lg_fit_options options = quiet(1, 1);
    options.clip_norm = (const double[]){ 0, 2, 0, 1 }[_i];
    options.clip_value = (const double[]){ 0, 0, 3, 3 }[_i];
    lg_history *history = lg_fit(pushed_step, &p, p.line.optimizer, data, &options);
    near(b_of(&p), (const double[]){ 8, 2, 3, 1 }[_i], TOLERANCE, "b after a step of rate 1");
    lg_history_free(history);
    line_free(&p.line);
    lg_dataset_free(data);
}
END_TEST

static lg_tensor *weighted_mean_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    line *l = model;
    lg_tensor *x = lg_batch_x(tape, batch), *y = lg_batch_y(tape, batch);
    lg_tensor *logits = lg_linear(tape, x, l->w, l->b, LG_LINEAR);
    lg_tensor *weight = lg_square(tape, lg_slice(tape, x, 1, 0, 1));                        /* [batch, 1] */
    return lg_binary_crossentropy(tape, logits, y, &(lg_loss_options){ .from_logits = true, .sample_weight = weight,
                                                                       .reduction = LG_REDUCE_WEIGHTED_MEAN });
}

static lg_tensor *sum_step(lg_tape *tape, const lg_batch *batch, void *model)
{
    line *l = model;
    lg_tensor *logits = lg_linear(tape, lg_batch_x(tape, batch), l->w, l->b, LG_LINEAR);
    return lg_binary_crossentropy(tape, logits, lg_batch_y(tape, batch),
                                  &(lg_loss_options){ .from_logits = true, .reduction = LG_REDUCE_SUM });
}

/* 23 rows: batches of 2, four at a time, make updates of 8, 8 and 7 rows, as batches of 8 do. */
START_TEST(accumulated_batches_equal_a_large_one)
{
    lg_step_function *const steps[] = { logistic_step, weighted_mean_step, sum_step, line_step };
    lg_dataset *data = points_new(23, 2, _i < 3, 7);
    double values[2][3];
    for (int accumulated = 0; accumulated < 2; accumulated++) {
        line l = line_new(2, 0.05);
        lg_fit_options options = quiet(4, accumulated ? 2 : 8);
        options.accumulate = accumulated ? 4 : 0;
        options.no_shuffle = true;
        lg_history *history = fit(steps[_i], &l, data, &options);
        ck_assert_uint_eq(lg_optimizer_steps(l.optimizer), 12);
        values[accumulated][0] = (double)lg_tensor_data(l.w)[0];
        values[accumulated][1] = (double)lg_tensor_data(l.w)[1];
        values[accumulated][2] = (double)lg_tensor_data(l.b)[0];
        lg_history_free(history);
        line_free(&l);
    }
    for (int k = 0; k < 3; k++)
        near(values[1][k], values[0][k], TOLERANCE, "parameter");
    ck_assert(fabs(values[0][0]) > 0.01);
    lg_dataset_free(data);
}
END_TEST

/* Zeros predict 1/2 everywhere, so a unit costs ln 2, and a batch of n rows n ln 2. */
START_TEST(a_loss_that_sums_is_averaged_over_its_units)
{
    lg_dataset *data = points_new(23, 2, true, 7);
    line l = line_new(2, 0.05);
    lg_optimizer_set_learning_rate(l.optimizer, 0);
    lg_fit_options options = quiet(1, 8);
    options.validation = data;
    lg_history *history = fit(sum_step, &l, data, &options);
    near(lg_history_last(history, "loss"), log(2), TOLERANCE, "loss");
    near(lg_history_last(history, "val_loss"), log(2), TOLERANCE, "val_loss");
    lg_history_free(history);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

/* ------------------------------------------------------------------ stopping */

/* Every epoch adds 1 to b, so b tells the epoch that it is from. */
static lg_history *scripted(pushed *p, const double *script, lg_early_stopping early)
{
    lg_dataset *data = points_new(3, 1, false, 6);
    *p = (pushed){ .line = line_new(1, 1), .script = script, .slope = -1 };
    lg_fit_options options = quiet(8, 3);
    options.early_stopping = early;
    lg_history *history = lg_fit(pushed_step, p, p->line.optimizer, data, &options);
    lg_dataset_free(data);
    return history;
}

static const struct {
    double script[8];
    lg_early_stopping early;
    size_t epochs, best;
    double b;
    lg_stop stop;
} stories[] = {
    { { 1, 2, 3, 2, 2, 4, 5, 6 }, { 2, "score", 0, LG_MONITOR_MAX, false }, 5, 3, 3, LG_STOP_EARLY },
    { { 1, 2, 3, 2, 2, 4, 5, 6 }, { 2, "score", 0, LG_MONITOR_MAX, true }, 5, 3, 5, LG_STOP_EARLY },
    { { 1, 2, 3, 2, 2, 4, 5, 6 }, { 3, "score", 0, LG_MONITOR_MAX, false }, 8, 8, 8, LG_STOP_NONE },
    { { 9, 8, 7.5, 7, 6.5, 6, 5.5, 5 }, { 2, "score", 1, LG_MONITOR_MIN, false }, 5, 3, 3, LG_STOP_EARLY },
    { { 9, 8, NAN, NAN, NAN, 1, 1, 1 }, { 3, "score", 0, LG_MONITOR_AUTO, false }, 5, 2, 2, LG_STOP_EARLY },
    { { 9, 8, 7, 8, 8, 8, 8, 8 }, { 6, "score", 0, LG_MONITOR_AUTO, false }, 8, 3, 3, LG_STOP_NONE },
    { { 0 }, { 2, NULL, 0, LG_MONITOR_AUTO, false }, 8, 8, 8, LG_STOP_NONE }, /* loss = -b falls all the time */
};

START_TEST(early_stopping_follows_its_story)
{
    pushed p;
    lg_history *history = scripted(&p, stories[_i].script, stories[_i].early);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert_uint_eq(lg_history_rows(history), stories[_i].epochs);
    ck_assert_uint_eq(lg_history_best_epoch(history), stories[_i].best);
    ck_assert_int_eq(lg_history_stop(history), stories[_i].stop);
    near(b_of(&p), stories[_i].b, 0, "b");
    lg_history_free(history);
    line_free(&p.line);
}
END_TEST

START_TEST(a_monitor_that_is_not_there_is_an_error)
{
    pushed p;
    ck_assert_ptr_null(scripted(&p, stories[0].script, (lg_early_stopping){ .patience = 1, .monitor = "scores" }));
    ck_assert_str_eq(lg_error(), "the history has no column \"scores\", did you mean \"score\"?");
    line_free(&p.line);
    ck_assert_ptr_null(scripted(&p, stories[0].script, (lg_early_stopping){ .patience = 1, .monitor = "val_loss" }));
    ck_assert_msg(strstr(lg_error(), "there is no validation") != NULL, "%s", lg_error());
    line_free(&p.line);
}
END_TEST

typedef struct told {
    size_t epochs, steps, stop_after;
    double gradient;
    lg_status epoch_status, step_status;
} told;

static lg_status at_epoch(size_t epoch, const lg_history *history, void *context)
{
    told *t = context;
    t->epochs += lg_history_rows(history) == epoch;
    return epoch == t->stop_after ? t->epoch_status : LG_OK;
}

static lg_status at_step(lg_params *params, void *context)
{
    told *t = context;
    t->gradient = (double)lg_tensor_grad(lg_params_find(params, "b"))[0];
    return ++t->steps == t->stop_after ? t->step_status : LG_OK;
}

START_TEST(callbacks_see_all_and_can_stop)
{
    lg_dataset *data = points_new(6, 1, false, 6);
    pushed p = { .line = line_new(1, 1), .slope = -5 };
    told t = { .stop_after = 3, .epoch_status = LG_E_INTERRUPTED };
    lg_fit_options options = quiet(5, 3);
    options.callback = at_epoch;
    options.before_step = at_step;
    options.context = &t;
    options.clip_value = 1;
    lg_history *history = lg_fit(pushed_step, &p, p.line.optimizer, data, &options);
    ck_assert_msg(history != NULL, "%s", lg_error());
    ck_assert(t.epochs == 3 && t.steps == 6 && t.gradient == -5 && lg_history_rows(history) == 3);
    ck_assert_int_eq(lg_history_stop(history), LG_STOP_CALLBACK);
    near(b_of(&p), 6, 0, "b");
    lg_history_free(history);

    t = (told){ .stop_after = 2, .epoch_status = LG_E_DOMAIN };
    lg_error_clear();
    ck_assert_ptr_null(lg_fit(pushed_step, &p, p.line.optimizer, data, &options));
    ck_assert_int_eq(lg_error_code(), LG_E_DOMAIN);
    ck_assert_uint_eq(t.epochs, 2);
    t = (told){ .stop_after = 3, .step_status = LG_E_IO };
    lg_error_clear();
    ck_assert_ptr_null(lg_fit(pushed_step, &p, p.line.optimizer, data, &options));
    ck_assert_int_eq(lg_error_code(), LG_E_IO);
    ck_assert(t.steps == 3 && t.epochs == 1);
    line_free(&p.line);
    lg_dataset_free(data);
}
END_TEST

/* ------------------------------------------------------ evaluate and predict */

static lg_tensor *line_outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    line *l = model;
    return lg_linear(tape, lg_batch_x(tape, batch), l->w, l->b, LG_LINEAR);
}

static lg_tensor *scalar_outputs(lg_tape *tape, const lg_batch *batch, void *model)
{
    return lg_sum(tape, line_outputs(tape, batch, model));
}

START_TEST(predictions_come_in_the_order_of_rows)
{
    lg_real x[25];
    for (size_t i = 0; i < 25; i++)
        x[i] = (lg_real)i;
    lg_dataset *data = lg_dataset_from_arrays(25, 1, x, x);
    line l = line_new(1, 1);
    lg_tensor_data(l.w)[0] = 2;
    lg_tensor_data(l.b)[0] = 1;
    lg_tensor *outputs = lg_predict(line_outputs, &l, data, &(lg_fit_options){ .batch_size = 7 });
    ck_assert_msg(outputs != NULL, "%s", lg_error());
    ck_assert(lg_tensor_rank(outputs) == 2 && lg_tensor_dim(outputs, 0) == 25 && lg_tensor_dim(outputs, 1) == 1);
    for (size_t i = 0; i < 25; i++)
        ck_assert(lg_tensor_data(outputs)[i] == (lg_real)(2 * i + 1));
    lg_tensor_free(outputs);
    ck_assert_ptr_null(lg_predict(scalar_outputs, &l, data, NULL));
    ck_assert_int_eq(lg_error_code(), LG_E_SHAPE);
    /* mean (2 i + 1 - i)^2 = mean (i + 1)^2 over i = 0..24 = 25 26 51 / 6 / 25 */
    lg_history *evaluation = lg_evaluate(line_step, &l, data, &(lg_fit_options){ .batch_size = 4 });
    near(lg_history_last(evaluation, "loss"), 221, TOLERANCE, "loss");
    lg_history_free(evaluation);
    line_free(&l);
    lg_dataset_free(data);
}
END_TEST

Suite *fit_suite(void)
{
    Suite *suite = suite_create("fit");
    TCase *values = tcase_create("values");
    tcase_add_test(values, full_batches_descend_as_the_formula_does);
    tcase_add_test(values, the_textbook_run_ends_where_the_textbook_does);
    tcase_add_test(values, epoch_means_weigh_ragged_batches_by_their_divisors);
    tcase_add_test(values, validation_runs_without_gradients_and_without_class_weights);
    tcase_add_loop_test(values, a_validation_split_is_stratified, 0, 3);
    tcase_add_test(values, predictions_come_in_the_order_of_rows);
    suite_add_tcase(suite, values);
    TCase *updates = tcase_create("updates");
    tcase_add_test(updates, schedules_are_followed_and_recorded);
    tcase_add_test(updates, a_plateau_reduces_the_rate);
    tcase_add_loop_test(updates, gradients_are_clipped_by_value_then_by_norm, 0, 4);
    tcase_add_loop_test(updates, accumulated_batches_equal_a_large_one, 0, 4);
    tcase_add_test(updates, a_loss_that_sums_is_averaged_over_its_units);
    suite_add_tcase(suite, updates);
    TCase *stopping = tcase_create("stopping");
    tcase_add_loop_test(stopping, early_stopping_follows_its_story, 0, sizeof stories / sizeof *stories);
    tcase_add_test(stopping, a_monitor_that_is_not_there_is_an_error);
    tcase_add_test(stopping, callbacks_see_all_and_can_stop);
    suite_add_tcase(suite, stopping);
    return suite;
}

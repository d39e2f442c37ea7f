/* Rows through a step function: passes (fit_internal.h), lg_evaluate and lg_predict (fit.h). */
#include "train/fit_internal.h"

#include "losses/loss.h"
#include "tensor/memory_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BATCH_SIZE 32

lg_status lg_pass_open(lg_pass *pass, const lg_dataset *dataset, size_t batch_size, const lg_rng *order)
{
    if (!pass->step)
        return lg_fail_null("%s: the step function is NULL", pass->what);
    if (!dataset)
        return lg_fail_null("%s: the data set is NULL", pass->what);
    pass->rows = lg_dataset_rows(dataset);
    if (pass->rows == 0)
        return lg_fail(LG_E_PARAM, "%s: the data set has no rows", pass->what);
    pass->batch_size = batch_size ? batch_size : DEFAULT_BATCH_SIZE;
    if (pass->batch_size > pass->rows)
        pass->batch_size = pass->rows;
    pass->steps = (pass->rows - 1) / pass->batch_size + 1;
    snprintf(pass->loss_name, sizeof pass->loss_name, "%sloss", pass->prefix ? pass->prefix : "");
    pass->batch = lg_batch_new(dataset, pass->batch_size);
    pass->ids = pass->batch ? lg_calloc(pass->batch_size, sizeof *pass->ids, pass->what) : NULL;
    pass->sampler = pass->ids ? lg_sampler_for(dataset, order != NULL, order) : NULL;
    pass->reports = pass->sampler ? lg_reports_new(pass->prefix) : NULL;
    return pass->reports ? LG_OK : lg_error_code();
}

void lg_pass_close(lg_pass *pass)
{
    lg_batch_free(pass->batch);
    lg_sampler_free(pass->sampler);
    free(pass->ids);
    lg_reports_free(pass->reports);
}

void lg_pass_begin(lg_pass *pass, size_t epoch)
{
    lg_tape_set_training(pass->tape, pass->training);
    lg_tape_set_gradients(pass->tape, pass->training);
    lg_reports_attach(pass->reports, pass->tape);
    lg_reports_clear(pass->reports);
    pass->epoch = epoch;
    lg_sampler_begin(pass->sampler, epoch);
    pass->numerator = pass->divisor = 0;
}

lg_tensor *lg_pass_record(lg_pass *pass, size_t step)
{
    const size_t count = lg_sampler_next(pass->sampler, pass->batch_size, pass->ids);
    if (lg_batch_fill(pass->batch, pass->ids, count) != LG_OK) {
        lg_fail_null("%s: the data set could not fill a batch", pass->what);
        return NULL;
    }
    lg_tape_reset(pass->tape);
    lg_tape_set_random(pass->tape, pass->seed, pass->epoch, step);
    lg_tensor *result = pass->step(pass->tape, pass->batch, pass->model);
    if (!result)
        lg_fail_null("%s: the step function returned NULL and said nothing (lg_fail)", pass->what);
    return result;
}

static void fail_nan(const lg_pass *pass, size_t step)
{
    char cause[512];
    if (!lg_tape_find_nonfinite(pass->tape, cause, sizeof cause))
        snprintf(cause, sizeof cause, "every recorded operation has finite results, so look at what the step "
                                      "function returns");
    if (pass->epoch == 0)
        lg_fail(LG_E_NAN, "%s: the loss is NaN in batch %zu: %s", pass->what, step, cause);
    else if (pass->training)
        lg_fail(LG_E_NAN, "%s: the loss is NaN in epoch %zu, step %zu: %s", pass->what, pass->epoch, step, cause);
    else
        lg_fail(LG_E_NAN, "%s: %s is NaN after epoch %zu, in batch %zu: %s", pass->what, pass->loss_name, pass->epoch,
                step, cause);
}

lg_step_loss lg_pass_loss(lg_pass *pass, size_t step)
{
    lg_step_loss loss = { .tensor = lg_pass_record(pass, step) };
    const lg_step_loss failed = { .tensor = NULL };
    if (!loss.tensor)
        return failed;
    if (lg_tensor_size(loss.tensor) != 1 || lg_tensor_dtype(loss.tensor) != LG_REAL) {
        char shape[96];
        lg_fail(LG_E_SHAPE, "%s: the step function returned %s %s; a loss of one real element is wanted", pass->what,
                lg_tensor_dtype(loss.tensor) == LG_REAL ? "a tensor" : "int32 indices",
                lg_tensor_shape_text(loss.tensor, shape, sizeof shape));
        return failed;
    }
    const lg_real *value = lg_tensor_data(loss.tensor);
    if (!value) {
        lg_fail(LG_E_STATE, "%s: the step function returned a tensor of a recording that is gone", pass->what);
        return failed;
    }
    loss.value = (double)*value;
    if (isnan(loss.value)) {
        fail_nan(pass, step);
        return failed;
    }
    if (lg_reports_status(pass->reports) != LG_OK) {
        lg_fail_null("%s: a report of the step function failed", pass->what);
        return failed;
    }
    if (!lg_loss_terms(loss.tensor, &loss.numerator, &loss.divisor)) {
        loss.divisor = (double)lg_batch_rows(pass->batch);
        loss.numerator = loss.value * loss.divisor;
    }
    pass->numerator += loss.numerator;
    pass->divisor += loss.divisor;
    return loss;
}

double lg_pass_mean(const lg_pass *pass)
{
    return pass->divisor > 0 ? pass->numerator / pass->divisor : 0; /* as a loss over nothing is 0 */
}

/* --------------------------------------------------------------- evaluate */

/* A row of the loss and the reports. */
static lg_status add_evaluation(lg_history *history, lg_pass *pass)
{
    size_t count;
    const char *const *names;
    const double *values;
    lg_status status = lg_reports_read(pass->reports, true, &count, &names, &values);
    const char **row_names = status == LG_OK ? lg_calloc(count + 1, sizeof *row_names, pass->what) : NULL;
    double *row = row_names ? lg_calloc(count + 1, sizeof *row, pass->what) : NULL;
    if (row) {
        row_names[0] = "loss";
        row[0] = lg_pass_mean(pass);
        for (size_t i = 0; i < count; i++) {
            row_names[i + 1] = names[i];
            row[i + 1] = values[i];
        }
        status = lg_history_add(history, count + 1, row_names, row);
    } else {
        status = lg_error_code();
    }
    free(row_names);
    free(row);
    return status;
}

/* A pass of one's own for evaluation, with a tape that the caller frees. */
static lg_status open_evaluation(lg_pass *pass, const lg_dataset *dataset, const lg_fit_options *options)
{
    lg_status status = lg_pass_open(pass, dataset, options ? options->batch_size : 0, NULL);
    if (status != LG_OK)
        return status;
    pass->seed = options ? options->seed : 0;
    pass->tape = lg_tape_new();
    if (!pass->tape)
        return LG_E_MEMORY;
    lg_pass_begin(pass, 0);
    return LG_OK;
}

lg_history *lg_evaluate(lg_step_function *step, void *model, const lg_dataset *dataset, const lg_fit_options *options)
{
    lg_pass pass = { .what = "lg_evaluate", .step = step, .model = model };
    lg_history *history = NULL;
    lg_status status = open_evaluation(&pass, dataset, options);
    for (size_t i = 1; i <= pass.steps && status == LG_OK; i++)
        if (!lg_pass_loss(&pass, i).tensor)
            status = lg_error_code();
    if (status == LG_OK)
        status = (history = lg_history_new()) ? add_evaluation(history, &pass) : LG_E_MEMORY;
    lg_tape_free(pass.tape);
    lg_pass_close(&pass);
    if (status == LG_OK)
        return history;
    lg_history_free(history);
    return NULL;
}

/* ---------------------------------------------------------------- predict */

/* Room for all rows of outputs like this first one. */
static lg_tensor *room_for(const lg_pass *pass, const lg_tensor *first)
{
    size_t dims[LG_MAX_RANK];
    memcpy(dims, lg_tensor_dims(first), lg_tensor_rank(first) * sizeof *dims);
    dims[0] = pass->rows;
    return lg_tensor_zeros(lg_tensor_rank(first), dims);
}

/* Copies the outputs of a batch behind those of the batches before it. */
static lg_status take_outputs(const lg_pass *pass, size_t step, lg_tensor *outputs, lg_tensor **all)
{
    const size_t rows = lg_batch_rows(pass->batch), rank = lg_tensor_rank(outputs);
    char shape[96];
    if (lg_tensor_dtype(outputs) != LG_REAL || rank == 0 || lg_tensor_dim(outputs, 0) != rows)
        return lg_fail(LG_E_SHAPE, "lg_predict: the outputs are %s %s; real ones [%zu, ...], a row for each of the "
                                   "batch, are wanted",
                       lg_tensor_dtype(outputs) == LG_REAL ? "real" : "int32",
                       lg_tensor_shape_text(outputs, shape, sizeof shape), rows);
    const lg_real *values = lg_tensor_data(outputs);
    if (!values)
        return lg_fail(LG_E_STATE, "lg_predict: the outputs belong to a recording that is gone");
    if (!*all && !(*all = room_for(pass, outputs)))
        return lg_error_code();
    bool same = lg_tensor_rank(*all) == rank;
    for (size_t axis = 1; axis < rank; axis++)
        same = same && lg_tensor_dim(*all, axis) == lg_tensor_dim(outputs, axis);
    if (!same)
        return lg_fail(LG_E_SHAPE, "lg_predict: the outputs of batch %zu are %s; the batches before had rows of "
                                   "another shape", step, lg_tensor_shape_text(outputs, shape, sizeof shape));
    const size_t width = lg_tensor_size(*all) / pass->rows;
    memcpy(lg_tensor_data(*all) + (step - 1) * pass->batch_size * width, values, rows * width * sizeof *values);
    return LG_OK;
}

lg_tensor *lg_predict(lg_step_function *outputs, void *model, const lg_dataset *dataset,
                      const lg_fit_options *options)
{
    lg_pass pass = { .what = "lg_predict", .step = outputs, .model = model };
    lg_tensor *all = NULL;
    lg_status status = open_evaluation(&pass, dataset, options);
    if (status == LG_OK)
        lg_reports_attach(NULL, pass.tape); /* what is reported on the way is nobody's */
    for (size_t step = 1; step <= pass.steps && status == LG_OK; step++) {
        lg_tensor *of_batch = lg_pass_record(&pass, step);
        status = of_batch ? take_outputs(&pass, step, of_batch, &all) : lg_error_code();
    }
    lg_tape_free(pass.tape);
    lg_pass_close(&pass);
    if (status == LG_OK)
        return all;
    lg_tensor_free(all);
    return NULL;
}

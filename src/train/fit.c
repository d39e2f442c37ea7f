/* The training loop (fit.h). */
#include "train/fit_run_internal.h"

#include "losses/loss.h"
#include "tensor/memory_internal.h"
#include "tensor/profile.h"
#include "train/clock_internal.h"
#include "train/history_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ checkpoints */

/* After the last epoch as well, so that training can go on to more of them. */
static lg_status save_checkpoint(lg_fit_run *f)
{
    const size_t every = f->options->save_every ? f->options->save_every : 1;
    const bool last = f->epoch == f->epochs || f->stop != LG_STOP_NONE;
    if (!f->options->checkpoint_path || !(last || f->epoch % every == 0))
        return LG_OK;
    const lg_checkpoint checkpoint = lg_fit_checkpoint(f);
    return lg_checkpoint_save(&checkpoint, f->options->checkpoint_path);
}

/* The first row after a resume has all columns that the history has: its header is still right. */
static lg_status check_columns(lg_fit_run *f)
{
    for (size_t i = 0; f->resumed && i < lg_history_column_count(f->history); i++) {
        const char *column = lg_history_column_name(f->history, i);
        size_t k = 0;
        while (k < f->recorded.count && strcmp(f->recorded.names[k], column) != 0)
            k++;
        if (k == f->recorded.count)
            return lg_fail(LG_E_STATE, "lg_fit: %s cannot be gone on from: its history has a column \"%s\", which "
                                       "training here does not report", f->options->resume_path, column);
    }
    f->resumed = false;
    return LG_OK;
}

/* ------------------------------------------------------- numbers of a row */

static lg_status put(lg_fit_row *r, const char *name, double value)
{
    if (lg_reserve(&r->names, &r->name_capacity, r->count + 1, sizeof *r->names, "lg_fit") != LG_OK ||
        lg_reserve(&r->values, &r->value_capacity, r->count + 1, sizeof *r->values, "lg_fit") != LG_OK)
        return LG_E_MEMORY;
    r->names[r->count] = name;
    r->values[r->count++] = value;
    return LG_OK;
}

static lg_status put_pass(lg_fit_row *r, lg_pass *pass, bool pooled)
{
    size_t count;
    const char *const *names;
    const double *values;
    lg_status status = put(r, pass->loss_name, lg_pass_mean(pass));
    if (status == LG_OK)
        status = lg_reports_read(pass->reports, pooled, &count, &names, &values);
    for (size_t i = 0; status == LG_OK && i < count; i++)
        status = put(r, names[i], values[i]);
    return status;
}

static lg_status draw(lg_fit_run *f, size_t step)
{
    f->shown.count = 0;
    lg_status status = put_pass(&f->shown, &f->train, false);
    if (status == LG_OK)
        lg_progress_draw(f->progress, step, f->shown.count, f->shown.names, f->shown.values);
    return status;
}

/* ------------------------------------------------------------ one update */

/* The rate at `t` epochs or updates since the beginning. */
static lg_status set_rate(lg_fit_run *f, size_t t)
{
    const double rate = lg_schedule_rate(&f->schedule, f->base_rate, t);
    return isnan(rate) ? lg_error_code() : lg_optimizer_set_learning_rate(f->optimizer, rate);
}

/* Of a group of batches the loss is (sum of numerators) / (sum of divisors), whose last term is known only at its end.
 * So every batch adds the gradient of its numerator, and scale_gradients divides at last:
 *   mean loss   numerator = divisor loss      sum loss   numerator = loss, and nothing is divided */
static lg_status add_gradients(lg_fit_run *f, const lg_step_loss *loss)
{
    const bool sums = lg_loss_reduction(loss->tensor) == LG_REDUCE_SUM;
    const lg_real upstream = sums ? 1 : (lg_real)loss->divisor;
    f->weight = sums ? 1 : f->weight + loss->divisor;
    lg_tensor *given = lg_constant(f->tape, lg_tensor_rank(loss->tensor), lg_tensor_dims(loss->tensor), &upstream);
    return given ? lg_backward_from(f->tape, loss->tensor, given) : lg_error_code();
}

static void scale_gradients(lg_fit_run *f)
{
    const double factor = f->weight > 0 ? 1 / f->weight : 1;
    f->weight = 0;
    for (size_t i = 0; i < lg_params_count(f->params) && factor != 1; i++) {
        lg_tensor *tensor = lg_params_at(f->params, i);
        lg_real *gradient = lg_tensor_grad(tensor);
        for (size_t k = 0; gradient && k < lg_tensor_size(tensor); k++)
            gradient[k] = (lg_real)((double)gradient[k] * factor);
    }
}

static lg_status update(lg_fit_run *f)
{
    const lg_fit_options *o = f->options;
    lg_status status = LG_OK;
    if (o->accumulate > 1)
        scale_gradients(f);
    if (o->before_step && (status = o->before_step(f->params, o->context)) != LG_OK)
        return lg_error_code() != LG_OK ? status : lg_fail(status, "lg_fit: before_step gave status %d", (int)status);
    if (o->clip_value > 0)
        status = lg_params_clip_value(f->params, o->clip_value);
    if (status == LG_OK && o->clip_norm > 0)
        lg_params_clip_norm(f->params, o->clip_norm);
    if (status == LG_OK && f->scheduled && f->schedule.unit == LG_PER_STEP)
        status = set_rate(f, f->updates);
    if (status == LG_OK)
        status = lg_optimizer_step(f->optimizer);
    if (status == LG_OK && f->average)
        status = lg_average_update(f->average);
    lg_optimizer_zero_grad(f->optimizer);
    f->updates++;
    return status;
}

static lg_status train_step(lg_fit_run *f, size_t step)
{
    const size_t group = f->options->accumulate > 1 ? f->options->accumulate : 1;
    const lg_step_loss loss = lg_pass_loss(&f->train, step);
    if (!loss.tensor)
        return lg_error_code();
    lg_status status = group > 1 ? add_gradients(f, &loss) : lg_backward(f->tape, loss.tensor);
    if (status == LG_OK && (step % group == 0 || step == f->train.steps))
        status = update(f);
    if (status == LG_OK && lg_progress_due(f->progress, step))
        status = draw(f, step);
    return status;
}

/* -------------------------------------------------------------- an epoch */

static bool interrupted(lg_fit_run *f)
{
    if (!f->catches_signals || lg_signals_caught() == 0)
        return false;
    f->stop = LG_STOP_SIGNAL;
    f->history->signal = lg_signals_caught();
    return true;
}

static lg_status evaluate(lg_fit_run *f, lg_pass *pass)
{
    lg_pass_begin(pass, f->epoch);
    for (size_t step = 1; step <= pass->steps && !interrupted(f); step++)
        if (!lg_pass_loss(pass, step).tensor)
            return lg_error_code();
    return LG_OK;
}

/* The epoch's row, in the history, in the file and on the line. */
static lg_status record(lg_fit_run *f, double began, double trained)
{
    lg_fit_row *r = &f->recorded;
    r->count = 0;
    lg_status status = put(r, "epoch", (double)f->epoch);
    if (status == LG_OK)
        status = put_pass(r, &f->train, true);
    if (status == LG_OK && f->options->evaluate_train)
        status = put_pass(r, &f->again, true);
    if (status == LG_OK && f->validates)
        status = put_pass(r, &f->validation, true);
    const size_t shown = r->count - 1;
    const double seconds = lg_clock() - began;
    if (status == LG_OK)
        status = put(r, "learning_rate", lg_optimizer_learning_rate(f->optimizer));
    if (status == LG_OK)
        status = put(r, "seconds", round(seconds * 1e6) / 1e6);
    if (status != LG_OK)
        return status;
    status = check_columns(f);
    if (status != LG_OK)
        return status;
    lg_progress_done(f->progress, seconds, (trained - began) / (double)f->train.steps, shown + f->scheduled,
                     r->names + 1, r->values + 1);
    status = lg_history_add(f->history, r->count, r->names, r->values);
    return status == LG_OK && f->file ? lg_history_file_append(f->file, f->history) : status;
}

static lg_status run_epoch(lg_fit_run *f)
{
    const double began = lg_clock();
    lg_status status = f->scheduled && f->schedule.unit == LG_PER_EPOCH ? set_rate(f, f->epoch - 1) : LG_OK;
    lg_progress_epoch(f->progress, f->epoch, f->train.steps);
    lg_pass_begin(&f->train, f->epoch);
    for (size_t step = 1; step <= f->train.steps && status == LG_OK && f->stop == LG_STOP_NONE; step++) {
        status = train_step(f, step);
        interrupted(f);
    }
    const double trained = lg_clock();
    if (status == LG_OK && f->average)
        status = lg_average_apply(f->average);
    if (status == LG_OK && f->stop == LG_STOP_NONE && f->options->evaluate_train)
        status = evaluate(f, &f->again);
    if (status == LG_OK && f->stop == LG_STOP_NONE && f->validates)
        status = evaluate(f, &f->validation);
    if (status == LG_OK && f->stop == LG_STOP_NONE)
        status = record(f, began, trained);
    return status;
}

/* What the callback asks for. */
static lg_status call_back(lg_fit_run *f)
{
    const lg_fit_options *o = f->options;
    lg_status status = o->callback ? o->callback(f->epoch, f->history, o->context) : LG_OK;
    if (status == LG_E_INTERRUPTED) {
        f->stop = f->stop == LG_STOP_NONE ? LG_STOP_CALLBACK : f->stop;
        return LG_OK;
    }
    if (status != LG_OK && lg_error_code() == LG_OK)
        lg_fail(status, "lg_fit: the callback gave status %d in epoch %zu", (int)status, f->epoch);
    return status;
}

/* What follows from the epoch's row: the schedule, early stopping, the checkpoint, the callback. */
static lg_status after_epoch(lg_fit_run *f)
{
    bool stop = false;
    lg_status status = LG_OK;
    if (f->schedule.kind == LG_SCHEDULE_PLATEAU) {
        size_t rows;
        const double *column = lg_history_column(f->history, f->monitor.name, &rows);
        status = column ? lg_schedule_observe(&f->schedule, column[rows - 1]) : lg_error_code();
    }
    if (status == LG_OK)
        status = lg_monitor_observe(&f->monitor, f->history, f->epoch, f->params, &stop);
    if (status != LG_OK)
        return status;
    f->history->best_epoch = f->monitor.best_epoch;
    if (stop)
        f->stop = LG_STOP_EARLY;
    status = save_checkpoint(f);
    return status == LG_OK ? call_back(f) : status;
}

/* Stands where after_epoch stood when the checkpoint was written. */
static lg_status go_on(lg_fit_run *f)
{
    if (f->monitor.patience > 0 && f->monitor.waited >= f->monitor.patience)
        f->stop = LG_STOP_EARLY;
    return call_back(f);
}

static lg_status run(lg_fit_run *f)
{
    lg_status status = f->resumed ? go_on(f) : LG_OK;
    lg_optimizer_zero_grad(f->optimizer);
    for (f->epoch++; f->epoch <= f->epochs && status == LG_OK && f->stop == LG_STOP_NONE; f->epoch++) {
        status = f->average ? lg_average_revert(f->average) : LG_OK;
        if (status == LG_OK)
            status = run_epoch(f);
        if (status == LG_OK && f->stop == LG_STOP_NONE)
            status = after_epoch(f);
    }
    lg_optimizer_zero_grad(f->optimizer); /* of a group or an update that was not finished */
    return status == LG_OK ? lg_monitor_restore(&f->monitor, f->params) : status;
}

/* Whether a profile is wanted and could be started. */
static bool start_profile(const lg_fit_options *options)
{
    const char *wish = getenv("LUGE_PROFILE");
    const bool wanted = options->profile || (wish && strcmp(wish, "1") == 0);
    return wanted && !lg_profile_running() && lg_profile_start() == LG_OK;
}

lg_history *lg_fit(lg_step_function *step, void *model, lg_optimizer *optimizer, const lg_dataset *dataset,
                   const lg_fit_options *options)
{
    lg_fit_run f = { .options = options ? options : &(lg_fit_options){ 0 }, .optimizer = optimizer };
    lg_status status = lg_fit_open(&f, step, model, dataset);
    const bool profiles = status == LG_OK && start_profile(f.options);
    if (status == LG_OK)
        status = run(&f);
    if (profiles)
        lg_profile_stop();
    if (profiles && status == LG_OK)
        status = lg_profile_print(f.options->stream ? f.options->stream : stdout);
    if (f.history)
        f.history->stop = f.stop;
    lg_fit_close(&f);
    const lg_status closed = lg_history_file_close(f.file);
    if (status == LG_OK && closed == LG_OK)
        return f.history;
    lg_history_free(f.history);
    return NULL;
}

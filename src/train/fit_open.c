/* The beginning and the end of lg_fit (fit_run_internal.h). */
#include "train/fit_run_internal.h"

#include "data/dataset_internal.h"
#include "train/history_internal.h"

#include <stdlib.h>
#include <string.h>

/* Uses of the seed beside the tape's, which are numbered by epochs. */
#define USE_SPLIT (UINT64_MAX - 1)
#define USE_ORDER (UINT64_MAX - 2)

/* ---------------------------------------------------------------- options */

static lg_status check_options(const lg_fit_options *o)
{
    if (o->validation && o->validation_split != 0)
        return lg_fail(LG_E_PARAM, "lg_fit: give validation or validation_split, not both");
    if (!(o->validation_split >= 0 && o->validation_split < 1))
        return lg_fail(LG_E_PARAM, "lg_fit: validation_split is %g; a share of at least 0 and below 1 is wanted",
                       o->validation_split);
    if (!(o->clip_norm >= 0) || !(o->clip_value >= 0))
        return lg_fail(LG_E_PARAM, "lg_fit: clip_%s is %g; a bound above 0, or 0 for none, is wanted",
                       o->clip_norm >= 0 ? "value" : "norm", o->clip_norm >= 0 ? o->clip_value : o->clip_norm);
    if (o->class_weight && o->class_weight_count == 0)
        return lg_fail(LG_E_PARAM, "lg_fit: class_weight is given, but class_weight_count is 0");
    if (!o->class_weight && o->class_weight_count > 0)
        return lg_fail_null("lg_fit: class_weight_count is %zu, but class_weight is NULL", o->class_weight_count);
    if (o->save_every > 0 && !o->checkpoint_path)
        return lg_fail_null("lg_fit: save_every is %zu, but checkpoint_path is NULL", o->save_every);
    if (o->checkpoint_fact_count > 0 && !o->checkpoint_facts)
        return lg_fail_null("lg_fit: checkpoint_fact_count is %zu, but checkpoint_facts is NULL",
                            o->checkpoint_fact_count);
    for (size_t i = 0; i < o->checkpoint_fact_count; i++) {
        const lg_metadata *fact = o->checkpoint_facts + i;
        if (!fact->key || !fact->value || strlen(fact->key) > LG_CHECKPOINT_FACT_BYTES)
            return lg_fail_null("lg_fit: checkpoint_facts[%zu] is NULL or its key has more than %d bytes", i,
                                LG_CHECKPOINT_FACT_BYTES);
    }
    return lg_schedule_check(o->schedule);
}

static lg_status open_passes(lg_fit_run *f, const lg_dataset *dataset)
{
    const lg_fit_options *o = f->options;
    const lg_rng root = lg_rng_seed(o->seed), order = lg_rng_split(&root, USE_ORDER);
    const lg_dataset *validation = o->validation;
    if (o->validation_split > 0) {
        lg_rng rng = lg_rng_split(&root, USE_SPLIT);
        lg_split *split = lg_split_dataset(dataset, o->validation_split, 0, &rng);
        f->train_part = split ? lg_dataset_subset(dataset, split->train, split->train_rows) : NULL;
        f->validation_part =
            f->train_part ? lg_dataset_subset(dataset, split->validation, split->validation_rows) : NULL;
        lg_split_free(split);
        if (!f->validation_part)
            return lg_error_code();
        dataset = f->train_part;
        validation = f->validation_part;
    }
    if (o->checkpoint_path || o->resume_path) {
        f->sum.known = lg_dataset_checksum(dataset, &f->sum.sum);
        f->validation_sum.known = validation && lg_dataset_checksum(validation, &f->validation_sum.sum);
    }
    f->block_rows = lg_dataset_original(dataset)->source.block_rows;
    f->train.training = true;
    lg_status status = lg_pass_open(&f->train, dataset, o->batch_size, o->no_shuffle ? NULL : &order);
    f->validates = validation != NULL;
    if (status == LG_OK && o->evaluate_train)
        status = lg_pass_open(&f->again, dataset, o->batch_size, NULL);
    if (status == LG_OK && f->validates)
        status = lg_pass_open(&f->validation, validation, o->batch_size, NULL);
    if (status == LG_OK && o->class_weight)
        status = lg_reports_set_class_weight(f->train.reports, o->class_weight_count, o->class_weight);
    return status;
}

/* ------------------------------------------------------------------ making */

lg_checkpoint lg_fit_checkpoint(lg_fit_run *f)
{
    return (lg_checkpoint){ .options = f->options,
                            .optimizer = f->optimizer,
                            .average = f->average,
                            .schedule = &f->schedule,
                            .monitor = &f->monitor,
                            .history = f->history,
                            .epoch = &f->epoch,
                            .updates = &f->updates,
                            .base_rate = &f->base_rate,
                            .rows = f->train.rows,
                            .validation_rows = f->validates ? f->validation.rows : 0,
                            .window = lg_sampler_window(f->train.sampler),
                            .block_rows = f->block_rows,
                            .sum = &f->sum,
                            .validation_sum = &f->validation_sum,
                            .batch_size = f->train.batch_size,
                            .history_bytes = lg_history_file_bytes(f->file) };
}

static lg_status resume(lg_fit_run *f)
{
    lg_checkpoint checkpoint = lg_fit_checkpoint(f);
    lg_status status = lg_checkpoint_load(&checkpoint, f->options->resume_path, f->options->history_path, &f->file);
    if (status == LG_OK && f->average)
        status = lg_average_apply(f->average);
    f->resumed = status == LG_OK;
    f->history->best_epoch = f->monitor.best_epoch;
    return status;
}

lg_status lg_fit_open(lg_fit_run *f, lg_step_function *step, void *model, const lg_dataset *dataset)
{
    const lg_fit_options *o = f->options;
    if (!step || !dataset || !f->optimizer)
        return lg_fail_null("lg_fit: the %s is NULL", !step            ? "step function"
                                                      : !f->optimizer ? "optimizer"
                                                                      : "data set");
    lg_status status = check_options(o);
    if (status != LG_OK)
        return status;
    f->epochs = o->epochs ? o->epochs : 1;
    f->params = lg_optimizer_params(f->optimizer);
    f->base_rate = lg_optimizer_learning_rate(f->optimizer);
    f->schedule = o->schedule ? *o->schedule : lg_schedule_constant();
    f->scheduled = f->schedule.kind != LG_SCHEDULE_CONSTANT;
    if (!(f->tape = lg_tape_new()))
        return LG_E_MEMORY;
    f->train = f->again = f->validation =
        (lg_pass){ .what = "lg_fit", .step = step, .model = model, .tape = f->tape, .seed = o->seed };
    f->again.prefix = "train_";
    f->validation.prefix = "val_";
    status = open_passes(f, dataset);
    if (status == LG_OK && o->average.kind != LG_AVERAGE_NONE)
        status = (f->average = lg_average_new(f->params, &o->average)) ? LG_OK : lg_error_code();
    if (status == LG_OK)
        status = lg_monitor_init(&f->monitor, &o->early_stopping, f->validates);
    if (status == LG_OK)
        status = (f->history = lg_history_new()) ? LG_OK : LG_E_MEMORY;
    if (status == LG_OK)
        status = (f->progress = lg_progress_new(o->stream, o->verbose, f->epochs)) ? LG_OK : lg_error_code();
    if (status == LG_OK && o->handle_signals) {
        status = lg_signals_catch();
        f->catches_signals = status == LG_OK;
    }
    if (status == LG_OK && o->resume_path)
        status = resume(f);
    else if (status == LG_OK && o->history_path)
        status = (f->file = lg_history_file_open(o->history_path, NULL)) ? LG_OK : lg_error_code();
    return status;
}

void lg_fit_close(lg_fit_run *f)
{
    if (f->catches_signals)
        lg_signals_release();
    if (f->scheduled)
        lg_optimizer_set_learning_rate(f->optimizer, f->base_rate);
    lg_progress_free(f->progress);
    lg_monitor_close(&f->monitor);
    lg_average_free(f->average);
    lg_pass_close(&f->train);
    lg_pass_close(&f->again);
    lg_pass_close(&f->validation);
    lg_dataset_free(f->train_part);
    lg_dataset_free(f->validation_part);
    lg_tape_free(f->tape);
    free(f->shown.names);
    free(f->shown.values);
    free(f->recorded.names);
    free(f->recorded.values);
}

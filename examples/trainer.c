#include "trainer.h"
#include "interrupt.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRAINER_MOST_CLASSES_SHOWN 6 /* as columns of a table */
#define TRAINER_CLASS_WIDTH 12

/* -------------------------------------------------------------------- data */

lg_rng trainer_rng(const trainer_options *options, trainer_stream stream)
{
    lg_rng seeded = lg_rng_seed(options->seed);
    return lg_rng_split(&seeded, stream);
}

static lg_dataset *read_data(const trainer_options *options, lg_csv_options csv, bool flatten)
{
    csv.target = options->target;
    csv.skip_lines = options->skip_lines;
    csv.index_base = (lg_index_base)options->index_base;
    csv.drop = options->drop[0] ? options->drop : NULL;
    csv.missing = (const lg_missing[]){ LG_MISSING_ERROR, LG_MISSING_KEEP, LG_MISSING_KEEP,
                                        LG_MISSING_DROP_ROW }[options->missing];
    const lg_read_options read = { .csv = csv, .labels = options->labels, .unit_bytes = true, .flatten = flatten };
    return options->stream ? lg_dataset_stream(options->data, &read, options->shuffle_buffer)
                           : lg_dataset_read(options->data, &read);
}

lg_dataset *trainer_read(const trainer_options *options, lg_csv_options csv)
{
    return read_data(options, csv, true);
}

lg_dataset *trainer_read_pictures(const trainer_options *options, lg_csv_options csv)
{
    return read_data(options, csv, false);
}

static lg_status fill_missing(trainer_data *data, const trainer_options *options)
{
    if (options->missing == TRAINER_MISSING_ERROR || options->missing == TRAINER_MISSING_DROP)
        return LG_OK;
    const lg_impute kind = options->missing == TRAINER_MISSING_MEAN ? LG_IMPUTE_MEAN : LG_IMPUTE_MEDIAN;
    data->imputer = lg_imputer_fit(data->all, kind, 0, data->split->train, data->split->train_rows);
    return data->imputer ? lg_imputer_apply(data->imputer, data->all) : lg_error_code();
}

/* A part as a data set; NULL without rows is no error. */
static lg_status make_part(const lg_dataset *all, const size_t *ids, size_t rows, lg_dataset **part)
{
    *part = rows ? lg_dataset_subset(all, ids, rows) : NULL;
    return rows && !*part ? lg_error_code() : LG_OK;
}

lg_status trainer_split(trainer_data *data, const trainer_options *options, lg_dataset *all)
{
    lg_rng rng = trainer_rng(options, TRAINER_SPLIT);
    lg_split *split = all ? lg_split_dataset(all, options->validation_split, options->test_split, &rng) : NULL;
    return trainer_split_as(data, options, all, split);
}

lg_status trainer_split_as(trainer_data *data, const trainer_options *options, lg_dataset *all, lg_split *split)
{
    *data = (trainer_data){ .all = all, .split = split };
    if (!all || !split)
        return lg_fail_null("trainer_split: no %s", all ? "split" : "data");
    lg_status status = make_part(all, split->train, split->train_rows, &data->train);
    if (status == LG_OK)
        status = make_part(all, split->validation, split->validation_rows, &data->validation);
    if (status == LG_OK)
        status = make_part(all, split->test, split->test_rows, &data->test);
    return status == LG_OK ? fill_missing(data, options) : status;
}

lg_status trainer_scale(trainer_data *data)
{
    data->scaler = lg_scaler_fit(data->all, data->split->train, data->split->train_rows);
    return data->scaler ? lg_scaler_apply(data->scaler, data->all) : lg_error_code();
}

void trainer_data_free(trainer_data *data)
{
    lg_imputer_free(data->imputer);
    lg_scaler_free(data->scaler);
    lg_split_free(data->split);
    lg_dataset_free(data->test);
    lg_dataset_free(data->validation);
    lg_dataset_free(data->train);
    lg_dataset_free(data->all);
    *data = (trainer_data){ 0 };
}

/* Rows of a part, and how many of them are of each class. */
static lg_status print_part(const char *name, const lg_dataset *part, size_t classes, size_t *counts, int32_t *labels)
{
    const size_t rows = lg_dataset_rows(part);
    printf("  %-12s %10zu", name, rows);
    if (classes) {
        lg_status status = rows ? lg_dataset_labels(part, NULL, 0, labels) : LG_OK;
        if (status != LG_OK)
            return status;
        memset(counts, 0, classes * sizeof *counts);
        for (size_t i = 0; i < rows; i++)
            counts[labels[i]]++;
        for (size_t c = 0; c < classes; c++)
            printf(" %*zu", TRAINER_CLASS_WIDTH, counts[c]);
    }
    printf("\n");
    return LG_OK;
}

lg_status trainer_print_data(const trainer_options *options, const trainer_data *data)
{
    const size_t rows = lg_dataset_rows(data->all), classes = lg_dataset_classes(data->all);
    const size_t shown = classes <= TRAINER_MOST_CLASSES_SHOWN ? classes : 0;
    size_t counts[TRAINER_MOST_CLASSES_SHOWN];
    int32_t *labels = malloc(rows * sizeof *labels);
    if (!labels)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu labels", rows);
    printf("Data: %s, %zu rows, %zu features%s\n", options->data ? options->data : "embedded", rows,
           lg_dataset_features(data->all), options->stream ? ", streamed" : "");
    printf("  %-12s %10s", "part", "rows");
    for (size_t c = 0; c < shown; c++)
        printf(" %*.*s", TRAINER_CLASS_WIDTH, TRAINER_CLASS_WIDTH, lg_dataset_class_name(data->all, c));
    printf("\n");
    lg_status status = print_part("training", data->train, shown, counts, labels);
    if (status == LG_OK && data->validation)
        status = print_part("validation", data->validation, shown, counts, labels);
    if (status == LG_OK && data->test)
        status = print_part("test", data->test, shown, counts, labels);
    printf("\n");
    free(labels);
    return status;
}

/* ---------------------------------------------------------------- training */

lg_optimizer *trainer_optimizer(const trainer_options *options, lg_params *params)
{
    return lg_optimizer_by_name(options->optimizer, params, options->learning_rate);
}

lg_fit_options trainer_fit_options(const trainer_options *options, const lg_dataset *validation, run *r)
{
    lg_fit_options fit = { .epochs = options->epochs,
                           .batch_size = options->batch_size,
                           .seed = options->seed,
                           .clip_norm = options->clip_norm,
                           .verbose = LG_SILENT,
                           .handle_signals = true };
    if (!r)
        return fit;
    fit.validation = validation;
    fit.early_stopping.patience = options->early_stopping;
    fit.history_path = run_path(r, "history.csv");
    fit.verbose = options->verbose;
    fit.profile = options->profile;
    if (options->save_every || options->resume) {
        const char *checkpoint = run_checkpoint(r);
        fit.checkpoint_facts = run_facts(r, &fit.checkpoint_fact_count);
        fit.checkpoint_fact_count += !fit.checkpoint_facts; /* which lg_fit refuses, with the message there is */
        fit.save_every = options->save_every;
        fit.checkpoint_path = options->save_every ? checkpoint : NULL;
        fit.resume_path = options->resume ? checkpoint : NULL;
    }
    return fit;
}

lg_status trainer_class_weights(const lg_dataset *train, size_t classes, lg_real *weights)
{
    const size_t rows = lg_dataset_rows(train);
    int32_t *labels = calloc(rows, sizeof *labels);
    if (!labels)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu labels", rows);
    lg_status status = lg_dataset_labels(train, NULL, 0, labels);
    if (status == LG_OK)
        status = lg_class_weights_balanced(rows, labels, classes, weights);
    free(labels);
    return status;
}

lg_tensor *trainer_binary_loss(lg_tape *tape, const trainer_options *options, const lg_batch *batch, lg_tensor *logits,
                               lg_tensor *target, lg_reduction reduction)
{
    const lg_loss_info *info = options->loss_spec.info;
    lg_loss_options loss_options = { .reduction = reduction };
    const lg_real *weight = lg_tensor_data((lg_tensor *)(uintptr_t)lg_batch_class_weight(tape, batch));
    if (weight) /* [n]: weight[0] where the target is 0, weight[1] where it is 1 */
        loss_options.sample_weight =
            lg_add_scalar(tape, lg_scale(tape, target, (double)(weight[1] - weight[0])), (double)weight[0]);
    if (info->inputs[0].domain == LG_UNIT_INTERVAL)
        logits = lg_sigmoid(tape, logits);
    if (info->inputs[1].domain == LG_PLUS_MINUS_ONE)
        target = lg_add_scalar(tape, lg_scale(tape, target, 2), -1);
    return lg_loss_apply(tape, &options->loss_spec, (lg_tensor *[]){ logits, target }, &loss_options);
}

/* ----------------------------------------------------------------- the run */

static void note_arguments(run *r, const trainer *about, const trainer_options *options)
{
    run_note_text(r, "arguments.data", options->data);
    if (options->load)
        run_note_text(r, "arguments.load", options->load);
    run_note_text(r, "arguments.target", options->target);
    run_note_text(r, "arguments.labels", options->labels);
    run_note_count(r, "arguments.skip_lines", options->skip_lines);
    run_note_text(r, "arguments.index_base", (const char *const[]){ "auto", "0", "1" }[options->index_base]);
    size_t dropped = 0;
    while (options->drop[dropped])
        dropped++;
    run_note_texts(r, "arguments.drop", dropped, options->drop);
    run_note_text(r, "arguments.missing", (const char *const[]){ "error", "mean", "median", "drop" }[options->missing]);
    if (options->stream) {
        run_note_flag(r, "arguments.stream", true);
        run_note_count(r, "arguments.shuffle_buffer", options->shuffle_buffer);
    }
    run_note_count(r, "arguments.epochs", options->epochs);
    run_note_count(r, "arguments.batch_size", options->batch_size);
    run_note_text(r, "arguments.optimizer", options->optimizer);
    run_note_number(r, "arguments.learning_rate", options->learning_rate > 0 ? options->learning_rate : (double)NAN);
    if (about->tasks) {
        const lg_loss_spec *spec = &options->loss_spec;
        char path[128];
        run_note_text(r, "arguments.loss", spec->info->name);
        for (size_t i = 0; i < lg_loss_param_count(spec->info); i++) {
            snprintf(path, sizeof path, "arguments.loss_params.%s", spec->info->params[i].name);
            run_note_number(r, path, spec->params[i]);
        }
    }
    run_note_number(r, "arguments.validation_split", options->validation_split);
    run_note_number(r, "arguments.test_split", options->test_split);
    run_note_count(r, "arguments.early_stopping", options->early_stopping);
    run_note_number(r, "arguments.clip_norm", options->clip_norm);
    run_note_count(r, "arguments.seed", options->seed);
    run_note_count(r, "arguments.threads", lg_num_threads());
}

/* Whether the checkpoint fits, lg_fit says later. */
static lg_status announce_resume(run *r)
{
    lg_safetensors *file = lg_safetensors_open(run_checkpoint(r));
    if (!file)
        return lg_error_code();
    const char *epoch = lg_safetensors_metadata(file, "epoch");
    if (epoch && epoch[strspn(epoch, "0123456789")] == '\0')
        printf("Going on after epoch %s: %s\n", epoch, run_checkpoint(r));
    lg_safetensors_close(file);
    run_note_text(r, "resumed_from", run_checkpoint(r));
    return LG_OK;
}

run *trainer_open(const trainer *about, const trainer_options *options, int argc, const char *const *argv)
{
    run *r = options->resume ? run_resume(options->resume) : run_open(about->name, options->out, options->overwrite);
    if (!r)
        return NULL;
    if (options->resume && announce_resume(r) != LG_OK) {
        run_free(r);
        return NULL;
    }
    run_note_text(r, "program", about->name);
    run_note_texts(r, "command", (size_t)argc, argv);
    note_arguments(r, about, options);
    run_note_text(r, "versions.luge", lg_version());
    run_note_text(r, "versions.real", LG_REAL_BITS == 64 ? "double" : "float");
    run_note_text(r, "versions.compiler", __VERSION__);
    run_note_text(r, "versions.jansson", JANSSON_VERSION);
    run_note_text(r, "versions.blas_kernels", lg_blas_kernels());
    if (run_save(r, "running") != LG_OK) {
        run_free(r);
        return NULL;
    }
    return r;
}

lg_status trainer_note_history(run *r, const lg_history *history, const char *title)
{
    const size_t epochs = lg_history_rows(history);
    interrupt_watch();
    run_accept(r);
    run_note_count(r, "training.epochs", epochs);
    run_note_count(r, "training.best_epoch", lg_history_best_epoch(history));
    for (size_t i = 0; epochs && i < lg_history_column_count(history); i++) {
        const char *name = lg_history_column_name(history, i);
        char path[160];
        snprintf(path, sizeof path, "training.last.%s", name);
        run_note_number(r, path, lg_history_last(history, name));
    }
    run_note_file(r, "history.csv");
    if (access(run_checkpoint(r) ? run_checkpoint(r) : "", F_OK) == 0)
        run_note_file(r, "checkpoint.safetensors");
    const char *path = run_path(r, "history.jsonl");
    lg_status status = path ? lg_history_write(history, path) : lg_error_code();
    if (status != LG_OK)
        return status;
    run_note_file(r, "history.jsonl");
    return plot_loss(r, history, title);
}

static void note_part(run *r, const char *name, const lg_dataset *part)
{
    char path[64];
    snprintf(path, sizeof path, "data.parts.%s", name);
    run_note_count(r, path, lg_dataset_rows(part));
}

void trainer_note_data(run *r, const trainer_options *options, const trainer_data *data)
{
    run_note_text(r, "data.source", options->data ? options->data : "embedded");
    run_note_text(r, "data.target", lg_dataset_target_name(data->all));
    run_note_count(r, "data.rows", lg_dataset_rows(data->all));
    run_note_count(r, "data.features", lg_dataset_features(data->all));
    const char *names[64];
    size_t classes = lg_dataset_classes(data->all);
    for (size_t i = 0; i < classes && i < 64; i++)
        names[i] = lg_dataset_class_name(data->all, i);
    if (classes <= 64)
        run_note_texts(r, "data.classes", classes, names);
    note_part(r, "train", data->train);
    note_part(r, "validation", data->validation);
    note_part(r, "test", data->test);
}

lg_status trainer_close(run *r, const lg_history *history, lg_status status)
{
    if (!r)
        return status;
    const char *outcome = lg_history_signal(history) || interrupt_signal() ? "interrupted" : "finished";
    if (status != LG_OK) {
        outcome = "failed";
        run_note_text(r, "error", lg_error());
    }
    /* What failed first is what counts, so its message must survive a failure to note it. */
    char first[1024];
    snprintf(first, sizeof first, "%s", lg_error());
    lg_status saved = run_save(r, outcome);
    if (status != LG_OK)
        return lg_fail(status, "%s", first);
    if (saved == LG_OK && lg_history_signal(history))
        printf("Interrupted after %zu whole epochs\n", lg_history_rows(history));
    else if (saved == LG_OK && interrupt_signal())
        printf("Interrupted after the training\n");
    if (saved == LG_OK)
        run_print_files(r);
    return saved;
}

int trainer_end(lg_status status, int signal_number)
{
    if (!signal_number)
        signal_number = interrupt_signal();
    if (signal_number && status == LG_OK) {
        fflush(stdout);
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
    if (status == LG_OK)
        return EXIT_SUCCESS;
    fflush(stdout); /* what was said before comes before */
    if (ferror(stdout)) {
        __fpurge(stdout); /* this is what failed, and it is told below: not again at exit */
        clearerr(stdout);
    }
    char message[1024];
    snprintf(message, sizeof message, "%s", *lg_error() ? lg_error() : "failed without a message");
    for (char *c = message; *c; c++) /* of a file that was taken for text, say */
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, message);
    return EXIT_FAILURE;
}

/* Training: lg_fit runs epochs over a data set, and says on a line, in a history and in a file how it goes.
 *
 *     static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
 *     {
 *         net *n = model;
 *         lg_tensor *logits = lg_dense_apply(tape, n->out, lg_batch_x(tape, batch));
 *         lg_report_accuracy(tape, logits, lg_batch_y(tape, batch));
 *         return lg_sparse_categorical_crossentropy(tape, logits, lg_batch_y(tape, batch),
 *                                                   &(lg_loss_options){ .from_logits = true });
 *     }
 *     ...
 *     lg_history *history = lg_fit(step, &n, adam, digits, &(lg_fit_options){
 *         .epochs = 20, .validation_split = 0.2, .history_path = "digits.csv" });
 *     if (!history)
 *         fprintf(stderr, "%s\n", lg_error());
 *
 * lg_fit is built on public functions only. A loop of one's own, for two optimizers, say, is about this:
 *
 *     lg_tape *tape = lg_tape_new();
 *     lg_batch *batch = lg_batch_new(dataset, 32);
 *     lg_sampler *sampler = lg_sampler_for(dataset, true, &rng);
 *     lg_reports *reports = lg_reports_new(NULL);
 *     lg_reports_attach(reports, tape);
 *     for (size_t epoch = 1; epoch <= epochs; epoch++) {
 *         size_t ids[32], count;
 *         lg_sampler_begin(sampler, epoch);
 *         lg_reports_clear(reports);
 *         for (size_t step = 1; (count = lg_sampler_next(sampler, 32, ids)) > 0; step++) {
 *             lg_batch_fill(batch, ids, count);
 *             lg_tape_reset(tape);
 *             lg_tape_set_random(tape, seed, epoch, step);
 *             lg_tensor *loss = step_function(tape, batch, model);
 *             if (!loss || lg_backward(tape, loss) != LG_OK)
 *                 ...lg_error()...
 *             lg_optimizer_step(optimizer);
 *             lg_optimizer_zero_grad(optimizer);
 *             lg_report(tape, "mean_loss", lg_tensor_item(loss), (double)lg_batch_rows(batch));
 *         }
 *         lg_reports_read(reports, true, &count, &names, &values);
 *         lg_history_add(history, count, names, values);
 *     }
 *
 * with lg_progress for the line and lg_history_file for the file. */
#ifndef LG_FIT_H
#define LG_FIT_H

#include "autograd/params.h"
#include "autograd/tape.h"
#include "data/dataset.h"
#include "models/safetensors.h"
#include "optim/average.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "train/batch.h"
#include "train/history.h"
#include "train/progress.h"
#include "train/report.h"

LG_BEGIN_DECLS

/* One batch: records the forward pass on the tape and returns the loss, one element. NULL after a failure ends training
 * with the message of what failed. `model` is what lg_fit was given. */
typedef lg_tensor *lg_step_function(lg_tape *tape, const lg_batch *batch, void *model);

typedef enum lg_monitor_mode {
    LG_MONITOR_AUTO = 0, /* max for names with acc, auc, precision, recall or f1 in them, else min */
    LG_MONITOR_MIN = 1,
    LG_MONITOR_MAX = 2
} lg_monitor_mode;

/* Ends training when a column of the history has not improved, by more than min_delta, on its best for `patience`
 * epochs in a row (a NaN is no improvement), and puts the parameters of the best epoch back, however training ends short
 * of an error.   keras.callbacks.EarlyStopping(restore_best_weights=True) */
typedef struct lg_early_stopping {
    size_t patience;     /* epochs; 0: no early stopping */
    const char *monitor; /* NULL: "val_loss" with validation, else "loss" */
    double min_delta;    /* >= 0 */
    lg_monitor_mode mode;
    bool keep_last;      /* do not put the best parameters back */
} lg_early_stopping;

/* NULL or all zeros are the defaults. */
typedef struct lg_fit_options {
    size_t epochs;                  /* 0: 1 */
    size_t batch_size;              /* 0: 32; more than there are rows: all rows. The last batch is what is left */
    uint64_t seed;                  /* of the split, the shuffling, and dropout and its like */
    bool no_shuffle;                /* take the rows in order; default: a new order every epoch (lg_sampler_for) */

    const lg_dataset *validation;   /* run through after each epoch, without gradients, in evaluation mode */
    double validation_split;        /* or: this share, in (0, 1), of the data set is taken for validation: at random, by
                                     * seed, and stratified where "y" has classes (Keras takes the last rows) */

    const lg_schedule *schedule;    /* of the learning rate, from the optimizer's own as base; NULL: constant. A plateau
                                     * schedule is shown early_stopping.monitor, or what that is by default */
    lg_average_options average;     /* of the parameters after each update (average.h): validation, early stopping, the
                                     * callback, and the parameters at the end are then the averages; training goes on
                                     * from what the optimizer made */
    bool evaluate_train;            /* after each epoch the training rows too are run through in evaluation mode: columns
                                     * train_loss and train_ before each report. The loss column, taken as the
                                     * parameters changed, is then beside what they came to */
    double clip_norm;               /* > 0: scales gradients down to this global norm */
    double clip_value;              /* > 0: clips each gradient to +- this, before clip_norm */
    size_t accumulate;              /* > 1: one update per so many batches (and for what is left of an epoch), by the
                                     * gradient of their rows taken as one batch: for means, the mean over all units of
                                     * all of them; for sums, the sum. A loss that is not a loss node (an expression of
                                     * one's own) counts by its rows. */
    const lg_real *class_weight;    /* what lg_batch_class_weight gives in training (not in validation); NULL: none */
    size_t class_weight_count;      /* of them */
    lg_early_stopping early_stopping;

    /* After every epoch, its row in the history: LG_OK goes on; LG_E_INTERRUPTED ends training, and lg_fit returns the
     * history; another status is an error, and lg_fit returns NULL with its message. */
    lg_status (*callback)(size_t epoch, const lg_history *history, void *context);

    /* Between backward and clipping, before every update: to all-reduce gradients, or clip them another way. LG_OK, or
     * an error. */
    lg_status (*before_step)(lg_params *params, void *context);
    void *context;                  /* of both */

    const char *history_path;       /* NULL: no file; "....jsonl": JSON lines; else CSV. Written anew, or gone on with */

    /* Stopping and going on: see below at lg_fit. */
    const char *checkpoint_path;    /* written after epochs; NULL: no checkpoints */
    size_t save_every;              /* epochs from one to the next; 0: 1. After the last epoch there is always one */
    const char *resume_path;        /* a checkpoint to go on from (the same file, often); NULL: from the beginning */
    const lg_metadata *checkpoint_facts; /* texts that go into checkpoints, and must be the same on resume: what the
                                     * caller's data and model are. Keys of at most 200 bytes, each once */
    size_t checkpoint_fact_count;   /* of them */

    lg_verbose verbose;
    FILE *stream;                   /* of the progress line; NULL: stdout */
    bool profile;                   /* print to it, at the end, where the time went (profile.h); LUGE_PROFILE=1 in the
                                     * environment asks for the same. Not where a profile of the caller's runs */
    bool handle_signals;            /* SIGINT and SIGTERM: finish the batch and return the history (lg_history_signal);
                                     * a second one kills at once. The former handlers come back with the return. For
                                     * one lg_fit of a process at a time */
} lg_fit_options;

/* Trains, and returns the history (free it with lg_history_free), with the columns
 *     epoch  loss  (reports)  train_loss  (train_ reports)  val_loss  (val_ reports)  learning_rate  seconds
 * epoch counts from 1; loss is the epoch's sum of unit losses over its sum of divisors (lg_loss_terms; of a loss that
 * is none of the library's: value times rows, over rows), taken as the parameters changed; learning_rate is that of the
 * epoch's last update; seconds is wall time, evaluation included. All but seconds is the same, bit for bit, whenever the
 * seed and the inputs are.
 *
 * NULL on error, with the first thing that went wrong: what left a NULL optimizer or data set keeps its message; then
 * LG_E_PARAM for options outside their range, what the step function or the data set said, LG_E_IO for the history file
 * (a full disk: the rows so far stay, whole), LG_E_MEMORY, and LG_E_NAN for a loss that is NaN:
 *     lg_fit: the loss is NaN in epoch 3, step 17: log #5 [32, 1] is the first operation with ...
 * The parameters are then as the last update left them. With a schedule, the optimizer's learning rate is put back at every return.
 * After the first epoch steps allocate nothing.
 *
 * A checkpoint is a safetensors file with the parameters, the optimizer's state, learning rates, the memories of a plateau
 * schedule and of early stopping (with the best parameters), the averages, the history, the numbers of epoch and update,
 * and a checksum. It is written at the end of an epoch, after the history's row and before the callback, under a
 * temporary name, synced and renamed; what goes wrong (a full disk) ends training with LG_E_IO, and the checkpoint before
 * stays.
 *
 * With resume_path training goes on behind the epoch of the checkpoint until `epochs` are done, and what it comes to
 * (parameters, history, files) is the same, bit for bit but for seconds, as without the interruption, given the same
 * options, data, number of threads, and parameters and optimizer made alike. The learning rate is the checkpoint's. Rows
 * of the history's file behind the checkpoint are cut. The callback is called first, for the epoch of the checkpoint:
 * what it prepares for the next epoch (lg_draw_epoch) is there again. A step function that remembers more than its
 * parameters has to find that in the callback, too.
 * LG_E_IO for a file that is not there; LG_E_FORMAT for one that is no checkpoint or is damaged; LG_E_STATE for one of
 * another training, naming what differs: a parameter's name or shape, the optimizer, float or double, the kinds of
 * schedule, average and early stopping, seed, rows, what they hold (by a checksum, if their source has one), batch size,
 * facts, the header or the rows of the history's file (nothing was changed then); or, after its first epoch, a column that is no longer reported. */
LG_API lg_history *lg_fit(lg_step_function *step, void *model, lg_optimizer *optimizer, const lg_dataset *dataset,
                          const lg_fit_options *options);

/* Runs every row of a data set through the step function once, in order, without gradients and in evaluation mode. Of
 * the options batch_size and seed count. Returns a history of one row: loss and the reports. NULL on error. */
LG_API lg_history *lg_evaluate(lg_step_function *step, void *model, const lg_dataset *dataset,
                               const lg_fit_options *options);

/* What the model gives for every row, in order: `outputs` is like a step function, but returns real outputs [rows, ...],
 * which are put one behind the other: [all rows, ...], on the heap, free with lg_tensor_free. Of the options batch_size
 * and seed count. LG_E_SHAPE when outputs have not one row per row of the batch, or change their shape. NULL on error. */
LG_API lg_tensor *lg_predict(lg_step_function *outputs, void *model, const lg_dataset *dataset,
                             const lg_fit_options *options);

LG_END_DECLS

#endif

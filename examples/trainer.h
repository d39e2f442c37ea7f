/* What the trainers share: the command line, the choice of optimizer and loss, the data, the run's folder, the end.
 *
 * A trainer is a struct of its own options that begins with trainer_options, a parser for those options, and a main
 * that reads like this (examples/fraud.c is the one to read):
 *
 *     trainer_parse(&about, &options, argc, argv);         what is wrong with the command line ends here, exit 2
 *     lg_status status = ...read, build, lg_fit, report...;
 *     return trainer_end(status, signal);                  prints what failed, exit 1; dies of a signal that came
 *
 * Functions that can fail return NULL or a negative lg_status and leave their sentence in lg_error(), as the library's
 * do; only trainer_parse ends the program. */
#ifndef EXAMPLES_TRAINER_H
#define EXAMPLES_TRAINER_H

#include "command_line.h"
#include "plot.h"
#include "run.h"

/* ------------------------------------------------------------------- parts */

/* The three parts of a data set, stratified where it has classes, and missing values filled by what the training part
 * says alone. validation and test are NULL when their share is 0; the row ids of each part are in `split`. Takes `all`
 * over, also on failure; on NULL the message of what failed before stays. */
typedef struct trainer_data {
    lg_dataset *all, *train, *validation, *test;
    lg_split *split;
    lg_scaler *scaler;
    lg_imputer *imputer; /* what stands in for missing numbers; NULL unless --missing says mean or median */
} trainer_data;
lg_status trainer_split(trainer_data *data, const trainer_options *options, lg_dataset *all);

/* The same with parts that are known already; takes `split` over as well. */
lg_status trainer_split_as(trainer_data *data, const trainer_options *options, lg_dataset *all, lg_split *split);

/* Standardises the features of all parts by mean and deviation of the training part. */
lg_status trainer_scale(trainer_data *data);
void trainer_data_free(trainer_data *data);

/* Prints where the data are from, and how many rows of each class are in each part. */
lg_status trainer_print_data(const trainer_options *options, const trainer_data *data);

/* The random streams of a run, all of --seed; a trainer's own come from TRAINER_OWN on. */
typedef enum trainer_stream { TRAINER_SPLIT = 1, TRAINER_WEIGHTS, TRAINER_SHUFFLE, TRAINER_FOLDS,
                              TRAINER_OWN = 100 } trainer_stream;
lg_rng trainer_rng(const trainer_options *options, trainer_stream stream);

/* Reads --data: CSV, IDX, NPY, NPZ or LIBSVM, as the content says. `csv` is what the trainer wants of it (target_kind
 * and positive hold for all kinds); the shared options (--target, --labels, --drop, --missing) are added. Unsigned
 * bytes, which pixels are, become numbers in [0, 1]. Rows are vectors, "x" is [features]; with _pictures those of an
 * array keep their shape, and only those of a table are vectors. */
lg_dataset *trainer_read(const trainer_options *options, lg_csv_options csv);
lg_dataset *trainer_read_pictures(const trainer_options *options, lg_csv_options csv);

/* "--optimizer" with "--lr" on a set. */
lg_optimizer *trainer_optimizer(const trainer_options *options, lg_params *params);

/* The options of lg_fit that the command line decides; the trainer adds what is its own. The history goes to
 * history.csv of the run, and with --save-every checkpoints to checkpoint.safetensors; call it when all arguments are
 * noted, since these are what --resume compares. With `r` NULL in silence, without files, validation and early
 * stopping: for a fold of cross-validation. */
lg_fit_options trainer_fit_options(const trainer_options *options, const lg_dataset *validation, run *r);

/* Weights [classes] by which the classes of the training part count alike, for lg_fit_options.class_weight. */
lg_status trainer_class_weights(const lg_dataset *train, size_t classes, lg_real *weights);

/* "--loss" applied to logits and targets 0 or 1, both [n]: adapts both to what the loss wants (labels -1 and 1 for
 * hinge and its kin, probabilities where it takes no logits) and weights rows by the class weights that lg_fit was
 * given. */
lg_tensor *trainer_binary_loss(lg_tape *tape, const trainer_options *options, const lg_batch *batch, lg_tensor *logits,
                               lg_tensor *target, lg_reduction reduction);

/* ----------------------------------------------------------------- the run */

/* Opens the run's folder, and notes and saves what is known at the beginning: arguments, seed, versions. */
run *trainer_open(const trainer *about, const trainer_options *options, int argc, const char *const *argv);

/* Rows, features and classes of the data and of its parts, into run.json. */
void trainer_note_data(run *r, const trainer_options *options, const trainer_data *data);

/* After lg_fit: history.jsonl, loss.svg, and what the history says, into run.json. From here on Ctrl-C is noted
 * (interrupt.h), and the run ends as one that was interrupted. */
lg_status trainer_note_history(run *r, const lg_history *history, const char *title);

/* The end of the run: run.json with "finished", "interrupted" (by a signal in lg_fit or since) or "failed" and why;
 * then names the files. `r` may be NULL. Gives the status back, or what went wrong here. */
lg_status trainer_close(run *r, const lg_history *history, lg_status status);

/* The end of the program: prints the sentence of a failure to stderr ("fraud: what, where") and returns the exit
 * status, 0 or 1. A program that was interrupted (`signal_number`, of lg_history_signal, or since) dies of the signal
 * here. */
int trainer_end(lg_status status, int signal_number);

#endif

#include "svm_options.h"
#include "folds.h"

#include <math.h>

enum { KEY_POSITIVE = 256, KEY_LAMBDA, KEY_LOSS_NAME, KEY_FOLDS, KEY_NO_AVERAGE, KEY_TEXTBOOK };

static const struct argp_option own_options[] = {
    { 0, 0, 0, 0, "The machine:", 1 },
    { "positive", KEY_POSITIVE, "CLASS", 0, "The class of --target above the plane (default: the second of two)", 1 },
    { "lambda", KEY_LAMBDA, "NUMBER", 0,
      "Weight of |w|^2: larger makes the margin wider (default: 0.01; with --load that of the model)", 1 },
    { "loss", KEY_LOSS_NAME, "hinge|squared_hinge", 0,
      "What a row inside the margin costs (default: hinge; with --load that of the model)", 1 },
    { "folds", KEY_FOLDS, "N", 0, FOLDS_HELP, 1 },
    { "no-average", KEY_NO_AVERAGE, 0, 0, "Keep the last weights, not the average of all steps", 1 },
    { "textbook", KEY_TEXTBOOK, 0, 0,
      "As the textbook: the constant step 0.01, batches of 1 in the order of the file, 1000 epochs, the last weights. "
      "Options after this one change it", 1 },
    { 0 },
};

static void check(struct argp_state *state, svm_options *options)
{
    const trainer_options *shared = &options->shared;
    if (shared->data && !shared->target && !shared->labels)
        argp_error(state, "--data needs --target: the column of the two classes (-1 is the last); or --labels");
    if (!shared->data && !shared->predict && (shared->target || options->positive))
        argp_error(state, "%s needs --data", options->positive ? "--positive" : "--target");
    options->folds = folds_settle(state, options->folds, shared);
    if (!shared->load && options->lambda == 0)
        options->lambda = 0.01;
    if (!shared->load && options->loss == SVM_LOSS_OF_MODEL)
        options->loss = SVM_HINGE;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    svm_options *options = state->input;
    switch (key) {
    case KEY_POSITIVE: options->positive = arg; break;
    case KEY_LAMBDA:
        options->lambda = argument_real(state, "--lambda", arg, (argument_range){ 0, INFINITY, true, true });
        break;
    case KEY_LOSS_NAME:
        options->loss = argument_choice(state, "--loss", arg, "hinge|squared_hinge") ? SVM_SQUARED_HINGE : SVM_HINGE;
        break;
    case KEY_FOLDS: options->folds = folds_argument(state, arg); break;
    case KEY_NO_AVERAGE: options->last = true; break;
    case KEY_TEXTBOOK:
        options->shared.learning_rate = 0.01;
        options->shared.batch_size = 1;
        options->shared.epochs = 1000;
        options->last = options->in_order = true;
        break;
    case ARGP_KEY_END: check(state, options); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const trainer svm_about = {
    .name = "svm",
    .summary = "Trains a linear support vector machine by sub-gradient descent. Without --data it tells benign from "
               "malignant tumours by 30 measures of cell nuclei (569 rows).",
    .examples = "--load without --predict goes on training: behind the s steps that a model has made the step is "
                "1/(lambda (s + t)), so that what was learned is refined, not thrown away, and what comes out is the "
                "average of the new steps. With --lr all steps are of that size.\n\n"
                "Examples:\n"
                "  svm --lambda 0.001\n"
                "  svm --textbook\n"
                "  svm --data data/spam.csv.gz --target type --positive spam --test-split 0.2\n"
                "  svm --data data/breast_cancer.csv --skip-lines 1 --target -1\n"
                "  svm --data a9a --target label                              (LIBSVM)\n"
                "  svm --load runs/svm --predict new.csv\n"
                "  svm --load runs/svm --data more.csv --target kind --epochs 20",
    .kind = "linear support vector machine",
    .of_model = (const char *const[]){ "positive", NULL },
    .rate = "1/(lambda t) at step t",
    .without = (const char *const[]){ "optimizer", NULL },
    .options = own_options,
    .parser = parse,
};

svm_options svm_options_parse(int argc, char **argv)
{
    svm_options options = { .shared = { .epochs = 200, .batch_size = 16, .seed = 42, .verbose = LG_PROGRESS },
                            .loss = SVM_LOSS_OF_MODEL,
                            .folds = FOLDS_DEFAULT };
    trainer_parse(&svm_about, &options, argc, argv);
    return options;
}

void svm_options_note(const svm_options *options, size_t fold_count, run *r)
{
    run_note_text(r, "arguments.positive", options->positive);
    run_note_number(r, "arguments.lambda", options->lambda);
    run_note_text(r, "arguments.loss", options->loss == SVM_SQUARED_HINGE ? "squared_hinge" : "hinge");
    run_note_count(r, "arguments.folds", fold_count);
    run_note_flag(r, "arguments.average", !options->last);
}

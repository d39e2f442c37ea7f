/* The command line that the trainers share: options for data, training and output, read strictly, with their defaults
 * in --help. A trainer adds its own options. */
#ifndef EXAMPLES_COMMAND_LINE_H
#define EXAMPLES_COMMAND_LINE_H

#include "arguments.h"

#include <luge.h>

#define TRAINER_MOST_DROPPED 256

/* The shared options, and what they are when the command line does not say. */
typedef struct trainer_options {
    const char *data;       /* NULL: the trainer's embedded data */
    const char *target;     /* NULL: not given */
    const char *labels;     /* file with the target of each row, for arrays; NULL: not given */
    size_t skip_lines;      /* of a CSV file, before its table */
    const char *drop[TRAINER_MOST_DROPPED + 1];
    size_t index_base;      /* of a LIBSVM file: an lg_index_base */
    size_t missing;         /* TRAINER_MISSING_... */
    bool stream;            /* rows stay in their file; of the trainers that have the option */
    size_t shuffle_buffer;  /* rows of them in memory; 0: as many as 64 MB have room for */
    size_t epochs;          /* 0: as the trainer sees fit, once it knows the data */
    size_t batch_size;
    const char *optimizer;
    double learning_rate;   /* 0: as the trainer sees fit */
    const char *loss;       /* its name, ... */
    lg_loss_spec loss_spec; /* ... and what that means, with --loss-param applied and from_logits set */
    uint64_t seed;
    size_t threads;         /* 0: lg_num_threads decides */
    double validation_split, test_split;
    size_t early_stopping;  /* epochs of patience; 0: none */
    double clip_norm;       /* 0: none */
    size_t save_every;      /* epochs from one checkpoint to the next; 0: none */
    const char *load;       /* a model to begin with: model.safetensors of a run, or its folder; NULL: not given */
    const char *predict;    /* rows to predict by it, instead of training; NULL: not given */
    const char *resume;     /* what --resume names: a checkpoint or a run's folder; NULL: not given */
    const char *out;
    bool overwrite, profile, dry_run;
    lg_verbose verbose;
} trainer_options;

enum { TRAINER_MISSING_ERROR, TRAINER_MISSING_MEAN, TRAINER_MISSING_MEDIAN, TRAINER_MISSING_DROP };

/* What a trainer is. `without` names shared options that make no sense for it, by their long names, ended by NULL. */
typedef struct trainer {
    const char *name;               /* of its folder in runs/ */
    const char *summary;            /* what it does, for --help */
    const char *examples;           /* command lines, for the end of --help */
    unsigned tasks;                 /* LG_TASK_...: losses of one of these fit. 0: the loss is the trainer's own */
    const char *rate, *epochs;      /* what --lr and --epochs are by default, where that is no number; else NULL */
    const char *const *without;
    const char *kind;               /* of its model files, for --load and --predict; NULL: it has neither */
    const char *const *of_model;    /* its own options that a model which is loaded decides, ended by NULL */
    const char *const *for_predict; /* options, its own or shared, that --predict takes too, ended by NULL */
    const char *load, *predict;     /* what these do, for --help, where it is not about columns; NULL: it is */
    const struct argp_option *options; /* its own, ended by { 0 } */
    argp_parser_t parser;           /* of its own; its state->input is the pointer given to trainer_parse */
} trainer;

/* Reads the command line into `options` (a struct that begins with trainer_options and holds the defaults). Ends the
 * program for --help, --version and --list-losses (exit 0) and for usage errors (exit 2). Sees to it that output that
 * cannot be written becomes exit 1. */
void trainer_parse(const trainer *about, void *options, int argc, char **argv);

/* The part of it that any program wants that parses its own command line with argp: --version, exit 2 for usage errors,
 * exit 1 for output that cannot be written. */
void program_begin(void);

#endif

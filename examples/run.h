/* The output folder of one run of a trainer, and the facts about it that end up in its run.json.
 *
 *     run *r = run_open("fraud", NULL, false);                 runs/fraud, or runs/fraud-2, ... if that is taken
 *     run_note_number(r, "test.roc_auc", auc);                 {"test": {"roc_auc": ...}}
 *     run_file file;
 *     if (run_file_begin(&file, r, "predictions.csv") == LG_OK) {
 *         fprintf(file.stream, ...);
 *         run_file_end(&file);
 *     }
 *     run_save(r, "finished");
 *
 * Every file is written under a temporary name, synced, and renamed, so that a file is either whole or absent. What
 * fails returns NULL or a negative lg_status and leaves its sentence in lg_error(). */
#ifndef EXAMPLES_RUN_H
#define EXAMPLES_RUN_H

#include "run_facts.h"

/* Makes the folder. out NULL: runs/NAME, or the first of runs/NAME-2, -3, ... that does not exist (found by making it,
 * so that two programs never get the same); with `overwrite` runs/NAME itself. Otherwise `out`, with its parents; if it
 * holds a run already that is refused, and with `overwrite` the files that its run.json lists are removed. */
run *run_open(const char *name, const char *out, bool overwrite);
void run_free(run *r);

/* Opens the folder of an earlier run to go on from a checkpoint: `from` is that folder or a checkpoint in it. Its
 * run.json stays as it is, and run_save does nothing, until run_accept says that the checkpoint was gone on from. */
run *run_resume(const char *from);
void run_accept(run *r);

/* Refuses what run_open would refuse, before any long work is done. */
lg_status run_check(const char *out, bool overwrite);

/* The folder ("runs/fraud"), and the path of a file in it, valid until the next call. */
const char *run_folder(const run *r);
const char *run_path(run *r, const char *file);

/* The path of "checkpoint.safetensors" in the folder, or of the file that run_resume was given. NULL without memory. It
 * lives as long as the run. */
const char *run_checkpoint(run *r);

/* A file of the folder while it is written. end: checks, syncs, renames; on failure removes what was written.
 * discard: removes it. `name` must live until then. */
typedef struct run_file {
    FILE *stream;
    run *owner;
    const char *name;
    char *path, *temporary;
} run_file;
lg_status run_file_begin(run_file *file, run *r, const char *name);
lg_status run_file_end(run_file *file);
void run_file_discard(run_file *file);

/* Prints the folder and the files that are listed: "runs/fraud: history.csv loss.svg run.json". */
void run_print_files(const run *r);

/* Writes run.json: the facts with "status" ("running", "interrupted", "finished"). */
lg_status run_save(run *r, const char *status);

#endif

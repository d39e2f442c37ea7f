/* The line reader: text in pictures of lines, without being told where a character is.
 *
 *     build/ctc                                              lines of handwritten digits
 *     build/ctc --hidden 128,128 --epochs 20
 *     build/ctc --data lines.npy --labels lines.txt          lines of one's own
 *     build/ctc --load runs/ctc --predict new.npy            what a reader that is there reads in other lines
 *
 * A window slides over the columns of a picture; at each place, or frame, a small network says how likely each
 * character is, or that there is none (the blank). What the frames spell is what is left when repeated characters are
 * merged and blanks taken out. The labels say what a line spells, not where: the loss (connectionist temporal
 * classification) is the negative log probability of all the ways to spell it together.
 *
 * Without --data, lines are composed of digits (digit_lines.c): those for training anew each epoch, the others of
 * digits that are in no line for training. How lines come into windows, ctc_lines.c and lines.c show. */
#include "ctc_file.h"
#include "ctc_predict.h"
#include "ctc_report.h"
#include "trainer_steps.h"

#include <stdlib.h>

typedef struct reader {
    ctc_options options;
    loaded_model loaded; /* of --load */
    ctc_lines lines;
    lg_params *params;
    lg_dense *layer[MOST_HIDDEN + 1];
    lg_optimizer *optimizer;
} reader;

/* ---------------------------------------------------------- data and model */

/* Dense layers with tanh over the window of each frame; the last says how likely each character is, or the blank. */
static lg_status build_model(reader *r)
{
    const hidden_layers *hidden = &r->options.hidden;
    lg_rng rng = trainer_rng(&r->options.shared, TRAINER_WEIGHTS);
    size_t width = r->lines.frames.window * r->lines.height;
    r->params = lg_params_new();
    for (size_t i = 0; i < hidden->count; i++) {
        r->layer[i] = lg_dense_new_with(r->params, NULL, width, hidden->width[i],
                                        &(lg_dense_options){ .activation = LG_TANH }, &rng);
        width = hidden->width[i];
    }
    r->layer[hidden->count] = lg_dense_new(r->params, "out", width, r->lines.alphabet.classes, &rng);
    if (!r->layer[hidden->count])
        return lg_error_code();
    return r->options.shared.load ? loaded_weights(&r->loaded, r->params) : LG_OK;
}

static void print_model(const reader *r)
{
    const line_frames *frames = &r->lines.frames;
    printf("Network: %zu columns x %zu", frames->window, r->lines.height);
    for (size_t i = 0; i < r->options.hidden.count; i++)
        printf(" - %zu tanh", r->options.hidden.width[i]);
    printf(" - %zu characters and the blank, a frame every %zu column%s\n\n", r->lines.alphabet.classes - 1,
           frames->stride, frames->stride == 1 ? "" : "s");
}

static lg_status prepare(void *model)
{
    reader *r = model;
    const trainer_options *shared = &r->options.shared;
    lg_status status = shared->load ? ctc_file_open(&r->loaded, &r->lines, &r->options) : LG_OK;
    if (status == LG_OK)
        status = ctc_lines_read(&r->lines, &r->options);
    if (status == LG_OK)
        status = build_model(r);
    if (status != LG_OK)
        return status;
    ctc_lines_print(&r->lines, &r->options);
    print_model(r);
    r->optimizer = trainer_optimizer(shared, r->params);
    return r->optimizer ? LG_OK : lg_error_code();
}

/* -------------------------------------------------------------------- loss */

static lg_tensor *logits_of(lg_tape *tape, const lg_batch *batch, const void *model)
{
    const reader *r = model;
    lg_tensor *h = lg_batch_x(tape, batch); /* [lines, frames, window x height] */
    for (size_t i = 0; i <= r->options.hidden.count; i++)
        h = lg_dense_apply(tape, r->layer[i], h);
    return h; /* [lines, frames, classes] */
}

/* How lines are read off the logits. */
static line_reader reading(const reader *r)
{
    return (line_reader){ &r->lines.alphabet, logits_of, r, r->options.beam, r->options.show };
}

/* One batch: -log of the probability of all ways in which the frames can spell the text of their line. */
static lg_tensor *step(lg_tape *tape, const lg_batch *batch, void *model)
{
    const line_reader reader_of_lines = reading(model);
    lg_tensor *logits = logits_of(tape, batch, model);               /* [lines, frames, classes] */
    lg_tensor *frames = lg_batch_field_lengths(tape, batch, "x");    /* [lines] */
    lg_tensor *text = lg_batch_y(tape, batch);                       /* [lines, characters], classes from 1 */
    lg_tensor *characters = lg_batch_field_lengths(tape, batch, "y"); /* [lines] */
    if (line_report_batch(tape, &reader_of_lines, batch, logits) != LG_OK)
        return NULL;
    return lg_ctc(tape, logits, text, frames, characters, LG_CTC_LOGITS, 0, false, false, NULL);
}

/* --------------------------------------------------------------------- fit */

static lg_history *fit(reader *r, run *of)
{
    lg_fit_options options = trainer_fit_options(&r->options.shared, r->lines.data.validation, of);
    /* From the full rate down to none: large steps find where characters are, small ones tell them apart. */
    const lg_schedule schedule = lg_schedule_cosine(0, options.epochs, 0);
    options.schedule = &schedule;
    options.callback = ctc_lines_next_epoch;
    options.context = &r->lines;
    return lg_fit(step, r, r->optimizer, r->lines.data.train, &options);
}

/* ------------------------------------------------------------------ report */

/* All lines; of composed ones those that are held out, since lines for training are there for an epoch only. */
static lg_status report(reader *r, run *of)
{
    const trainer_data *data = &r->lines.data;
    const line_reader reader_of_lines = reading(r);
    const size_t rows = lg_dataset_rows(data->all), first = r->lines.digits ? r->options.lines : 0;
    size_t *ids = calloc(rows, sizeof *ids);
    if (!ids)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu lines", rows);
    for (size_t i = first; i < rows; i++)
        ids[i - first] = i;
    lg_status status = line_report(of, &reader_of_lines, data, &r->lines.source, ids, rows - first);
    free(ids);
    return status;
}

static lg_status train(void *model, run *of, lg_history **history)
{
    reader *r = model;
    ctc_note(of, &r->options);
    ctc_lines_note(of, &r->lines);
    trainer_note_data(of, &r->options.shared, &r->lines.data);
    *history = fit(r, of);
    lg_status status = *history ? trainer_note_history(of, *history, "Line reader: loss") : lg_error_code();
    if (status == LG_OK)
        status = ctc_file_save(of, r->params, &r->lines, &r->options.hidden);
    return status != LG_OK || lg_history_signal(*history) ? status : report(r, of);
}

/* ---------------------------------------------------------------- together */

static lg_status predict(void *model, int argc, const char *const *argv)
{
    reader *r = model;
    const line_reader reader_of_lines = reading(r);
    lg_status status = ctc_file_open(&r->loaded, &r->lines, &r->options);
    if (status == LG_OK)
        status = ctc_lines_read_unlabelled(&r->lines, &r->options);
    if (status == LG_OK)
        status = build_model(r);
    if (status != LG_OK)
        return status;
    return ctc_predict(&r->loaded, argc, argv, &reader_of_lines, r->lines.data.all, &r->lines.source);
}

static void release(void *model)
{
    reader *r = model;
    lg_optimizer_free(r->optimizer);
    lg_params_free(r->params);
    ctc_lines_free(&r->lines);
    loaded_close(&r->loaded);
}

int main(int argc, char **argv)
{
    static const trainer_steps steps = { prepare, train, predict, release };
    reader r = { .options = ctc_parse(argc, argv) };
    return trainer_main(&ctc_about, &r.options.shared, &steps, &r, argc, argv);
}

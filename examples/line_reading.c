#include "line_reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, SHOWN_ROWS = 12, SHOWN_COLUMNS = 76 };

/* ------------------------------------------------------------------- texts */

void line_text_found(const alphabet *a, const lg_ctc_labels *found, size_t n, char text[LINE_MOST_TEXT])
{
    const size_t length = found->lengths[n * found->paths];
    alphabet_text(a, found->labels + n * found->paths * found->width,
                  length < LINE_MOST_LABELS ? length : LINE_MOST_LABELS, text);
}

void line_text_target(const alphabet *a, const lg_batch *batch, size_t n, char text[LINE_MOST_TEXT])
{
    alphabet_text(a, lg_batch_indices(batch, "y") + n * lg_batch_longest(batch, "y"),
                  (size_t)lg_batch_lengths(batch, "y")[n], text);
}

/* ----------------------------------------------------------------- reading */

void read_lines_free(read_line *lines, size_t count)
{
    for (size_t i = 0; lines && i < count; i++) {
        free(lines[i].target);
        free(lines[i].greedy);
        free(lines[i].beam);
    }
    free(lines);
}

static char *copy(const char *text)
{
    char *made = strdup(text);
    if (!made)
        lg_fail(LG_E_MEMORY, "out of memory for the text of a line");
    return made;
}

/* Both readings of a batch of lines. */
static lg_status read_frames(const line_reader *reader, const lg_tensor *logits, const lg_tensor *frames, size_t count,
                             read_line *lines)
{
    const lg_ctc_decode_options options = { .input_lengths = frames };
    lg_ctc_labels *greedy = logits ? lg_ctc_greedy_decode(logits, &options) : NULL;
    lg_ctc_labels *beam = greedy ? lg_ctc_beam_decode(logits, reader->beam, 1, &options) : NULL;
    char text[LINE_MOST_TEXT];
    bool fine = beam != NULL;
    for (size_t n = 0; fine && n < count; n++) {
        line_text_found(reader->alphabet, greedy, n, text);
        fine = (lines[n].greedy = copy(text)) != NULL;
        line_text_found(reader->alphabet, beam, n, text);
        fine = fine && (lines[n].beam = copy(text)) != NULL;
        lines[n].score = beam->scores[n];
    }
    lg_ctc_labels_free(greedy);
    lg_ctc_labels_free(beam);
    return fine ? LG_OK : lg_error_code();
}

/* What a batch of lines says, and what that it says costs. */
static lg_status take_targets(lg_tape *tape, const line_reader *reader, const lg_batch *batch, lg_tensor *logits,
                              lg_tensor *frames, read_line *lines)
{
    lg_tensor *loss = lg_ctc(tape, logits, lg_batch_y(tape, batch), frames, lg_batch_field_lengths(tape, batch, "y"),
                             LG_CTC_LOGITS, 0, false, false, &(lg_loss_options){ .reduction = LG_REDUCE_NONE });
    char text[LINE_MOST_TEXT];
    bool fine = loss != NULL;
    for (size_t n = 0; fine && n < lg_batch_rows(batch); n++) {
        line_text_target(reader->alphabet, batch, n, text);
        fine = (lines[n].target = copy(text)) != NULL;
        lines[n].loss = (double)lg_tensor_data(loss)[n];
    }
    return fine ? LG_OK : lg_error_code();
}

static lg_status read_batch(lg_tape *tape, const line_reader *reader, const lg_batch *batch, read_line *lines)
{
    const size_t count = lg_batch_rows(batch);
    lg_tensor *logits = reader->logits(tape, batch, reader->model); /* [lines, frames, classes] */
    lg_tensor *frames = lg_batch_field_lengths(tape, batch, "x");
    bool labelled = true;
    for (size_t n = 0; n < count; n++)
        labelled = labelled && lg_batch_lengths(batch, "y")[n] > 0;
    lg_status status = labelled ? take_targets(tape, reader, batch, logits, frames, lines) : LG_OK;
    return status == LG_OK ? read_frames(reader, logits, frames, count, lines) : status;
}

lg_status lines_read(const line_reader *reader, const lg_dataset *data, read_line *lines, size_t count)
{
    size_t ids[BATCH];
    lg_tape *tape = lg_tape_new();
    lg_batch *batch = tape ? lg_batch_new(data, BATCH) : NULL;
    lg_status status = batch ? LG_OK : lg_error_code();
    lg_tape_set_training(tape, false);
    lg_tape_set_gradients(tape, false);
    for (size_t first = 0; status == LG_OK && first < count; first += BATCH) {
        const size_t taken = count - first < BATCH ? count - first : BATCH;
        for (size_t i = 0; i < taken; i++)
            ids[i] = lines[first + i].row;
        lg_tape_reset(tape);
        status = lg_batch_fill(batch, ids, taken);
        if (status == LG_OK)
            status = read_batch(tape, reader, batch, lines + first);
    }
    lg_batch_free(batch);
    lg_tape_free(tape);
    return status;
}

/* ----------------------------------------------------------------- showing */

bool line_fits(const line_source *source, size_t row)
{
    line l;
    source->get(source->context, row, &l);
    return l.width <= SHOWN_COLUMNS * ((source->height + SHOWN_ROWS - 1) / SHOWN_ROWS);
}

void line_show(const line_source *source, size_t row)
{
    line l;
    source->get(source->context, row, &l);
    printf("\n");
    line_print(&l, source->height, SHOWN_ROWS, SHOWN_COLUMNS);
}

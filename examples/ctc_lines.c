#include "ctc_lines.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_OUT_LINES = 500 }; /* of each part, where lines are composed */

/* Of a loaded model, or what is enough for lines of 8 pixels, in proportion; a window has a column in its middle. */
static lg_status find_frames(ctc_lines *lines, const ctc_options *options, const char *name)
{
    const size_t height = lines->source.height;
    if (lines->height && lines->height != height)
        return lg_fail(LG_E_SHAPE, "%s: lines are %zu pixels high, but those of the model are %zu", name, height,
                       lines->height);
    if (lines->height)
        return LG_OK;
    lines->height = height;
    lines->frames.window = options->window ? options->window : (11 * height / 8) | 1;
    lines->frames.stride = options->stride ? options->stride : height < 12 ? 1 : (height + 4) / 8;
    return LG_OK;
}

/* `all` of a source that was opened; the parts are known, or taken at random. */
static lg_status make_parts(ctc_lines *lines, const trainer_options *shared, lg_split *parts)
{
    lg_dataset *all = lines_dataset(&lines->source, &lines->frames);
    if (!all) {
        lines->source.free(lines->source.context);
        lines->digits = NULL;
        lg_split_free(parts);
        return lg_error_code();
    }
    return parts ? trainer_split_as(&lines->data, shared, all, parts) : trainer_split(&lines->data, shared, all);
}

/* --------------------------------------------------------------- composed */

/* That a loaded model reads these very characters. */
static lg_status take_digits(ctc_lines *lines)
{
    alphabet digits = { 0 };
    lg_status status = digit_lines_alphabet(&digits);
    if (status == LG_OK && lines->alphabet.classes == 0) {
        lines->alphabet = digits;
        return LG_OK;
    }
    if (status == LG_OK &&
        (lines->alphabet.classes != digits.classes ||
         memcmp(lines->alphabet.symbol, digits.symbol, digits.classes * sizeof *digits.symbol) != 0))
        status = lg_fail(LG_E_FORMAT, "the model does not read digits, of which lines are composed; --data wants lines of "
                                      "its %zu characters", lines->alphabet.classes - 1);
    free(digits.symbol);
    return status;
}

static lg_status compose(ctc_lines *lines, const ctc_options *options)
{
    const trainer_options *shared = &options->shared;
    const digit_lines_options of_digits = { .train = options->lines,
                                            .validation = shared->validation_split > 0 ? HELD_OUT_LINES : 0,
                                            .test = shared->test_split > 0 ? HELD_OUT_LINES : 0,
                                            .validation_split = shared->validation_split,
                                            .test_split = shared->test_split,
                                            .split = trainer_rng(shared, TRAINER_SPLIT),
                                            .draw = trainer_rng(shared, TRAINER_OWN) };
    lines->digits = digit_lines_new(&of_digits);
    if (!lines->digits)
        return lg_error_code();
    lines->source = digit_lines_source(lines->digits);
    lg_split *parts = digit_lines_parts(lines->digits);
    if (parts && take_digits(lines) == LG_OK && find_frames(lines, options, "embedded digits") == LG_OK)
        return make_parts(lines, shared, parts);
    lg_split_free(parts);
    digit_lines_free(lines->digits);
    lines->digits = NULL;
    return lg_error_code();
}

/* -------------------------------------------------------------- from files */

static lg_status read_files(ctc_lines *lines, const ctc_options *options, const char *images, const char *texts)
{
    line_files *files = line_files_read(images, texts, &lines->alphabet);
    if (!files)
        return lg_error_code();
    lines->source = line_files_source(files);
    lg_status status = find_frames(lines, options, images);
    if (status == LG_OK && texts)
        status = line_files_check(files, &lines->frames);
    if (status == LG_OK)
        return LG_OK;
    line_files_free(files);
    return status;
}

lg_status ctc_lines_read(ctc_lines *lines, const ctc_options *options)
{
    if (!options->shared.data)
        return compose(lines, options);
    lg_status status = read_files(lines, options, options->shared.data, options->texts);
    return status == LG_OK ? make_parts(lines, &options->shared, NULL) : status;
}

lg_status ctc_lines_read_unlabelled(ctc_lines *lines, const ctc_options *options)
{
    lg_status status = read_files(lines, options, options->shared.predict, NULL);
    if (status != LG_OK)
        return status;
    lines->data.all = lines_dataset(&lines->source, &lines->frames);
    if (lines->data.all)
        return LG_OK;
    lines->source.free(lines->source.context);
    return lg_error_code();
}

void ctc_lines_free(ctc_lines *lines)
{
    trainer_data_free(&lines->data);
    free(lines->alphabet.symbol);
}

lg_status ctc_lines_next_epoch(size_t epoch, const lg_history *history, void *context)
{
    const ctc_lines *lines = context;
    (void)history;
    if (lines->digits)
        digit_lines_epoch(lines->digits, epoch + 1);
    return LG_OK;
}

/* ----------------------------------------------------------------- telling */

void ctc_lines_print(const ctc_lines *lines, const ctc_options *options)
{
    const trainer_data *data = &lines->data;
    if (options->shared.data)
        printf("Data: %s, %zu lines, %zu pixels high, up to %zu wide\n", options->shared.data, lg_dataset_rows(data->all),
               lines->source.height, lines->source.most_width);
    else
        printf("Data: lines of 3 to 10 of the embedded digits, composed anew each epoch; held-out lines of other digits\n");
    printf("  %-12s %10zu lines\n", "training", data->split->train_rows);
    if (data->validation)
        printf("  %-12s %10zu lines\n", "validation", data->split->validation_rows);
    if (data->test)
        printf("  %-12s %10zu lines\n", "test", data->split->test_rows);
    printf("\n");
}

void ctc_lines_note(run *r, const ctc_lines *lines)
{
    enum { MOST = 256 };
    const char *characters[MOST];
    const size_t count = lines->alphabet.classes - 1;
    run_note_count(r, "arguments.window", lines->frames.window);
    run_note_count(r, "arguments.stride", lines->frames.stride);
    for (size_t k = 0; k < count && k < MOST; k++)
        characters[k] = lines->alphabet.symbol[k + 1];
    if (count <= MOST)
        run_note_texts(r, "data.alphabet", count, characters);
}

#include "ctc_report.h"

#include "picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWN_LINES = 8 };

/* ------------------------------------------------------------------ errors */

lg_status line_errors_add(line_errors *errors, const char *target, const char *read)
{
    lg_status status = lg_error_rate_add_characters(&errors->characters, target, read);
    if (status == LG_OK)
        status = lg_error_rate_add_words(&errors->words, target, read);
    errors->lines.errors += strcmp(target, read) != 0;
    errors->lines.length++;
    return status;
}

static lg_status report_rate(lg_tape *tape, const char *name, const lg_error_rate *rate)
{
    return rate->length ? lg_report(tape, name, lg_error_rate_value(rate), (double)rate->length) : LG_OK;
}

lg_status line_report_batch(lg_tape *tape, const line_reader *reader, const lg_batch *batch, const lg_tensor *logits)
{
    const lg_ctc_decode_options options = { .input_lengths = lg_batch_field_lengths(tape, batch, "x") };
    lg_ctc_labels *found = logits ? lg_ctc_greedy_decode(logits, &options) : NULL;
    if (!found)
        return lg_error_code();
    line_errors errors = { 0 };
    lg_status status = LG_OK;
    char target[LINE_MOST_TEXT], read[LINE_MOST_TEXT];
    for (size_t n = 0; status == LG_OK && n < lg_batch_rows(batch); n++) {
        line_text_target(reader->alphabet, batch, n, target);
        line_text_found(reader->alphabet, found, n, read);
        status = line_errors_add(&errors, target, read);
    }
    lg_ctc_labels_free(found);
    if (status == LG_OK)
        status = report_rate(tape, "cer", &errors.characters);
    if (status == LG_OK)
        status = report_rate(tape, "wer", &errors.words);
    if (status == LG_OK)
        status = lg_report(tape, "exact", 1 - lg_error_rate_value(&errors.lines), (double)errors.lines.length);
    return status;
}

/* ------------------------------------------------------------------- report */

static const char *const decoders[] = { "greedy", "beam" };

static void note_errors(run *r, data_part part, const char *decoder, const line_errors *errors)
{
    const struct { const char *name; double value; } notes[] = {
        { "cer", lg_error_rate_value(&errors->characters) },
        { "wer", lg_error_rate_value(&errors->words) },
        { "exact", 1 - lg_error_rate_value(&errors->lines) },
    };
    char key[96];
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        snprintf(key, sizeof key, "metrics.%s.%s.%s", part_name(part), decoder, notes[i].name);
        run_note_number(r, key, notes[i].value);
    }
}

/* Errors by part and decoder. */
static lg_status print_errors(run *r, const line_reader *reader, const read_line *lines, size_t count)
{
    line_errors errors[3][2] = { 0 };
    lg_status status = LG_OK;
    for (size_t i = 0; status == LG_OK && i < count; i++) {
        status = line_errors_add(&errors[lines[i].part][0], lines[i].target, lines[i].greedy);
        if (status == LG_OK)
            status = line_errors_add(&errors[lines[i].part][1], lines[i].target, lines[i].beam);
    }
    printf("\n%-12s %7s %11s  %-18s %9s %9s %9s\n", "", "lines", "characters", "read by", "CER", "WER", "exact");
    for (data_part part = PART_TRAIN; part <= PART_TEST; part++) {
        if (errors[part][0].lines.length == 0)
            continue;
        for (size_t d = 0; d < 2; d++) {
            const line_errors *e = &errors[part][d];
            char name[32];
            if (d == 0)
                snprintf(name, sizeof name, "best path");
            else
                snprintf(name, sizeof name, "beam of %zu", reader->beam);
            if (d == 0)
                printf("%-12s %7zu %11zu", part_name(part), e->lines.length, e->characters.length);
            else
                printf("%-12s %7s %11s", "", "", "");
            printf("  %-18s %8.2f%% %8.2f%% %8.2f%%\n", name, 100 * lg_error_rate_value(&e->characters),
                   100 * lg_error_rate_value(&e->words), 100 * (1 - lg_error_rate_value(&e->lines)));
            note_errors(r, part, decoders[d], e);
        }
    }
    return status;
}

static void show(const read_line *line_read, const line_source *source)
{
    line_show(source, line_read->row);
    printf("  row %zu: %s", line_read->row, line_read->target);
    if (strcmp(line_read->beam, line_read->target) == 0)
        printf(", read right, loss %.3f\n", line_read->loss);
    else
        printf(", but read \"%s\", loss %.3f\n", line_read->beam, line_read->loss);
}

/* The first lines of the last part there is that fit on a terminal as they are, and the one hardest to read. */
static void show_some(const line_reader *reader, const line_source *source, const read_line *lines, size_t count)
{
    data_part part = PART_TRAIN;
    for (size_t i = 0; i < count; i++)
        part = lines[i].part > part ? lines[i].part : part;
    const read_line *hardest = NULL;
    for (size_t i = 0; i < count; i++)
        if (lines[i].part == part && (!hardest || lines[i].loss > hardest->loss))
            hardest = &lines[i];
    if (reader->shown == 0 || !hardest)
        return;
    printf("\nLines of the %s part, the last one the hardest of all:\n", part_name(part));
    size_t left = reader->shown - 1;
    for (size_t i = 0; left > 0 && i < count; i++) {
        if (lines[i].part != part || &lines[i] == hardest || !line_fits(source, lines[i].row))
            continue;
        show(&lines[i], source);
        left--;
    }
    show(hardest, source);
    printf("\n");
}

/* lines.png: the last lines of all, one below the other. */
static lg_status draw_some(run *r, const line_source *source, const read_line *lines, size_t count)
{
    const size_t first = count < DRAWN_LINES ? 0 : count - DRAWN_LINES, rows = count - first;
    const picture_grid grid = { .rows = rows, .columns = 1, .height = source->height, .width = source->most_width };
    lg_real *values = calloc(rows ? rows : 1, source->height * source->most_width * sizeof *values);
    if (!values)
        return lg_fail(LG_E_MEMORY, "out of memory for a picture of %zu lines", rows);
    for (size_t i = 0; i < rows; i++) {
        line l;
        source->get(source->context, lines[first + i].row, &l);
        for (size_t y = 0; y < source->height; y++)
            memcpy(values + (i * source->height + y) * source->most_width, l.pixels + y * l.stride,
                   l.width * sizeof *values);
    }
    lg_status status = rows ? picture_write(r, "lines.png", &grid, values) : LG_OK;
    free(values);
    return status;
}

/* Texts are always in quotes: "007" is one. */
static lg_status write_predictions(run *r, const read_line *lines, size_t count)
{
    run_file file;
    lg_status status = run_file_begin(&file, r, "predictions.csv");
    if (status != LG_OK)
        return status;
    fputs("row,part,target,greedy,beam,loss\n", file.stream);
    for (size_t i = 0; i < count; i++) {
        fprintf(file.stream, "%zu,%s", lines[i].row, part_name(lines[i].part));
        fputc(',', file.stream);
        csv_cell(file.stream, lines[i].target);
        fputc(',', file.stream);
        csv_cell(file.stream, lines[i].greedy);
        fputc(',', file.stream);
        csv_cell(file.stream, lines[i].beam);
        fprintf(file.stream, ",%.*g\n", LG_REAL_BITS == 64 ? 17 : 9, lines[i].loss);
    }
    return run_file_end(&file);
}

lg_status line_report(run *r, const line_reader *reader, const trainer_data *data, const line_source *source,
                      const size_t *ids, size_t count)
{
    data_part *parts = part_of_rows(data->split);
    read_line *lines = calloc(count ? count : 1, sizeof *lines);
    lg_status status = parts ? LG_OK : lg_error_code();
    if (status == LG_OK && !lines)
        status = lg_fail(LG_E_MEMORY, "out of memory for %zu lines", count);
    for (size_t i = 0; status == LG_OK && i < count; i++) {
        lines[i].row = ids[i];
        lines[i].part = parts[ids[i]];
    }
    if (status == LG_OK)
        status = lines_read(reader, data->all, lines, count);
    if (status == LG_OK)
        status = print_errors(r, reader, lines, count);
    if (status == LG_OK) {
        show_some(reader, source, lines, count);
        status = write_predictions(r, lines, count);
    }
    if (status == LG_OK)
        status = draw_some(r, source, lines, count);
    read_lines_free(lines, count);
    free(parts);
    return status;
}

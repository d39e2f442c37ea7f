#include "ctc_predict.h"

#include <stdlib.h>

static void write_lines(FILE *stream, const read_line *lines, size_t count)
{
    fputs("row,greedy,beam,score\n", stream);
    for (size_t i = 0; i < count && !ferror(stream); i++) {
        fprintf(stream, "%zu,", lines[i].row);
        csv_cell(stream, lines[i].greedy);
        fputc(',', stream);
        csv_cell(stream, lines[i].beam);
        fprintf(stream, ",%.*g\n", LG_REAL_BITS == 64 ? 17 : 9, lines[i].score);
    }
}

/* The first lines that fit on a terminal as they are. */
static void show(const read_line *lines, size_t count, const line_source *source, size_t shown)
{
    for (size_t i = 0; shown > 0 && i < count; i++) {
        if (!line_fits(source, lines[i].row))
            continue;
        line_show(source, lines[i].row);
        printf("  row %zu: %s, log probability %.3f\n", lines[i].row, lines[i].beam, lines[i].score);
        shown--;
    }
}

static lg_status leave_run(const loaded_model *m, int argc, const char *const *argv, const line_reader *reader,
                           const line_source *source, const read_line *lines, size_t count)
{
    run *r = loaded_open_run(m, argc, argv);
    if (!r)
        return lg_error_code();
    printf("Data: %s, %zu lines, %zu pixels high, up to %zu wide\n", m->options->predict, count, source->height,
           source->most_width);
    show(lines, count, source, reader->shown);
    run_note_count(r, "data.rows", count);
    run_note_count(r, "arguments.beam", reader->beam);
    run_file file;
    lg_status status = run_file_begin(&file, r, "predictions.csv");
    if (status == LG_OK) {
        write_lines(file.stream, lines, count);
        status = run_file_end(&file);
    }
    status = trainer_close(r, NULL, status);
    run_free(r);
    return status;
}

lg_status ctc_predict(const loaded_model *m, int argc, const char *const *argv, const line_reader *reader,
                      const lg_dataset *data, const line_source *source)
{
    const size_t count = lg_dataset_rows(data);
    read_line *lines = calloc(count, sizeof *lines);
    if (!lines)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu lines", count);
    for (size_t i = 0; i < count; i++)
        lines[i].row = i;
    lg_status status = lines_read(reader, data, lines, count);
    if (status == LG_OK && loaded_to_stdout(m))
        write_lines(stdout, lines, count);
    else if (status == LG_OK)
        status = leave_run(m, argc, argv, reader, source, lines, count);
    read_lines_free(lines, count);
    return status;
}

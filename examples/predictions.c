#include "predictions.h"

#include <stdlib.h>

const char *part_name(data_part part)
{
    return (const char *const[]){ "train", "validation", "test" }[part];
}

data_part *part_of_rows(const lg_split *split)
{
    const size_t rows = split->train_rows + split->validation_rows + split->test_rows;
    data_part *part = calloc(rows, sizeof *part);
    if (!part) {
        lg_fail(LG_E_MEMORY, "out of memory for the parts of %zu rows", rows);
        return NULL;
    }
    for (size_t i = 0; i < split->validation_rows; i++)
        part[split->validation[i]] = PART_VALIDATION;
    for (size_t i = 0; i < split->test_rows; i++)
        part[split->test[i]] = PART_TEST;
    return part;
}

void csv_cell(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static lg_status write_table(run *r, const char *name, size_t rows, const data_part *part, size_t columns,
                             const char *const *names, const lg_real *values)
{
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    run_file file;
    lg_status status = run_file_begin(&file, r, name);
    if (status != LG_OK)
        return status;
    fputs(part ? "row,part" : "row", file.stream);
    for (size_t c = 0; c < columns; c++)
        fprintf(file.stream, ",%s", names[c]);
    fputs("\n", file.stream);
    for (size_t i = 0; i < rows; i++) {
        fprintf(file.stream, "%zu", i);
        if (part)
            fprintf(file.stream, ",%s", part_name(part[i]));
        for (size_t c = 0; c < columns; c++)
            fprintf(file.stream, ",%.*g", digits, (double)values[i * columns + c]);
        fputs("\n", file.stream);
    }
    return run_file_end(&file);
}

lg_status predictions_write(run *r, size_t rows, const data_part *part, size_t columns, const char *const *names,
                            const lg_real *values)
{
    return write_table(r, "predictions.csv", rows, part, columns, names, values);
}

lg_status columns_write(run *r, const char *file, size_t rows, size_t columns, const char *const *names,
                        const lg_real *values)
{
    return write_table(r, file, rows, NULL, columns, names, values);
}

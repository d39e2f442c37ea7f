#include "prediction.h"
#include "predictions.h"

#include <string.h>

static size_t class_of(const prediction *p, const lg_real *row)
{
    return (double)row[0] >= p->threshold;
}

static void write_rows(FILE *stream, const loaded_model *m, const prediction *p, size_t rows, const lg_real *values)
{
    const int digits = LG_REAL_BITS == 64 ? 17 : 9;
    fputs("row", stream);
    for (size_t c = 0; c < p->columns; c++)
        fprintf(stream, ",%s", p->names[c]);
    fputs(p->classes ? ",class\n" : "\n", stream);
    for (size_t i = 0; i < rows && !ferror(stream); i++) {
        const lg_real *row = values + i * p->columns;
        fprintf(stream, "%zu", i);
        for (size_t c = 0; c < p->columns; c++)
            fprintf(stream, ",%.*g", digits, (double)row[c]);
        if (p->classes) {
            fputc(',', stream);
            csv_cell(stream, loaded_class(m, class_of(p, row)));
        }
        fputc('\n', stream);
    }
}

bool loaded_to_stdout(const loaded_model *m)
{
    return m->options->out && strcmp(m->options->out, "-") == 0;
}

run *loaded_open_run(const loaded_model *m, int argc, const char *const *argv)
{
    const char *version = lg_safetensors_metadata(m->file, "luge");
    char name[64];
    snprintf(name, sizeof name, "%s-predictions", m->about->name);
    run *r = run_open(name, m->options->out, m->options->overwrite);
    if (!r)
        return NULL;
    run_note_text(r, "program", m->about->name);
    run_note_texts(r, "command", (size_t)argc, argv);
    run_note_text(r, "versions.luge", lg_version());
    run_note_text(r, "versions.real", LG_REAL_BITS == 64 ? "double" : "float");
    run_note_text(r, "model.path", m->path);
    run_note_text(r, "model.kind", m->about->kind);
    run_note_text(r, "model.luge", version);
    run_note_text(r, "data.source", m->options->predict);
    printf("Model: %s, %s of luge %s\n", m->path, m->about->kind, version ? version : "(no version)");
    return r;
}

static lg_status tell(run *r, const loaded_model *m, const prediction *p, size_t rows, const lg_real *values)
{
    printf("Data: %s, %zu rows, %zu features\n", m->options->predict, rows, loaded_features(m));
    run_note_count(r, "data.rows", rows);
    run_note_count(r, "data.features", loaded_features(m));
    if (p->tell)
        return p->tell(r, m, rows, values);
    if (!p->classes)
        return LG_OK;
    size_t seconds = 0;
    for (size_t i = 0; i < rows; i++)
        seconds += class_of(p, values + i * p->columns);
    const size_t counts[] = { rows - seconds, seconds };
    printf("Predicted: %zu %s, %zu %s, by %s %s %g\n", counts[0], loaded_class(m, 0), counts[1], loaded_class(m, 1),
           p->names[0], ">=", p->threshold);
    run_note_texts(r, "predicted.classes", 2, (const char *const[]){ loaded_class(m, 0), loaded_class(m, 1) });
    run_note_counts(r, "predicted.rows", 2, counts);
    run_note_number(r, "predicted.threshold", p->threshold);
    return LG_OK;
}

static lg_status write_array(run *r, const char *file, const lg_tensor *table)
{
    const char *path = run_path(r, file);
    lg_status status = path ? lg_npy_write(path, table) : lg_error_code();
    if (status == LG_OK)
        run_note_file(r, file);
    return status;
}

static lg_status leave_run(const loaded_model *m, int argc, const char *const *argv, const prediction *p, lg_tensor *table)
{
    const size_t rows = lg_tensor_dim(table, 0);
    run *r = loaded_open_run(m, argc, argv);
    if (!r)
        return lg_error_code();
    lg_status status = tell(r, m, p, rows, lg_tensor_data(table));
    run_file file;
    if (status == LG_OK)
        status = run_file_begin(&file, r, "predictions.csv");
    if (status == LG_OK) {
        write_rows(file.stream, m, p, rows, lg_tensor_data(table));
        status = run_file_end(&file);
    }
    if (status == LG_OK)
        status = write_array(r, p->array ? p->array : "predictions.npy", table);
    status = trainer_close(r, NULL, status);
    run_free(r);
    return status;
}

lg_status loaded_predict(loaded_model *m, int argc, const char *const *argv, const prediction *p)
{
    const lg_fit_options options = { .batch_size = p->batch_size ? p->batch_size : 4096, .seed = p->seed };
    lg_dataset *data = loaded_rows(m);
    lg_tensor *table = data ? lg_predict(p->outputs, p->model, data, &options) : NULL;
    lg_status status = table ? LG_OK : lg_error_code();
    if (status == LG_OK && loaded_to_stdout(m))
        write_rows(stdout, m, p, lg_dataset_rows(data), lg_tensor_data(table));
    else if (status == LG_OK)
        status = leave_run(m, argc, argv, p, table);
    lg_tensor_free(table);
    lg_dataset_free(data);
    return status;
}

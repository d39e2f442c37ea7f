/* What interop.py has luge do with files of its peers:
 *
 *     convert table IN OUT [NAME=VALUE ...]   a data set to OUT.x.npy and OUT.y.npy; its names to standard output
 *     convert array IN OUT                    an NPY file of numbers to another, through a tensor
 *     convert tensors IN OUT                  the float tensors and texts of a safetensors file to another */
#include <luge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(int argc, char **argv, const char *name)
{
    const size_t length = strlen(name);
    for (int i = 4; i < argc; i++)
        if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=')
            return argv[i] + length + 1;
    return NULL;
}

static lg_status write_field(const lg_dataset *dataset, const lg_batch *batch, const char *name, const char *prefix)
{
    const lg_field *field = lg_dataset_field(dataset, name);
    size_t dims[LG_MAX_RANK] = { lg_batch_rows(batch) };
    char path[4096];
    if (!field)
        return LG_OK;
    for (size_t k = 0; k < field->rank; k++)
        dims[k + 1] = field->dims[k];
    snprintf(path, sizeof path, "%s.%s.npy", prefix, name);
    return lg_npy_write_array(path, field->dtype, field->rank + 1, dims,
                              field->dtype == LG_REAL ? (const void *)lg_batch_values(batch, name)
                                                      : lg_batch_indices(batch, name));
}

/* All rows as one batch, which streams them if the data set does. */
static lg_status write_dataset(const lg_dataset *dataset, const char *prefix)
{
    const size_t rows = lg_dataset_rows(dataset);
    size_t *ids = calloc(rows, sizeof *ids);
    lg_batch *batch = dataset ? lg_batch_new(dataset, rows) : NULL;
    for (size_t i = 0; ids && i < rows; i++)
        ids[i] = i;
    lg_status status = ids && batch ? lg_batch_fill(batch, ids, rows) : lg_error_code();
    if (status == LG_OK)
        status = write_field(dataset, batch, "x", prefix);
    if (status == LG_OK)
        status = write_field(dataset, batch, "y", prefix);
    for (size_t i = 0; lg_dataset_feature_name(dataset, i); i++)
        printf("feature\t%s\n", lg_dataset_feature_name(dataset, i));
    for (size_t i = 0; i < lg_dataset_classes(dataset); i++)
        printf("class\t%s\n", lg_dataset_class_name(dataset, i));
    lg_batch_free(batch);
    free(ids);
    return status;
}

static lg_status convert_table(int argc, char **argv)
{
    const char *kind = setting(argc, argv, "kind"), *missing = setting(argc, argv, "missing");
    const char *stream = setting(argc, argv, "stream");
    const lg_read_options options = {
        .csv = { .target = setting(argc, argv, "target"),
                 .target_kind = !kind                         ? LG_TARGET_AUTO
                                : strcmp(kind, "classes") == 0 ? LG_CLASSES
                                                               : LG_VALUES,
                 .missing = missing ? LG_MISSING_KEEP : LG_MISSING_ERROR,
                 .allow_nonfinite = missing != NULL },
        .labels = setting(argc, argv, "labels"),
        .unit_bytes = setting(argc, argv, "unit_bytes") != NULL,
    };
    lg_dataset *dataset = stream ? lg_dataset_stream(argv[2], &options, (size_t)atol(stream))
                                 : lg_dataset_read(argv[2], &options);
    const lg_status status = dataset ? write_dataset(dataset, argv[3]) : lg_error_code();
    lg_dataset_free(dataset);
    return status;
}

static lg_status convert_array(const char *in, const char *out)
{
    lg_tensor *tensor = lg_npy_read(in, LG_REAL);
    const lg_status status = lg_npy_write(out, tensor);
    lg_tensor_free(tensor);
    return status;
}

static lg_status convert_tensors(const char *in, const char *out)
{
    enum { MOST = 64 };
    lg_safetensors *file = lg_safetensors_open(in);
    lg_file_entry entries[MOST];
    lg_real *values[MOST] = { NULL };
    lg_metadata texts[MOST];
    size_t count = 0, text_count = lg_safetensors_metadata_count(file);
    lg_status status = file ? LG_OK : lg_error_code();
    for (; status == LG_OK && count < MOST && count < lg_safetensors_count(file); count++) {
        const lg_file_tensor *t = lg_safetensors_at(file, count);
        values[count] = calloc(t->size + 1, sizeof(lg_real));
        status = values[count] ? lg_safetensors_read(file, t, values[count]) : LG_E_MEMORY;
        entries[count] = (lg_file_entry){ t->name, LG_FILE_REAL, t->rank, t->dims, values[count] };
    }
    for (size_t i = 0; i < text_count && i < MOST; i++)
        texts[i] = lg_safetensors_metadata_at(file, i);
    if (status == LG_OK)
        status = lg_safetensors_write(out, entries, count, texts, text_count < MOST ? text_count : MOST);
    for (size_t i = 0; i < MOST; i++)
        free(values[i]);
    lg_safetensors_close(file);
    return status;
}

int main(int argc, char **argv)
{
    lg_status status = LG_E_PARAM;
    if (argc < 4) {
        fprintf(stderr, "convert: table, array or tensors, two files\n");
        return 2;
    }
    if (strcmp(argv[1], "table") == 0)
        status = convert_table(argc, argv);
    else if (strcmp(argv[1], "array") == 0)
        status = convert_array(argv[2], argv[3]);
    else if (strcmp(argv[1], "tensors") == 0)
        status = convert_tensors(argv[2], argv[3]);
    if (status != LG_OK)
        fprintf(stderr, "convert: %s\n", lg_error());
    return status != LG_OK;
}

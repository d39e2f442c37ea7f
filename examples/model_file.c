#include "model_file.h"

#include <jansson.h>
#include <stdlib.h>

#define NAME "model.safetensors"

lg_status model_save(run *r, const char *kind, const lg_params *params, const lg_scaler *scaler,
                     const lg_file_entry *more, size_t more_count)
{
    return model_save_with(r, kind, params, scaler, more, more_count, NULL, 0);
}

lg_status model_write(const char *path, const char *kind, const lg_params *params, const lg_scaler *scaler,
                      const lg_file_entry *more, size_t more_count, const lg_metadata *texts, size_t text_count)
{
    const size_t tensors = lg_params_count(params), features = lg_scaler_features(scaler);
    lg_file_entry *entries = calloc(tensors + 2 + more_count, sizeof *entries);
    lg_metadata *metadata = calloc(2 + text_count, sizeof *metadata);
    size_t count = 0;
    if (!entries || !metadata) {
        free(entries);
        free(metadata);
        return lg_fail(LG_E_MEMORY, "out of memory for the file of %zu tensors", tensors);
    }
    for (size_t i = 0; i < tensors; i++) {
        lg_tensor *tensor = lg_params_at(params, i);
        entries[count++] = (lg_file_entry){ lg_params_name(params, i), LG_FILE_REAL, lg_tensor_rank(tensor),
                                            lg_tensor_dims(tensor), lg_tensor_data(tensor) };
    }
    if (scaler) {
        entries[count++] = (lg_file_entry){ "input.means", LG_FILE_F64, 1, &features, lg_scaler_means(scaler) };
        entries[count++] = (lg_file_entry){ "input.deviations", LG_FILE_F64, 1, &features, lg_scaler_deviations(scaler) };
    }
    for (size_t i = 0; i < more_count; i++)
        entries[count++] = more[i];
    metadata[0] = (lg_metadata){ "kind", kind };
    metadata[1] = (lg_metadata){ "luge", lg_version() };
    for (size_t i = 0; i < text_count; i++)
        metadata[2 + i] = texts[i];
    lg_status status = lg_safetensors_write(path, entries, count, metadata, 2 + text_count);
    free(entries);
    free(metadata);
    return status;
}

lg_status model_save_with(run *r, const char *kind, const lg_params *params, const lg_scaler *scaler,
                          const lg_file_entry *more, size_t more_count, const lg_metadata *texts, size_t text_count)
{
    const char *path = run_path(r, NAME);
    lg_status status = path ? model_write(path, kind, params, scaler, more, more_count, texts, text_count)
                            : lg_error_code();
    if (status == LG_OK)
        run_note_file(r, NAME);
    return status;
}

/* json_string wants UTF-8: what is none is taken byte by byte. */
static json_t *name_of(const char *name, size_t number)
{
    char text[256];
    snprintf(text, sizeof text, "%zu", number);
    json_t *value = json_string(name ? name : text);
    if (value)
        return value;
    snprintf(text, sizeof text, "%s", name ? name : "");
    for (char *c = text; *c; c++)
        *c = (unsigned char)*c < 128 ? *c : '?';
    return json_string(text);
}

/* Names of a data set as a JSON list, for metadata. Bytes that are not UTF-8 become "?"; a name that is missing, its
 * number. Free with free(); NULL when out of memory. */
static char *names_text(const lg_dataset *dataset, size_t count, const char *(*name)(const lg_dataset *, size_t))
{
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t i = 0; i < count && whole; i++)
        whole = json_array_append_new(list, name_of(name(dataset, i), i)) == 0;
    char *text = whole ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return text;
}

/* [{"column":"sex","first":3,"features":2,"texts":["female","male"]}] */
static char *categories_text(const lg_dataset *dataset)
{
    json_t *list = json_array();
    const lg_category_column *column;
    bool whole = list != NULL;
    for (size_t i = 0; whole && (column = lg_dataset_category_column(dataset, i)); i++) {
        json_t *texts = json_array();
        for (size_t k = 0; k < column->categories && whole; k++)
            whole = json_array_append_new(texts, name_of(column->category[k], k)) == 0;
        json_t *object = json_pack("{s:o, s:I, s:I, s:o}", "column", name_of(column->name, i), "first",
                                   (json_int_t)column->first_feature, "features", (json_int_t)column->features, "texts",
                                   texts);
        whole = json_array_append_new(list, object) == 0 && whole;
    }
    char *text = whole ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return text;
}

lg_status model_save_table(run *r, const char *kind, const lg_params *params, const trainer_data *data,
                           const lg_file_entry *more, size_t more_count, const lg_metadata *texts, size_t text_count)
{
    const size_t features = lg_dataset_features(data->all), classes = lg_dataset_classes(data->all);
    char *names = names_text(data->all, features, lg_dataset_feature_name), *categories = categories_text(data->all);
    char *class_names = names_text(data->all, classes, lg_dataset_class_name);
    lg_metadata *all_texts = calloc(text_count + 3, sizeof *all_texts);
    lg_file_entry *all = calloc(more_count + 1, sizeof *all);
    lg_status status = names && categories && class_names && all_texts && all
                           ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for the names of %zu features", features);
    if (status == LG_OK) {
        for (size_t i = 0; i < text_count; i++)
            all_texts[i] = texts[i];
        for (size_t i = 0; i < more_count; i++)
            all[i] = more[i];
        all_texts[text_count++] = (lg_metadata){ "features", names };
        all_texts[text_count++] = (lg_metadata){ "categories", categories };
        if (classes)
            all_texts[text_count++] = (lg_metadata){ "classes", class_names };
        if (data->imputer)
            all[more_count++] = (lg_file_entry){ "input.fill", LG_FILE_F64, 1, &features, lg_imputer_values(data->imputer) };
        status = model_save_with(r, kind, params, data->scaler, all, more_count, all_texts, text_count);
    }
    free(all);
    free(all_texts);
    free(class_names);
    free(categories);
    free(names);
    return status;
}

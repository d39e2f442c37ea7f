#include "loaded_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MODEL_NAME "model.safetensors"
#define MOST_WIDTH 65536

/* ----------------------------------------------------------------- opening */

/* A run's folder stands for the model in it. */
static char *path_of(const char *name)
{
    struct stat found;
    char *path = NULL;
    const bool folder = stat(name, &found) == 0 && S_ISDIR(found.st_mode);
    if (asprintf(&path, folder ? "%s/" MODEL_NAME : "%s", name) >= 0)
        return path;
    lg_fail(LG_E_MEMORY, "out of memory for the name of a file");
    return NULL;
}

lg_status loaded_lacks(const loaded_model *m, const char *what)
{
    return lg_fail(LG_E_FORMAT, "%s: is no whole model: its %s is not there or not as it should be", m->path, what);
}

static bool is_list_of_texts(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return false;
    return json_array_size(list) > 0;
}

/* NULL where the text is not there. */
static json_t *read_json(const loaded_model *m, const char *key)
{
    const char *text = lg_safetensors_metadata(m->file, key);
    return text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static lg_status check_kind(const loaded_model *m)
{
    const char *kind = lg_safetensors_metadata(m->file, "kind");
    if (!kind)
        return lg_fail(LG_E_FORMAT, "%s: is no model of luge's: its texts do not say of what kind it is", m->path);
    if (strcmp(kind, m->about->kind) != 0)
        return lg_fail(LG_E_FORMAT, "%s: is a model of another kind: \"%.64s\", not \"%s\"", m->path, kind, m->about->kind);
    return LG_OK;
}

lg_status loaded_read_columns(loaded_model *m)
{
    m->features = read_json(m, "features");
    m->categories = read_json(m, "categories");
    m->classes = read_json(m, "classes");
    if (!is_list_of_texts(m->features))
        return loaded_lacks(m, "list \"features\"");
    if (!json_is_array(m->categories))
        return loaded_lacks(m, "list \"categories\"");
    const bool classes = lg_safetensors_metadata(m->file, "classes") != NULL;
    if (classes && !is_list_of_texts(m->classes))
        return loaded_lacks(m, "list \"classes\"");
    return LG_OK;
}

lg_status loaded_doubles(const loaded_model *m, const char *name, size_t count, double *values)
{
    const lg_file_tensor *tensor = lg_safetensors_has(m->file, name) ? lg_safetensors_find(m->file, name) : NULL;
    if (!tensor || tensor->dtype != LG_FILE_F64 || tensor->size != count)
        return lg_fail(LG_E_FORMAT, "%s: is no whole model: it has no tensor \"%s\" of %zu F64", m->path, name, count);
    return lg_safetensors_read_doubles(m->file, tensor, values);
}

static lg_status read_scale(loaded_model *m)
{
    const size_t features = loaded_features(m);
    double *values = calloc(2 * features, sizeof *values);
    lg_status status = values ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for %zu numbers", features);
    if (status == LG_OK && lg_safetensors_has(m->file, "input.means")) {
        status = loaded_doubles(m, "input.means", features, values);
        if (status == LG_OK)
            status = loaded_doubles(m, "input.deviations", features, values + features);
        if (status == LG_OK && !(m->scaler = lg_scaler_from(features, values, values + features)))
            status = lg_error_code();
    }
    if (status == LG_OK && lg_safetensors_has(m->file, "input.fill")) {
        status = loaded_doubles(m, "input.fill", features, values);
        if (status == LG_OK && !(m->imputer = lg_imputer_from(features, values)))
            status = lg_error_code();
    }
    free(values);
    return status;
}

/* --overwrite would remove the model long before another takes its place, or for good with --predict. */
static lg_status check_folder(const loaded_model *m)
{
    const trainer_options *options = m->options;
    struct stat model, replaced;
    char *path = NULL;
    if (!options->overwrite)
        return LG_OK;
    const int length = options->out ? asprintf(&path, "%s/" MODEL_NAME, options->out)
                                    : asprintf(&path, "runs/%s/" MODEL_NAME, m->about->name);
    if (length < 0)
        return lg_fail(LG_E_MEMORY, "out of memory for the name of a file");
    const bool same = stat(m->path, &model) == 0 && stat(path, &replaced) == 0 && model.st_dev == replaced.st_dev &&
                      model.st_ino == replaced.st_ino;
    lg_status status = LG_OK;
    if (same)
        status = lg_fail(LG_E_STATE, "%s: is the model that is loaded, which --overwrite would remove; --out can name "
                                     "another folder", path);
    free(path);
    return status;
}

lg_status loaded_open_file(loaded_model *m, const trainer *about, const trainer_options *options)
{
    *m = (loaded_model){ .about = about, .options = options, .path = path_of(options->load) };
    m->file = m->path ? lg_safetensors_open(m->path) : NULL;
    lg_status status = m->file ? check_kind(m) : lg_error_code();
    return status == LG_OK ? check_folder(m) : status;
}

lg_status loaded_open(loaded_model *m, const trainer *about, const trainer_options *options)
{
    lg_status status = loaded_open_file(m, about, options);
    if (status == LG_OK)
        status = loaded_read_columns(m);
    return status == LG_OK ? read_scale(m) : status;
}

lg_status loaded_check_classes(const loaded_model *m)
{
    return json_array_size(m->classes) == 2 ? LG_OK : loaded_lacks(m, "list \"classes\"");
}

const char *loaded_class(const loaded_model *m, size_t i)
{
    return json_string_value(json_array_get(m->classes, i));
}

void loaded_close(loaded_model *m)
{
    lg_dataset_free(m->like);
    lg_imputer_free(m->imputer);
    lg_scaler_free(m->scaler);
    json_decref(m->classes);
    json_decref(m->categories);
    json_decref(m->features);
    lg_safetensors_close(m->file);
    free(m->path);
    *m = (loaded_model){ 0 };
}

size_t loaded_features(const loaded_model *m)
{
    return json_array_size(m->features);
}

/* ------------------------------------------------------------------- sizes */

lg_status loaded_number(const loaded_model *m, const char *key, double *value)
{
    const char *text = lg_safetensors_metadata(m->file, key);
    char *end = NULL, what[64];
    *value = text ? strtod(text, &end) : NAN;
    if (text && end != text && *end == '\0' && isfinite(*value))
        return LG_OK;
    snprintf(what, sizeof what, "text \"%.40s\"", key);
    return loaded_lacks(m, what);
}

lg_status loaded_count(const loaded_model *m, const char *key, size_t low, size_t high, size_t *value)
{
    const char *text = lg_safetensors_metadata(m->file, key);
    char *end = NULL, what[64];
    const uintmax_t read = text && *text >= '0' && *text <= '9' ? strtoumax(text, &end, 10) : UINTMAX_MAX;
    *value = (size_t)read;
    if (end && *end == '\0' && read >= low && read <= high)
        return LG_OK;
    snprintf(what, sizeof what, "text \"%.40s\"", key);
    return loaded_lacks(m, what);
}

/* "3,32,16,1": features, hidden layers, outputs. */
lg_status loaded_hidden(const loaded_model *m, size_t most, size_t *hidden, size_t *layers, size_t *outputs)
{
    size_t count = 0, width = 0;
    for (const char *text = lg_safetensors_metadata(m->file, "layers"); text; count++) {
        char *end;
        const uintmax_t read = *text >= '0' && *text <= '9' ? strtoumax(text, &end, 10) : 0;
        if (read == 0 || count > most + 1 || (count > 0 && read > MOST_WIDTH) || (*end != ',' && *end != '\0') ||
            (count == 0 && read > INT32_MAX) || (count == 0 && m->features && read != loaded_features(m)))
            return loaded_lacks(m, "text \"layers\"");
        if (count > 1)
            hidden[count - 2] = width;
        width = (size_t)read;
        text = *end == ',' ? end + 1 : NULL;
    }
    if (count < 2)
        return loaded_lacks(m, "text \"layers\"");
    *layers = count - 2;
    *outputs = width;
    return LG_OK;
}

lg_status loaded_check_dense(const loaded_model *m, const char *name, size_t in, size_t out)
{
    char weight[64], bias[64];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    const lg_file_tensor *w = lg_safetensors_has(m->file, weight) ? lg_safetensors_find(m->file, weight) : NULL;
    const lg_file_tensor *b = lg_safetensors_has(m->file, bias) ? lg_safetensors_find(m->file, bias) : NULL;
    if (w && b && w->rank == 2 && w->dims[0] == out && w->dims[1] == in && b->rank == 1 && b->dims[0] == out)
        return LG_OK;
    return lg_fail(LG_E_FORMAT, "%s: is no whole model: it has no layer \"%s\" from %zu to %zu", m->path, name, in, out);
}

lg_status loaded_weights(const loaded_model *m, lg_params *params)
{
    return lg_safetensors_read_params(m->file, "", params);
}

/* ----------------------------------------------------------------- columns */

static const char *text_at(const json_t *list, size_t i)
{
    return json_string_value(json_array_get(list, i));
}

/* The texts of a list; free the array alone. */
static const char **texts_of(const json_t *list)
{
    const size_t count = json_array_size(list);
    const char **texts = calloc(count + 1, sizeof *texts);
    for (size_t i = 0; i < count && texts; i++)
        texts[i] = text_at(list, i);
    if (!texts)
        lg_fail(LG_E_MEMORY, "out of memory for %zu names", count);
    return texts;
}

/* {"column": "sex", "first": 3, "features": 2, "texts": ["female", "male"]} */
static lg_status add_text_column(const loaded_model *m, const json_t *column)
{
    const json_t *texts = json_object_get(column, "texts");
    const json_int_t first = json_integer_value(json_object_get(column, "first"));
    const json_int_t features = json_integer_value(json_object_get(column, "features"));
    const char *name = json_string_value(json_object_get(column, "column"));
    if (!name || !is_list_of_texts(texts) || first < 0 || features < 1)
        return loaded_lacks(m, "list \"categories\"");
    const char **category = texts_of(texts);
    lg_status status = category ? lg_dataset_add_category_column(m->like, &(lg_category_column){
                                      name, (size_t)first, (size_t)features, json_array_size(texts), category })
                                : lg_error_code();
    free(category);
    return status == LG_OK || status == LG_E_MEMORY ? status : loaded_lacks(m, "list \"categories\"");
}

const lg_dataset *loaded_like(loaded_model *m, bool target)
{
    const size_t features = loaded_features(m);
    const lg_real y = 0;
    lg_real *x = calloc(features, sizeof *x);
    const char **names = texts_of(m->features), **classes = texts_of(m->classes);
    lg_dataset_free(m->like);
    m->like = x && names && classes ? lg_dataset_from_arrays(1, features, x, target ? &y : NULL) : NULL;
    lg_status status = m->like ? lg_dataset_set_feature_names(m->like, features, names)
                               : lg_fail_null("out of memory for the columns of a model");
    for (size_t i = 0; i < json_array_size(m->categories) && status == LG_OK; i++)
        status = add_text_column(m, json_array_get(m->categories, i));
    if (status == LG_OK && target && m->classes)
        status = lg_dataset_set_class_names(m->like, json_array_size(m->classes), classes);
    free(classes);
    free(names);
    free(x);
    return status == LG_OK ? m->like : NULL;
}

/* That a data set which was not read like the model has its features all the same: the trainer's embedded data. */
static lg_status check_features(const loaded_model *m, const lg_dataset *data)
{
    if (lg_dataset_features(data) != loaded_features(m))
        return lg_fail(LG_E_SHAPE, "%s: is a model of %zu features, but the data have %zu", m->path, loaded_features(m),
                       lg_dataset_features(data));
    const bool embedded = !m->options->data && !m->options->predict;
    for (size_t i = 0; i < loaded_features(m) && embedded; i++) {
        const char *name = lg_dataset_feature_name(data, i);
        if (name && strcmp(name, text_at(m->features, i)) != 0)
            return lg_fail(LG_E_FORMAT, "%s: feature %zu of the model is \"%.64s\", but that of the data \"%.64s\"", m->path, i,
                           text_at(m->features, i), name);
    }
    return LG_OK;
}

lg_status loaded_scale(loaded_model *m, trainer_data *data)
{
    lg_status status = check_features(m, data->all);
    if (status == LG_OK && m->scaler)
        status = lg_scaler_apply(m->scaler, data->all);
    data->scaler = m->scaler;
    m->scaler = NULL;
    if (!data->imputer) {
        data->imputer = m->imputer;
        m->imputer = NULL;
    }
    return status;
}

lg_dataset *loaded_rows(loaded_model *m)
{
    const lg_dataset *like = loaded_like(m, false);
    if (!like)
        return NULL;
    trainer_options options = *m->options;
    options.data = options.predict;
    options.missing = m->imputer ? TRAINER_MISSING_MEAN : TRAINER_MISSING_ERROR; /* a missing number is kept, or an error */
    lg_dataset *rows = trainer_read(&options, (lg_csv_options){ .like = like });
    if (rows && check_features(m, rows) == LG_OK && (!m->imputer || lg_imputer_apply(m->imputer, rows) == LG_OK) &&
        (!m->scaler || lg_scaler_apply(m->scaler, rows) == LG_OK))
        return rows;
    lg_dataset_free(rows);
    return NULL;
}

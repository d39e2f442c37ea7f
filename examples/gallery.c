#include "gallery.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_NAME_BYTES 127

/* ------------------------------------------------------------------ reading */

static lg_status no_gallery(const char *path, const char *why)
{
    return lg_fail(LG_E_FORMAT, "%s: is no gallery of faces: %s", path, why);
}

static bool read_number(const char *text, double *value)
{
    char *end;
    *value = text && *text ? strtod(text, &end) : NAN;
    return text && *text && *end == '\0' && isfinite(*value);
}

static lg_status read_names(gallery *g, const char *text, const char *path)
{
    json_t *names = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    lg_status status = json_is_array(names) ? LG_OK : no_gallery(path, "it has no list of names");
    const size_t count = json_array_size(names);
    g->names = calloc(count + 1, sizeof *g->names);
    if (!g->names)
        status = lg_fail(LG_E_MEMORY, "out of memory for %zu names", count);
    for (size_t i = 0; i < count && status == LG_OK; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        g->names[i] = name ? strdup(name) : NULL;
        if (!name)
            status = no_gallery(path, "a name is no text");
        else if (!g->names[i])
            status = lg_fail(LG_E_MEMORY, "out of memory for %zu names", count);
        g->people += status == LG_OK;
    }
    json_decref(names);
    return status;
}

static lg_status read_people(gallery *g, const lg_safetensors *file, const char *path)
{
    lg_tensor *vectors = lg_safetensors_tensor(file, "people.vectors");
    lg_tensor *person = vectors ? lg_safetensors_tensor(file, "people.person") : NULL;
    lg_status status = person ? LG_OK : lg_error_code();
    const size_t count = lg_tensor_dim(vectors, 0);
    if (status == LG_OK && (lg_tensor_rank(vectors) != 2 || lg_tensor_dim(vectors, 1) != g->net.width ||
                            lg_tensor_rank(person) != 1 || lg_tensor_dim(person, 0) != count ||
                            lg_tensor_dtype(vectors) != LG_REAL || lg_tensor_dtype(person) != LG_INT32))
        status = no_gallery(path, "its vectors do not fit its network");
    if (status == LG_OK) {
        g->vectors = calloc(count * g->net.width + 1, sizeof *g->vectors);
        g->person = calloc(count + 1, sizeof *g->person);
        if (!g->vectors || !g->person)
            status = lg_fail(LG_E_MEMORY, "out of memory for %zu pictures", count);
    }
    for (size_t i = 0; i < count && status == LG_OK; i++) {
        g->person[i] = lg_tensor_indices(person)[i];
        if (g->person[i] < 0 || (size_t)g->person[i] >= g->people)
            status = no_gallery(path, "a picture is of nobody");
    }
    for (size_t i = 0; i < count * g->net.width && status == LG_OK; i++) {
        g->vectors[i] = lg_tensor_data(vectors)[i];
        if (!isfinite(g->vectors[i]))
            status = no_gallery(path, "a vector is not finite");
    }
    g->pictures = status == LG_OK ? count : 0;
    lg_tensor_free(vectors);
    lg_tensor_free(person);
    return status;
}

lg_status gallery_open(gallery *g, const char *path)
{
    *g = (gallery){ 0 };
    lg_safetensors *file = lg_safetensors_open(path);
    g->model = (loaded_model){ .path = strdup(path), .file = file };
    lg_status status = g->model.path ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for the name of a file");
    if (status == LG_OK)
        status = file ? embedder_load(&g->net, &g->model) : lg_error_code();
    if (status == LG_OK && (!read_number(lg_safetensors_metadata(file, "threshold"), &g->threshold) ||
                            !read_number(lg_safetensors_metadata(file, "false_accepts"), &g->false_accepts)))
        status = no_gallery(path, "it has no threshold");
    if (status == LG_OK)
        status = loaded_read_columns(&g->model);
    if (status == LG_OK)
        status = read_names(g, lg_safetensors_metadata(file, "names"), path);
    return status == LG_OK ? read_people(g, file, path) : status;
}

void gallery_free(gallery *g)
{
    for (size_t i = 0; i < g->people; i++)
        free(g->names[i]);
    free(g->names);
    free(g->vectors);
    free(g->person);
    embedder_free(&g->net);
    loaded_close(&g->model);
    *g = (gallery){ 0 };
}

/* ------------------------------------------------------------------ writing */

static char *names_text(const gallery *g)
{
    json_t *names = json_array();
    bool whole = names != NULL;
    for (size_t i = 0; i < g->people && whole; i++)
        whole = json_array_append_new(names, json_string(g->names[i])) == 0;
    char *text = whole ? json_dumps(names, JSON_COMPACT) : NULL;
    json_decref(names);
    return text;
}

lg_status gallery_save(const gallery *g, const char *path)
{
    char threshold[32], false_accepts[32], *names = names_text(g);
    char *features = json_dumps(g->model.features, JSON_COMPACT);
    char *categories = json_dumps(g->model.categories, JSON_COMPACT);
    snprintf(threshold, sizeof threshold, "%.17g", g->threshold);
    snprintf(false_accepts, sizeof false_accepts, "%.17g", g->false_accepts);
    const lg_metadata texts[] = { { "names", names }, { "threshold", threshold }, { "false_accepts", false_accepts },
                                  { "features", features }, { "categories", categories } };
    const size_t shape[] = { g->pictures, g->net.width };
    const lg_file_entry people[] = { { "people.vectors", LG_FILE_REAL, 2, shape, g->vectors },
                                     { "people.person", LG_FILE_I32, 1, shape, g->person } };
    lg_status status = names && features && categories
                           ? embedder_save(&g->net, path, people, 2, texts, sizeof texts / sizeof *texts)
                           : lg_fail(LG_E_MEMORY, "%s: out of memory for the names, or one is not UTF-8", path);
    free(categories);
    free(features);
    free(names);
    return status;
}

/* The lock is on the file itself. Who waited for it may hold a file that was replaced meanwhile: then once more. */
int gallery_lock(const char *path)
{
    for (;;) {
        struct stat held, now;
        const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (descriptor < 0 || flock(descriptor, LOCK_EX) != 0 || fstat(descriptor, &held) != 0) {
            lg_fail(LG_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
            if (descriptor >= 0)
                close(descriptor);
            return -1;
        }
        if (stat(path, &now) == 0 && now.st_ino == held.st_ino && now.st_dev == held.st_dev)
            return descriptor;
        close(descriptor);
    }
}

/* ------------------------------------------------------------------- people */

static size_t find_name(const gallery *g, const char *name)
{
    size_t i = 0;
    while (i < g->people && strcmp(g->names[i], name) != 0)
        i++;
    return i;
}

static bool is_name(const char *name)
{
    const size_t length = strlen(name);
    bool good = length > 0 && length <= MOST_NAME_BYTES && strcasecmp(name, "Unknown") != 0;
    for (size_t i = 0; i < length; i++)
        good &= (unsigned char)name[i] >= ' ' && name[i] != 127 && name[i] != ',' && name[i] != '"';
    json_t *text = json_string(name); /* NULL for what is not UTF-8 */
    good &= text != NULL;
    json_decref(text);
    return good;
}

static lg_status add_name(gallery *g, const char *name)
{
    char **names = realloc(g->names, (g->people + 2) * sizeof *names);
    char *copy = names ? strdup(name) : NULL;
    g->names = names ? names : g->names;
    if (!copy)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu names", g->people + 1);
    g->names[g->people++] = copy;
    return LG_OK;
}

static lg_status add_pictures(gallery *g, size_t count, const lg_real *vectors, size_t person)
{
    const size_t width = g->net.width;
    lg_real *more = realloc(g->vectors, ((g->pictures + count) * width + 1) * sizeof *more);
    g->vectors = more ? more : g->vectors;
    int32_t *people = more ? realloc(g->person, (g->pictures + count + 1) * sizeof *people) : NULL;
    g->person = people ? people : g->person;
    if (!people)
        return lg_fail(LG_E_MEMORY, "out of memory for %zu pictures", g->pictures + count);
    memcpy(g->vectors + g->pictures * width, vectors, count * width * sizeof *vectors);
    for (size_t i = 0; i < count; i++)
        g->person[g->pictures++] = (int32_t)person;
    return LG_OK;
}

lg_tensor *gallery_embed(gallery *g, size_t count, lg_real *inputs)
{
    lg_status status = lg_scaler_apply_values(g->net.scaler, count, inputs);
    lg_dataset *rows = status == LG_OK ? lg_dataset_from_arrays(count, g->net.inputs, inputs, NULL) : NULL;
    lg_tensor *vectors = rows ? embedder_rows(&g->net, rows) : NULL;
    lg_dataset_free(rows);
    return vectors;
}

lg_status gallery_register(gallery *g, const char *name, size_t count, lg_real *inputs)
{
    if (!is_name(name))
        return lg_fail(LG_E_PARAM, "\"%.*s\" is no name for somebody: 1 to %d bytes of UTF-8 without commas, quotes and "
                                   "control characters, and not Unknown", MOST_NAME_BYTES, name, MOST_NAME_BYTES);
    lg_tensor *vectors = gallery_embed(g, count, inputs);
    if (!vectors)
        return lg_error_code();
    lg_status status = LG_OK;
    for (size_t i = 0; i < count * g->net.width && status == LG_OK; i++)
        if (!isfinite(lg_tensor_data(vectors)[i]))
            status = lg_fail(LG_E_DOMAIN, "picture %zu has no finite vector", i / g->net.width);
    const size_t person = find_name(g, name);
    if (status == LG_OK && person == g->people)
        status = add_name(g, name);
    if (status == LG_OK)
        status = add_pictures(g, count, lg_tensor_data(vectors), person);
    lg_tensor_free(vectors);
    return status;
}

lg_status gallery_forget(gallery *g, const char *name)
{
    const size_t person = find_name(g, name), width = g->net.width;
    if (person == g->people)
        return lg_fail(LG_E_PARAM, "nobody is called \"%.*s\"", MOST_NAME_BYTES, name);
    size_t kept = 0;
    for (size_t i = 0; i < g->pictures; i++) {
        if ((size_t)g->person[i] == person)
            continue;
        memmove(g->vectors + kept * width, g->vectors + i * width, width * sizeof *g->vectors);
        g->person[kept++] = g->person[i] - ((size_t)g->person[i] > person);
    }
    g->pictures = kept;
    free(g->names[person]);
    memmove(g->names + person, g->names + person + 1, (g->people - person - 1) * sizeof *g->names);
    g->people--;
    return LG_OK;
}

size_t gallery_nearest(const gallery *g, const lg_real *vector, double *distance)
{
    size_t nearest = g->pictures;
    *distance = INFINITY;
    for (size_t i = 0; i < g->pictures; i++) {
        const double d = embedder_distance(vector, g->vectors + i * g->net.width, g->net.width);
        if (d < *distance) {
            *distance = d;
            nearest = i;
        }
    }
    return nearest;
}

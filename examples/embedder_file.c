#include "embedder_file.h"
#include "model_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WIDTH 65536

/* ------------------------------------------------------------------ writing */

/* "64,128,16": inputs, hidden layers, embedding. */
typedef struct layers_text {
    char text[24 * (EMBEDDER_MOST_LAYERS + 2)];
} layers_text;

static layers_text layers_of(const embedder *e)
{
    layers_text layers;
    size_t used = (size_t)snprintf(layers.text, sizeof layers.text, "%zu", e->inputs);
    for (size_t i = 0; i < e->layers; i++)
        used += (size_t)snprintf(layers.text + used, sizeof layers.text - used, ",%zu", e->hidden[i]);
    snprintf(layers.text + used, sizeof layers.text - used, ",%zu", e->width);
    return layers;
}

lg_status embedder_leave(run *r, const embedder *e, const trainer_data *data, double threshold)
{
    const layers_text layers = layers_of(e);
    char distance[32];
    snprintf(distance, sizeof distance, "%.17g", threshold);
    const lg_metadata texts[] = { { "layers", layers.text },
                                  { "output", e->tanh_output ? "tanh" : "linear" },
                                  { "normalize", e->normalize ? "yes" : "no" },
                                  { "threshold", distance } };
    return model_save_table(r, EMBEDDER_KIND, e->params, data, NULL, 0, texts, isnan(threshold) ? 3 : 4);
}

lg_status embedder_save(const embedder *e, const char *path, const lg_file_entry *more, size_t more_count,
                        const lg_metadata *texts, size_t text_count)
{
    const layers_text layers = layers_of(e);
    const lg_metadata own[] = { { "kind", EMBEDDER_KIND },
                                { "luge", lg_version() },
                                { "layers", layers.text },
                                { "output", e->tanh_output ? "tanh" : "linear" },
                                { "normalize", e->normalize ? "yes" : "no" } };
    const size_t own_count = sizeof own / sizeof *own, tensors = lg_params_count(e->params);
    lg_file_entry *entries = calloc(tensors + 2 + more_count, sizeof *entries);
    lg_metadata *metadata = calloc(own_count + text_count, sizeof *metadata);
    lg_status status = entries && metadata ? LG_OK : lg_fail(LG_E_MEMORY, "%s: out of memory", path);
    if (status == LG_OK) {
        for (size_t i = 0; i < tensors; i++) {
            lg_tensor *tensor = lg_params_at(e->params, i);
            entries[i] = (lg_file_entry){ lg_params_name(e->params, i), LG_FILE_REAL, lg_tensor_rank(tensor),
                                          lg_tensor_dims(tensor), lg_tensor_data(tensor) };
        }
        entries[tensors] = (lg_file_entry){ "input.means", LG_FILE_F64, 1, &e->inputs, lg_scaler_means(e->scaler) };
        entries[tensors + 1] = (lg_file_entry){ "input.deviations", LG_FILE_F64, 1, &e->inputs,
                                                lg_scaler_deviations(e->scaler) };
        memcpy(metadata, own, sizeof own);
        for (size_t i = 0; i < more_count; i++)
            entries[tensors + 2 + i] = more[i];
        for (size_t i = 0; i < text_count; i++)
            metadata[own_count + i] = texts[i];
        status = lg_safetensors_write(path, entries, tensors + 2 + more_count, metadata, own_count + text_count);
    }
    free(entries);
    free(metadata);
    return status;
}

/* ------------------------------------------------------------------ reading */

static lg_status no_network(const char *path, const char *why)
{
    return lg_fail(LG_E_FORMAT, "%s: holds no network of luge's that makes embeddings: %s", path, why);
}

/* The widths of the text "layers" into e; false if that is none. */
static bool read_widths(embedder *e, const char *text)
{
    size_t widths[EMBEDDER_MOST_LAYERS + 2], count = 0;
    for (char *end; text && count < EMBEDDER_MOST_LAYERS + 2; text = *end == ',' ? end + 1 : NULL) {
        if (*text < '0' || *text > '9')
            return false;
        const uintmax_t width = strtoumax(text, &end, 10);
        if (width < 1 || width > (count ? MOST_WIDTH : INT32_MAX) || (*end != ',' && *end != '\0'))
            return false;
        widths[count++] = (size_t)width;
        if (*end == ',' && count == EMBEDDER_MOST_LAYERS + 2)
            return false;
    }
    if (count < 2)
        return false;
    e->inputs = widths[0];
    e->width = widths[count - 1];
    e->layers = count - 2;
    for (size_t i = 0; i < e->layers; i++)
        e->hidden[i] = widths[i + 1];
    return true;
}

/* That the file has a tensor of this shape, before memory is taken for it. */
static bool has_shape(const lg_safetensors *file, const char *name, size_t rank, size_t first, size_t second)
{
    const lg_file_tensor *tensor = lg_safetensors_has(file, name) ? lg_safetensors_find(file, name) : NULL;
    return tensor && tensor->rank == rank && tensor->dims[0] == first && (rank < 2 || tensor->dims[1] == second);
}

static bool has_network(const lg_safetensors *file, const embedder *e)
{
    size_t in = e->inputs;
    bool whole = has_shape(file, "input.means", 1, in, 0) && has_shape(file, "input.deviations", 1, in, 0);
    for (size_t i = 0; i <= e->layers && whole; i++) {
        char weight[32], bias[32];
        const size_t out = i < e->layers ? e->hidden[i] : e->width;
        snprintf(weight, sizeof weight, "dense_%zu.weight", i + 1);
        snprintf(bias, sizeof bias, "dense_%zu.bias", i + 1);
        whole = has_shape(file, weight, 2, out, in) && has_shape(file, bias, 1, out, 0);
        in = out;
    }
    return whole;
}

/* Of tensors whose shapes are checked. */
static lg_status read_scaler(embedder *e, const lg_safetensors *file)
{
    double *values = calloc(2 * e->inputs, sizeof *values);
    lg_status status = values ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory");
    if (status == LG_OK)
        status = lg_safetensors_read_doubles(file, lg_safetensors_find(file, "input.means"), values);
    if (status == LG_OK)
        status = lg_safetensors_read_doubles(file, lg_safetensors_find(file, "input.deviations"),
                                             values + e->inputs);
    if (status == LG_OK) {
        e->scaler = lg_scaler_from(e->inputs, values, values + e->inputs);
        status = e->scaler ? LG_OK : lg_error_code();
    }
    free(values);
    return status;
}

lg_status embedder_load(embedder *e, const lg_safetensors *file, const char *path)
{
    const char *kind = lg_safetensors_metadata(file, "kind"), *output = lg_safetensors_metadata(file, "output");
    const char *normalize = lg_safetensors_metadata(file, "normalize");
    *e = (embedder){ 0 };
    if (!kind || strcmp(kind, EMBEDDER_KIND) != 0 || !output || !normalize)
        return no_network(path, "its texts do not say so");
    e->tanh_output = strcmp(output, "tanh") == 0;
    e->normalize = strcmp(normalize, "yes") == 0;
    if (!read_widths(e, lg_safetensors_metadata(file, "layers")) || !has_network(file, e)) {
        *e = (embedder){ 0 };
        return no_network(path, "its layers are not those of its texts");
    }
    lg_rng rng = lg_rng_seed(0); /* of weights that are replaced */
    lg_status status = read_scaler(e, file);
    if (status == LG_OK)
        status = embedder_build(e, &rng);
    if (status == LG_OK)
        status = lg_safetensors_read_params(file, "", e->params);
    if (status != LG_OK)
        embedder_free(e);
    return status;
}

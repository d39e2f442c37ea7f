#include "embedder_file.h"
#include "model_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a network is built of: its own texts, before those of `more`; free() the list alone. */
enum { OWN_TEXTS = 3 };

static lg_metadata *texts_of(const embedder *e, char layers[HIDDEN_TEXT], const lg_metadata *more, size_t count)
{
    lg_metadata *texts = calloc(OWN_TEXTS + count, sizeof *texts);
    if (!texts) {
        lg_fail(LG_E_MEMORY, "out of memory for %zu texts", OWN_TEXTS + count);
        return NULL;
    }
    hidden_text(&e->hidden, e->inputs, e->width, layers);
    texts[0] = (lg_metadata){ "layers", layers };
    texts[1] = (lg_metadata){ "output", e->tanh_output ? "tanh" : "linear" };
    texts[2] = (lg_metadata){ "normalize", e->normalize ? "yes" : "no" };
    for (size_t i = 0; i < count; i++)
        texts[OWN_TEXTS + i] = more[i];
    return texts;
}

lg_status embedder_leave(run *r, const embedder *e, const trainer_data *data, double threshold)
{
    char layers[HIDDEN_TEXT], distance[32];
    const bool chosen = !isnan(threshold);
    snprintf(distance, sizeof distance, "%.17g", threshold);
    lg_metadata *texts = texts_of(e, layers, &(lg_metadata){ "threshold", distance }, chosen);
    lg_status status = texts ? model_save_table(r, EMBEDDER_KIND, e->params, data, NULL, 0, texts, OWN_TEXTS + chosen)
                             : lg_error_code();
    free(texts);
    return status;
}

lg_status embedder_save(const embedder *e, const char *path, const lg_file_entry *more, size_t more_count,
                        const lg_metadata *more_texts, size_t text_count)
{
    char layers[HIDDEN_TEXT];
    lg_metadata *texts = texts_of(e, layers, more_texts, text_count);
    lg_status status = texts ? model_write(path, EMBEDDER_KIND, e->params, e->scaler, more, more_count, texts,
                                           OWN_TEXTS + text_count)
                             : lg_error_code();
    free(texts);
    return status;
}

/* ------------------------------------------------------------------ reading */

/* A text that has one of two values. */
static lg_status read_choice(const loaded_model *m, const char *key, const char *no, const char *yes, bool *value)
{
    const char *text = lg_safetensors_metadata(m->file, key);
    char what[32];
    *value = text && strcmp(text, yes) == 0;
    if (text && (*value || strcmp(text, no) == 0))
        return LG_OK;
    snprintf(what, sizeof what, "text \"%s\"", key);
    return loaded_lacks(m, what);
}

static lg_status read_sizes(embedder *e, const loaded_model *m)
{
    const char *kind = lg_safetensors_metadata(m->file, "kind");
    if (!kind || strcmp(kind, EMBEDDER_KIND) != 0)
        return lg_fail(LG_E_FORMAT, "%s: holds no network of luge's that makes embeddings", m->path);
    const bool scaled = lg_safetensors_has(m->file, "input.means");
    e->inputs = scaled ? lg_safetensors_find(m->file, "input.means")->size : 0;
    lg_status status = e->inputs ? LG_OK : loaded_lacks(m, "tensor \"input.means\"");
    if (status == LG_OK)
        status = hidden_load_inputs(m, e->inputs, NULL, &e->hidden, &e->width);
    if (status == LG_OK)
        status = read_choice(m, "output", "linear", "tanh", &e->tanh_output);
    return status == LG_OK ? read_choice(m, "normalize", "no", "yes", &e->normalize) : status;
}

static lg_status read_scaler(embedder *e, const loaded_model *m)
{
    double *values = calloc(e->inputs, 2 * sizeof *values);
    lg_status status = values ? loaded_doubles(m, "input.means", e->inputs, values)
                              : lg_fail(LG_E_MEMORY, "out of memory for %zu numbers", e->inputs);
    if (status == LG_OK)
        status = loaded_doubles(m, "input.deviations", e->inputs, values + e->inputs);
    if (status == LG_OK && !(e->scaler = lg_scaler_from(e->inputs, values, values + e->inputs)))
        status = lg_error_code();
    free(values);
    return status;
}

lg_status embedder_load(embedder *e, const loaded_model *m)
{
    *e = (embedder){ 0 };
    lg_rng rng = lg_rng_seed(0); /* of weights that are replaced */
    lg_status status = read_sizes(e, m);
    if (status == LG_OK)
        status = read_scaler(e, m);
    if (status == LG_OK)
        status = embedder_build(e, &rng);
    if (status == LG_OK)
        status = loaded_weights(m, e->params);
    if (status != LG_OK)
        embedder_free(e);
    return status;
}

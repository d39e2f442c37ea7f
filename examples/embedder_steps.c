#include "embedder_steps.h"
#include "prediction.h"

#include <stdlib.h>

/* ------------------------------------------------------------- preparation */

/* A model has none if its training was interrupted. */
static bool has_threshold(const loaded_model *loaded)
{
    return lg_safetensors_metadata(loaded->file, "threshold") != NULL;
}

static lg_status load(loaded_model *loaded, embedder *net, const trainer *about, const trainer_options *shared)
{
    lg_status status = loaded_open(loaded, about, shared);
    double threshold;
    if (status == LG_OK && has_threshold(loaded))
        status = loaded_number(loaded, "threshold", &threshold);
    return status == LG_OK ? embedder_load(net, loaded) : status;
}

lg_status embedder_prepare(embedder *net, trainer_data *data, const trainer *about, const trainer_options *shared,
                           const embedder_options *options)
{
    loaded_model loaded = { 0 };
    lg_status status = shared->load ? load(&loaded, net, about, shared) : LG_OK;
    if (status == LG_OK)
        status = embedder_read(data, shared, options, shared->load ? &loaded : NULL);
    if (status == LG_OK && !shared->load)
        status = embedder_new(net, options, data->scaler, trainer_rng(shared, TRAINER_WEIGHTS));
    loaded_close(&loaded);
    if (status == LG_OK)
        status = embedder_print_data(shared, data);
    return status == LG_OK ? lg_sequential_summary(net->net, stdout) : status;
}

/* -------------------------------------------------------------- prediction */

/* "e1", "e2", ...; one block to free. */
static const char **number_names(size_t count)
{
    enum { BYTES = 24 };
    const char **names = malloc(count * (sizeof *names + BYTES));
    char *text = (char *)(names + count);
    for (size_t i = 0; names && i < count; i++, text += BYTES) {
        snprintf(text, BYTES, "e%zu", i + 1);
        names[i] = text;
    }
    if (!names)
        lg_fail(LG_E_MEMORY, "out of memory for the names of %zu columns", count);
    return names;
}

static lg_status tell_threshold(run *r, const loaded_model *m, size_t rows, const lg_real *vectors)
{
    double threshold;
    (void)rows;
    (void)vectors;
    if (!has_threshold(m))
        return LG_OK;
    lg_status status = loaded_number(m, "threshold", &threshold);
    if (status != LG_OK)
        return status;
    printf("Alike: rows whose vectors are no farther apart than %.4g\n", threshold);
    run_note_number(r, "model.threshold", threshold);
    return LG_OK;
}

lg_status embedder_predict(const trainer *about, const trainer_options *shared, int argc, const char *const *argv)
{
    loaded_model loaded = { 0 };
    embedder net = { 0 };
    lg_status status = load(&loaded, &net, about, shared);
    const char **names = status == LG_OK ? number_names(net.width) : NULL;
    if (status == LG_OK)
        status = names ? loaded_predict(&loaded, argc, argv, &(prediction){ .outputs = embedder_outputs,
                                                                            .model = &net,
                                                                            .columns = net.width,
                                                                            .names = names,
                                                                            .batch_size = EMBEDDER_BATCH,
                                                                            .array = "embeddings.npy",
                                                                            .tell = tell_threshold })
                       : lg_error_code();
    free(names);
    embedder_free(&net);
    loaded_close(&loaded);
    return status;
}

#include "autoencoder_pictures.h"

#include "picture.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 12, BANDS = 3, SAMPLE_ROWS = 6, WALKS = 6, CELLS = COLUMNS * 6 };

/* What the pictures are made of. */
typedef struct studio {
    run *r;
    autoencoder *model;
    size_t height, width, features, latent;
    const lg_real *codes; /* [shown, 2 latent] */
    lg_real *values;      /* [CELLS, features] */
    lg_real *z;           /* [CELLS, latent] */
} studio;

static lg_status draw_reconstructions(const studio *s, const lg_real *originals)
{
    for (size_t i = 0; i < COLUMNS * BANDS; i++)
        memcpy(s->z + i * s->latent, s->codes + 2 * i * s->latent, s->latent * sizeof *s->z);
    lg_status status = LG_OK;
    for (size_t b = 0; b < BANDS && status == LG_OK; b++) {
        lg_real *above = s->values + 2 * b * COLUMNS * s->features, *below = above + COLUMNS * s->features;
        memcpy(above, originals + b * COLUMNS * s->features, COLUMNS * s->features * sizeof *above);
        status = autoencoder_decode(s->model, COLUMNS, s->z + b * COLUMNS * s->latent, below);
    }
    const picture_grid grid = { 2 * BANDS, COLUMNS, s->height, s->width, .band_rows = 2 };
    return status == LG_OK ? picture_write(s->r, "reconstructions.png", &grid, s->values) : status;
}

static lg_status draw_samples(const studio *s, uint64_t seed)
{
    lg_rng rng = lg_rng_seed(seed);
    lg_rng_fill_normal(&rng, SAMPLE_ROWS * COLUMNS * s->latent, s->z, 0, 1);
    lg_status status = autoencoder_decode(s->model, SAMPLE_ROWS * COLUMNS, s->z, s->values);
    const picture_grid grid = { SAMPLE_ROWS, COLUMNS, s->height, s->width, .band_rows = 1 };
    return status == LG_OK ? picture_write(s->r, "samples.png", &grid, s->values) : status;
}

static lg_status draw_walks(const studio *s)
{
    for (size_t w = 0; w < WALKS; w++) {
        const lg_real *from = s->codes + 2 * (2 * w) * s->latent, *to = s->codes + 2 * (2 * w + 1) * s->latent;
        for (size_t c = 0; c < COLUMNS; c++)
            for (size_t k = 0; k < s->latent; k++)
                s->z[(w * COLUMNS + c) * s->latent + k] =
                    from[k] + (to[k] - from[k]) * (lg_real)c / (lg_real)(COLUMNS - 1);
    }
    lg_status status = autoencoder_decode(s->model, WALKS * COLUMNS, s->z, s->values);
    const picture_grid grid = { WALKS, COLUMNS, s->height, s->width, .band_rows = 1 };
    return status == LG_OK ? picture_write(s->r, "walk.png", &grid, s->values) : status;
}

/* Rows from the whole of the part, evenly spaced; of a part with fewer rows some more than once. */
static lg_dataset *choose_rows(const lg_dataset *part)
{
    size_t ids[COLUMNS * BANDS];
    for (size_t i = 0; i < COLUMNS * BANDS; i++)
        ids[i] = i * lg_dataset_rows(part) / (COLUMNS * BANDS);
    return lg_dataset_subset(part, ids, COLUMNS * BANDS);
}

lg_status autoencoder_pictures(run *r, autoencoder *model, const trainer_data *data, size_t height, size_t width,
                               uint64_t seed)
{
    const size_t features = model->options.features, latent = model->options.latent;
    studio s = { .r = r, .model = model, .height = height, .width = width, .features = features, .latent = latent,
                 .values = calloc(CELLS, features * sizeof(lg_real)), .z = calloc(CELLS, latent * sizeof(lg_real)) };
    lg_dataset *shown = NULL;
    lg_batch *batch = NULL;
    lg_tensor *codes = NULL;
    lg_status status = s.values && s.z ? LG_OK : lg_fail(LG_E_MEMORY, "out of memory for pictures");
    if (status == LG_OK) {
        size_t ids[COLUMNS * BANDS];
        for (size_t i = 0; i < COLUMNS * BANDS; i++)
            ids[i] = i;
        shown = choose_rows(data->validation ? data->validation : data->train);
        batch = lg_batch_new(shown, COLUMNS * BANDS);
        codes = lg_predict(autoencoder_codes, model, shown, NULL);
        s.codes = lg_tensor_data(codes);
        status = lg_batch_fill(batch, ids, COLUMNS * BANDS);
        if (status == LG_OK && !s.codes)
            status = lg_error_code();
    }
    if (status == LG_OK)
        status = draw_reconstructions(&s, lg_batch_values(batch, "x"));
    if (status == LG_OK)
        status = draw_samples(&s, seed);
    if (status == LG_OK)
        status = draw_walks(&s);
    lg_batch_free(batch);
    lg_tensor_free(codes);
    lg_dataset_free(shown);
    free(s.values);
    free(s.z);
    return status;
}

#include "transactions.h"

#include <stdlib.h>

static int falling(const void *a, const void *b)
{
    const lg_real x = *(const lg_real *)a, y = *(const lg_real *)b;
    return (x < y) - (x > y);
}

/* Features, and what the rule makes of them. suspicion [rows] */
static void draw(lg_real *x, lg_real *suspicion)
{
    lg_rng rng = lg_rng_seed(42), noise = lg_rng_split(&rng, 1);
    lg_rng_fill_normal(&rng, (size_t)TRANSACTIONS_ROWS * TRANSACTIONS_FEATURES, x, 0, 1);
    for (size_t i = 0; i < TRANSACTIONS_ROWS; i++) {
        const lg_real *v = x + i * TRANSACTIONS_FEATURES; /* v[0] is v1 */
        suspicion[i] = v[0] + (lg_real)0.8 * v[1] - (lg_real)0.6 * v[2] + v[3] * v[4] +
                       (lg_real)(0.2 * lg_rng_normal(&noise));
    }
}

static lg_status name_columns(lg_dataset *dataset)
{
    static const char *const features[TRANSACTIONS_FEATURES] = {
        "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
        "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20"
    };
    lg_status status = lg_dataset_set_feature_names(dataset, TRANSACTIONS_FEATURES, features);
    return status != LG_OK ? status : lg_dataset_set_class_names(dataset, 2, (const char *[]){ "genuine", "fraud" });
}

lg_dataset *transactions_new(void)
{
    lg_real *x = malloc(sizeof(lg_real) * TRANSACTIONS_ROWS * TRANSACTIONS_FEATURES);
    lg_real *suspicion = malloc(sizeof(lg_real) * TRANSACTIONS_ROWS);
    lg_real *ranked = malloc(sizeof(lg_real) * TRANSACTIONS_ROWS);
    lg_dataset *dataset = NULL;
    if (!x || !suspicion || !ranked) {
        lg_fail(LG_E_MEMORY, "out of memory for the embedded transactions");
        goto end;
    }
    draw(x, suspicion);
    for (size_t i = 0; i < TRANSACTIONS_ROWS; i++)
        ranked[i] = suspicion[i];
    qsort(ranked, TRANSACTIONS_ROWS, sizeof *ranked, falling);

    const lg_real least = ranked[TRANSACTIONS_FRAUDS - 1];
    lg_real *y = suspicion;
    for (size_t i = 0; i < TRANSACTIONS_ROWS; i++)
        y[i] = suspicion[i] >= least;
    dataset = lg_dataset_from_arrays(TRANSACTIONS_ROWS, TRANSACTIONS_FEATURES, x, y);
    if (dataset && name_columns(dataset) != LG_OK) {
        lg_dataset_free(dataset);
        dataset = NULL;
    }
end:
    free(ranked);
    free(suspicion);
    free(x);
    return dataset;
}

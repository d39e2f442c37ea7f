#include "nuclei.h"
#include "embedded.h"

#include <stdio.h>

#define FEATURES 30
#define MEASURES 10 /* each as its mean, its error and its worst value */

lg_dataset *nuclei_new(void)
{
    static const char *const kinds[] = { "mean %s", "%s error", "worst %s" };
    static const char *const measures[MEASURES] = { "radius",      "texture",     "perimeter", "area",
                                                    "smoothness",  "compactness", "concavity", "concave points",
                                                    "symmetry",    "fractal dimension" };
    static const char *const classes[] = { "malignant", "benign" };
    char text[FEATURES][32];
    const char *names[FEATURES];
    for (size_t i = 0; i < FEATURES; i++) {
        snprintf(text[i], sizeof text[i], kinds[i / MEASURES], measures[i % MEASURES]);
        names[i] = text[i];
    }
    const lg_csv_options csv = { .skip_lines = 1, .target = "-1", .target_kind = LG_BINARY };
    lg_dataset *nuclei = embedded_read("breast_cancer.csv", &csv);
    if (nuclei && (lg_dataset_set_feature_names(nuclei, FEATURES, names) != LG_OK ||
                   lg_dataset_set_class_names(nuclei, 2, classes) != LG_OK)) {
        lg_dataset_free(nuclei);
        return NULL;
    }
    return nuclei;
}

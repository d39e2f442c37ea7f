/* Inside a data set, for the files of this folder. */
#ifndef LG_DATASET_INTERNAL_H
#define LG_DATASET_INTERNAL_H

#include <stdatomic.h>

#include "data/dataset.h"

typedef struct lg_dataset_names {
    char *target;
    size_t features, classes, category_columns;
    char **feature, **class_name;          /* one block each (lg_names_copy) */
    lg_category_column *category_column;   /* each name and category list a block of its own */
} lg_dataset_names;

struct lg_dataset {
    atomic_size_t references;
    size_t rows;

    /* A subset: rows row_map[0..rows) of `original`, and nothing below. */
    lg_dataset *original; /* counted; never a subset itself */
    size_t *row_map;

    lg_source source; /* source.fields points to `fields` */
    bool in_memory;   /* source.context is an lg_table */
    struct lg_blocks *blocks; /* source.context, if it is one (blocks_internal.h); else NULL */
    lg_field fields[LG_MAX_FIELDS];
    lg_dataset_names names;
};

/* The data set that has the source: itself, or what it is a subset of. */
static inline const lg_dataset *lg_dataset_original(const lg_dataset *dataset)
{
    return dataset->original ? dataset->original : dataset;
}

/* One more reference. The count is no part of a data set's value, hence from const. */
lg_dataset *lg_dataset_retain(const lg_dataset *dataset);

/* A copy of a list of texts in one block, to be released by one free(); NULL when out of memory. */
char **lg_names_copy(size_t count, const char *const *names, const char *what);

/* Adds a dense field whose values [rows, dims...] were allocated by the library; they are owned on success only. */
lg_status lg_dataset_adopt_field(lg_dataset *dataset, const lg_field *field, void *values);

lg_status lg_dataset_set_target_name(lg_dataset *dataset, const char *name);

/* Checks a field's name, rank and dims against those already there and the limits; LG_OK or the error. */
lg_status lg_field_check(const lg_field *fields, size_t field_count, const lg_field *field);

/* Product of dims, and bytes of one item of the field (a row, or a step of a ragged row); fields are checked before. */
size_t lg_field_size(const lg_field *field);
size_t lg_field_bytes(const lg_field *field);

/* Index of the field of that name, or `count`. */
size_t lg_field_find(const lg_field *fields, size_t count, const char *name);

/* A number that follows from what the rows hold, and in which order; false if the source does not say. */
bool lg_dataset_checksum(const lg_dataset *dataset, uint64_t *sum);

/* One number more in such a checksum. */
static inline uint64_t lg_checksum_add(uint64_t sum, uint64_t term)
{
    return sum * UINT64_C(0x100000001B3) + term;
}

/* LG_OK, or an error in the name of `what` unless "x" is there, dense and real. */
lg_status lg_dataset_require_x(const lg_dataset *dataset, const char *what);

#endif

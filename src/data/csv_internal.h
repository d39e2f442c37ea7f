/* A table on its way from a CSV file to a data set. csv.c reads rows, csv_columns.c decides what each column is,
 * csv_encode.c turns what was read into fields. */
#ifndef LG_CSV_INTERNAL_H
#define LG_CSV_INTERNAL_H

#include "data/csv.h"
#include "data/csv_reader_internal.h"
#include "data/number_internal.h"
#include "data/texts_internal.h"

typedef enum lg_csv_role { LG_CSV_FEATURE, LG_CSV_TARGET, LG_CSV_DROPPED } lg_csv_role;
typedef enum lg_csv_kind { LG_CSV_UNKNOWN, LG_CSV_NUMBER, LG_CSV_TEXT } lg_csv_kind;

typedef struct lg_csv_column {
    char *name;
    lg_csv_role role;
    lg_csv_kind kind;     /* unknown until a cell that is not missing comes */
    size_t slot;          /* feature: where its value stands in a row as read */
    lg_texts texts;       /* text, or target by class: what was seen; a cell's value is the number of its text */
    bool sealed;          /* texts are those of options->like: no other may come */
    bool missing;         /* some cell is missing, or "NA" is a category of options->like */
    size_t *rank;         /* [texts] sorted position of each text, once all are known */
    size_t categories;    /* distinct ranks, and one more for "NA" if missing */
} lg_csv_column;

typedef struct lg_csv_table {
    lg_csv_reader reader;
    const lg_csv_options *options;
    locale_t c_locale;
    lg_csv_column *columns;
    size_t column_count;
    bool header;          /* the first record names the columns */
    size_t target;        /* column, or column_count: none */
    lg_target_kind target_kind;
    const char *positive; /* LG_BINARY: the class that is 1; NULL: the second of two */
    size_t *features;     /* [width] column of each slot */
    size_t width;
    lg_text_encoding text;

    size_t rows;
    lg_real *x;           /* [rows, width] as read: numbers, numbers of texts, NaN where missing */
    size_t x_capacity;
    lg_real *values;      /* [rows] target by value */
    size_t values_capacity;
    int32_t *codes;       /* [rows] target by class */
    size_t codes_capacity;
} lg_csv_table;

/* From the first record: header or not, names, target, what is dropped, the order of features. *is_data says whether
 * the record is a row. */
lg_status lg_csv_plan(lg_csv_table *table, bool *is_data);

/* Whether a cell counts as missing under these options. */
bool lg_csv_is_missing(const lg_csv_table *table, const char *text);

/* A text as a double, for comparing classes of numbers (lg_real may not tell 16777216 from 16777217). */
bool lg_csv_number_of(const lg_csv_table *table, const char *text, double *value);

/* Whether two texts are the same class: the same bytes, or the same number. */
bool lg_csv_same_class(const lg_csv_table *table, const char *a, const char *b);

/* lg_dataset_read_csv of a file that is open. */
lg_dataset *lg_csv_read(lg_stream *stream, const lg_csv_options *options);

/* Begins a table: checks the options, which must live as long as the table, and opens the reader. Close may be called on
 * a zeroed table. */
lg_status lg_csv_open(lg_csv_table *table, lg_stream *stream, const lg_csv_options *options);
void lg_csv_close(lg_csv_table *table);

/* Reads all records of the file into the table; after each row that was kept `each`, unless NULL, is called. */
lg_status lg_csv_read_rows(lg_csv_table *table, lg_status (*each)(void *context), void *context);

/* Reads the reader's record into row table->rows, which is one more then unless the row is dropped. */
lg_status lg_csv_read_row(lg_csv_table *table);

/* The data set of all that was read. The table's arrays may have moved to it. */
lg_dataset *lg_csv_encode(lg_csv_table *table);

/* In steps, for rows that are not all in memory. Plan: which texts there are, and the width of a row. Encode: from a row
 * as it was read to one of "x". Name: feature names and text columns of the data set, whose "x" is of that width; its
 * target with its classes, *positive being the rank of the one that is 1 where there is one. */
lg_status lg_csv_plan_features(lg_csv_table *table, size_t *width, bool *some_text);
size_t lg_csv_encoded_width(const lg_csv_table *table, const lg_csv_column *column);
void lg_csv_encode_row(const lg_csv_table *table, const lg_real *row, lg_real *out);
lg_status lg_csv_name_features(const lg_csv_table *table, lg_dataset *dataset, size_t width);
lg_status lg_csv_plan_target(lg_csv_table *table, size_t *positive, const char ***classes);
lg_status lg_csv_name_target(const lg_csv_table *table, lg_dataset *dataset, size_t positive, const char *const *classes);

/* The error of a target that is one value in every row. */
lg_status lg_csv_fail_constant(const lg_csv_table *table, lg_real value);

/* `file:line: column "name": "cell" reason`, the cell cut and made printable. */
lg_status lg_csv_fail_cell(const lg_csv_table *table, size_t column, const lg_csv_cell *cell, const char *reason);

/* A text for messages: at most 40 bytes, no control characters. */
typedef struct lg_csv_excerpt {
    char text[48];
} lg_csv_excerpt;
lg_csv_excerpt lg_csv_excerpt_of(const char *text);

#endif

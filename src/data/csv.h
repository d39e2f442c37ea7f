/* Reading tables of comma-separated values.
 *
 *   lg_dataset *spam = lg_dataset_read_csv("spam.csv.gz", &(lg_csv_options){ .target = "type", .positive = "spam" });
 *
 * The file: RFC 4180, so cells may be quoted, hold delimiters and line ends inside quotes, and write a quote twice;
 * lines end in LF, CRLF or CR; a UTF-8 byte order mark is skipped; a gzip file is recognised by its content. Spaces and
 * tabs around an unquoted cell or around quotes do not belong to it. Empty lines are skipped. A quote inside an unquoted
 * cell is a character like any other. The locale has no say: numbers are written with a point.
 *
 * Columns: a feature column is one of numbers or one of text, whichever its first cell that is not missing is; text in
 * a column of numbers is an error that names its place ("12,5" is never taken for a category). Name a column in
 * text_columns to have its numbers taken as text. Numbers are rounded once, correctly, to lg_real; one that is too large
 * for it is an error.
 *
 * Missing cells: empty, NA, N/A, NaN, nan, NULL, null and ?.
 *
 * The data set has a field "x" [features] and, with a target, "y": feature names, class names and categories are
 * filled in. A file is read whole or not at all: any error returns NULL and keeps nothing. */
#ifndef LG_CSV_H
#define LG_CSV_H

#include "data/dataset.h"

LG_BEGIN_DECLS

typedef enum lg_target_kind {
    LG_TARGET_AUTO = 0, /* LG_BINARY if `positive` is given; else text is LG_CLASSES and numbers are LG_VALUES */
    LG_CLASSES = 1,     /* "y" int32: 0 .. classes-1; classes ordered by value if all are numbers, else by their bytes */
    LG_VALUES = 2,      /* "y" real: the numbers themselves */
    LG_BINARY = 3       /* "y" real: 1 where the cell is `positive`, else 0; class 0 is named after the only other class,
                         * or "not spam" if there are several. Without `positive` there must be two classes, and the
                         * second in order is positive */
} lg_target_kind;

typedef enum lg_header {
    LG_HEADER_AUTO = 0, /* the first row is a header unless one of its cells is a number */
    LG_HEADER_YES = 1,
    LG_HEADER_NO = 2 /* columns are named by their index from 0: "0", "1", ... */
} lg_header;

typedef enum lg_text_encoding {
    LG_TEXT_ONE_HOT = 0, /* a column of k texts becomes k indicators "sex=female", "sex=male", in sorted order */
    LG_TEXT_CODES = 1    /* one feature, 0 .. k-1 in sorted order (for embeddings; it is no quantity) */
} lg_text_encoding;

typedef enum lg_missing {
    LG_MISSING_ERROR = 0,    /* a missing cell is an error */
    LG_MISSING_KEEP = 1,     /* numbers: NaN, to be filled by an lg_imputer that was fitted on the training part alone */
    LG_MISSING_MEAN = 2,     /* numbers: the column's mean, ... */
    LG_MISSING_MEDIAN = 3,   /* ... its median ... (of the whole file: the validation part leaks into these two) */
    LG_MISSING_CONSTANT = 4, /* ... or missing_value */
    LG_MISSING_DROP_ROW = 5  /* the whole row is left out (the only one that accepts a missing target) */
    /* With 1 to 4, missing text is a category of its own, "NA", after the others. */
} lg_missing;

/* All-zero (or NULL): comma, header found by looking, no target, an error for anything missing. */
typedef enum lg_index_base { /* of LIBSVM files (libsvm.h) */
    LG_INDEX_BASE_AUTO = 0,  /* 0 if the file has an index 0, else 1; with like that data set's */
    LG_INDEX_BASE_0 = 1,
    LG_INDEX_BASE_1 = 2
} lg_index_base;

typedef struct lg_csv_options {
    const char *target;               /* column name, or index from 0 ("30"), negative from the end ("-1"); a name that
                                       * is there comes first; NULL: no target */
    lg_target_kind target_kind;
    const char *positive;             /* LG_BINARY: the class that is 1 (compared as numbers where both are) */
    lg_header header;
    char delimiter;                   /* 0: comma; else any byte but quote and line ends: ';', '\t', ' ' ... */
    size_t skip_lines;                /* lines before the table that are not part of it */
    const char *const *drop;          /* columns (names or indices) to leave out, ended by NULL; or NULL */
    const char *const *text_columns;  /* columns to read as text whatever they hold, ended by NULL; or NULL */
    lg_text_encoding text;
    size_t max_categories;            /* of one text column; more is an error (an id or free text); 0: 1000 */
    lg_missing missing;
    double missing_value;
    bool allow_nonfinite;             /* inf, -inf and nan are numbers (nan is then no error, and is filled if missing
                                       * numbers are); else an error */
    lg_index_base index_base;
    const lg_dataset *like;           /* read the file as this data set was read: same features in the same order, same
                                       * categories and classes (a text that it does not know is an error); or NULL.
                                       * Columns are found by name, others left out; in a file without a header whose
                                       * numbers are not those names, by position, and there must be as many */
} lg_csv_options;

/* Reads a table. NULL on error, with the file, the line (counted from 1, as an editor does, skipped lines and quoted
 * line ends included) and the column:
 *   creditcard.csv:1042: column "Amount": "12,5" is not a number
 * LG_E_IO if the file cannot be opened or read, LG_E_FORMAT for what is in it, LG_E_PARAM for options that do not fit
 * it (a target that is not there), LG_E_MEMORY. Memory in use stays near the size of the table. */
LG_API lg_dataset *lg_dataset_read_csv(const char *path, const lg_csv_options *options);

LG_END_DECLS

#endif

/* One array in a file, whatever its format: idx.c and npy.c read headers, array.c the elements, array_dataset.c makes a
 * data set of them. */
#ifndef LG_ARRAY_INTERNAL_H
#define LG_ARRAY_INTERNAL_H

#include "data/read.h"
#include "data/stream_internal.h"

#define LG_ARRAY_MOST_AXES 32

typedef enum lg_element { LG_U1, LG_U2, LG_U4, LG_U8, LG_I1, LG_I2, LG_I4, LG_I8, LG_F2, LG_F4, LG_F8, LG_BOOL } lg_element;

typedef struct lg_array_header {
    lg_element element;
    const char *element_name; /* in the words of the format, for messages: "ubyte", "<f4" */
    bool big_endian, fortran_order;
    size_t rank, dims[LG_ARRAY_MOST_AXES];
} lg_array_header;

/* Reads the header of an open file; LG_E_FORMAT says at which byte it is wrong. */
lg_status lg_idx_header(lg_stream *stream, lg_array_header *header);
lg_status lg_npy_header(lg_stream *stream, lg_array_header *header);

/* Whether a file that begins like this is of the format, or means to be. */
bool lg_idx_is(const unsigned char *head, size_t count);
bool lg_npy_is(const unsigned char *head, size_t count);

/* Reads the header of a file that is IDX or NPY; other files are LG_E_FORMAT. */
lg_status lg_array_header_read(lg_stream *stream, lg_array_header *header);

/* What becomes of an element. */
typedef struct lg_array_store {
    enum { LG_STORE_REAL, LG_STORE_DOUBLE, LG_STORE_INT32 } type;
    bool allow_nan, allow_infinite;
    double divide_by; /* 0: by nothing */
} lg_array_store;

/* Reads all elements, in C order, into memory that grows with them and is released by free(); the file must end with
 * them. *count is their number. */
lg_status lg_array_read(lg_stream *stream, const lg_array_header *header, const lg_array_store *store, void **values,
                        size_t *count);

/* Elements first .. first + count - 1 in the order of the file, whose array begins at byte `start`, into `values`, real
 * numbers of the kind that `store` says. LG_E_IO also for a file that has become shorter. */
lg_status lg_array_read_at(int descriptor, const char *path, const lg_array_header *header, uint64_t start, size_t first,
                           size_t count, const lg_array_store *store, void *values);

/* Whether the header's sizes fit into an address space and, if its size is known, the file; *count is of elements. */
lg_status lg_array_check_sizes(const lg_stream *stream, const lg_array_header *header, size_t *count);

bool lg_element_is_integer(lg_element element);

/* The data set of the array that comes after the header; its labels from options->labels, or from a stream (or NULL). */
lg_dataset *lg_array_dataset(lg_stream *stream, const lg_array_header *header, const lg_read_options *options);
lg_dataset *lg_array_dataset_with(lg_stream *stream, const lg_array_header *header, lg_stream *labels,
                                  const lg_read_options *options);

/* The parts of it: whether options have a meaning here; the shape of a row of "x"; the column that is the target, which the
 * field is without; whether rows are like others; whether an array has a label for each row of the file `owner`; how
 * elements become features. */
lg_status lg_array_check_options(const char *path, const lg_read_options *options, bool labels);
lg_status lg_array_plan_rows(const char *path, const lg_array_header *header, const lg_read_options *options, lg_field *x);
lg_status lg_array_find_column(const char *path, const lg_array_header *header, const char *text, size_t *index);
lg_status lg_array_check_like(const char *path, const lg_field *x, const lg_dataset *like);
lg_status lg_array_check_labels(const char *path, const lg_array_header *header, size_t rows, const char *owner);
lg_array_store lg_array_store_of(const lg_array_header *header, const lg_read_options *options);

/* Opens a file, reads its header by `read_header` and the data set after it. */
lg_dataset *lg_array_open(const char *path, lg_status (*read_header)(lg_stream *, lg_array_header *),
                          const lg_read_options *options);

/* "60000 x 28 x 28", for messages. */
typedef struct lg_dims_text {
    char text[128];
} lg_dims_text;
lg_dims_text lg_dims_text_of(size_t rank, const size_t *dims);

#endif

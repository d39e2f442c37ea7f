/* Models in files: safetensors, which PyTorch, Hugging Face's libraries and many others read and write.
 *
 *     lg_metadata facts[] = { { "classes", "cat,dog" } };
 *     lg_params_save(params, "model.safetensors", facts, 1);
 *     lg_params_load(params, "model.safetensors");
 *
 * The file is a length (8 bytes, little-endian), so many bytes of JSON, and the tensors' values, row-major and
 * little-endian:
 *
 *     {"__metadata__": {"classes": "cat,dog"},
 *      "hidden.weight": {"dtype": "F32", "shape": [32, 64], "data_offsets": [0, 8192]}, ...}
 *
 * Every rule of the format is checked before a value is read: lengths against the file's size (and the header's against
 * 100 MB), that the header begins with '{' and says nothing twice, that shapes and types make up the bytes they claim,
 * and that the tensors cover the rest of the file without overlap or hole. A file that breaks one is LG_E_FORMAT, and
 * the message names the file, the tensor and the rule.
 *
 * Files are written under a temporary name, synced and renamed: a full disk or a kill leaves the old one. (A path that
 * is no regular file is written in place.)   https://huggingface.co/docs/safetensors, format of library version 0.8 */
#ifndef LG_SAFETENSORS_H
#define LG_SAFETENSORS_H

#include "autograd/params.h"

LG_BEGIN_DECLS

/* A text that goes with a file. Keys are unique; both are UTF-8. */
typedef struct lg_metadata {
    const char *key, *value;
} lg_metadata;

/* --------------------------------------------------------------- parameters */

/* Writes every tensor of the set under its name: F32, or F64 in the double build. `metadata` has `count` texts, and may
 * be NULL with 0.
 * LG_E_PARAM for NULL, for a text that is not UTF-8, a key that comes twice; LG_E_IO, LG_E_MEMORY. */
LG_API lg_status lg_params_save(const lg_params *params, const char *path, const lg_metadata *metadata, size_t count);

/* Sets every tensor of the set from the file: F32, F64, F16 or BF16, rounded to lg_real. Names must be the same on both
 * sides, shapes equal dim by dim. On failure the set is as it was.
 * LG_E_IO; LG_E_FORMAT; LG_E_PARAM naming a tensor that one side lacks; LG_E_SHAPE, LG_E_DTYPE; LG_E_MEMORY. */
LG_API lg_status lg_params_load(lg_params *params, const char *path);

/* ------------------------------------------------------------- any file, read */

typedef enum lg_file_dtype {
    LG_FILE_F32 = 0,
    LG_FILE_F64,
    LG_FILE_F16,
    LG_FILE_BF16,
    LG_FILE_BOOL,
    LG_FILE_U8,
    LG_FILE_I8,
    LG_FILE_U16,
    LG_FILE_I16,
    LG_FILE_U32,
    LG_FILE_I32,
    LG_FILE_U64,
    LG_FILE_I64,
    LG_FILE_C64,
    LG_FILE_F8_E4M3,
    LG_FILE_F8_E5M2,
    LG_FILE_F8_E8M0,
    LG_FILE_F6_E2M3,
    LG_FILE_F6_E3M2,
    LG_FILE_F4
} lg_file_dtype;

/* The one that holds an lg_real. */
#ifdef LG_DOUBLE
#define LG_FILE_REAL LG_FILE_F64
#else
#define LG_FILE_REAL LG_FILE_F32
#endif

/* "F32"; NULL for a number that is none. */
LG_API const char *lg_file_dtype_name(lg_file_dtype dtype);

typedef struct lg_file_tensor {
    const char *name;
    lg_file_dtype dtype;
    size_t rank;        /* any, also above LG_MAX_RANK */
    const size_t *dims;
    size_t size;        /* the product of the dims */
    size_t bytes;       /* in the file */
    size_t offset;      /* from the beginning of the file */
} lg_file_tensor;

typedef struct lg_safetensors lg_safetensors;

/* Opens a file and checks it whole. NULL with LG_E_IO (missing, unreadable, no regular file), LG_E_FORMAT or
 * LG_E_MEMORY. Memory: what the header takes. The close takes NULL. */
LG_API lg_safetensors *lg_safetensors_open(const char *path);
LG_API void lg_safetensors_close(lg_safetensors *file);

/* The tensors, in the order of their values in the file: their number, the i-th (NULL beyond the end), the one of a name
 * (NULL and LG_E_PARAM with the nearest name if there is none; lg_safetensors_has only looks). They live as long as the
 * file is open. */
LG_API size_t lg_safetensors_count(const lg_safetensors *file);
LG_API const lg_file_tensor *lg_safetensors_at(const lg_safetensors *file, size_t i);
LG_API const lg_file_tensor *lg_safetensors_find(const lg_safetensors *file, const char *name);
LG_API bool lg_safetensors_has(const lg_safetensors *file, const char *name);

/* The texts: their number, the i-th in the header's order (NULLs beyond the end), the value of a key (NULL if there is
 * none, which is no error). They live as long as the file is open. */
LG_API size_t lg_safetensors_metadata_count(const lg_safetensors *file);
LG_API lg_metadata lg_safetensors_metadata_at(const lg_safetensors *file, size_t i);
LG_API const char *lg_safetensors_metadata(const lg_safetensors *file, const char *key);

/* Reads a tensor of the file into values[size]: F32, F64, F16, BF16, rounded to lg_real (what is too large becomes
 * infinite; NaN stays NaN). LG_E_DTYPE for another type; LG_E_IO; LG_E_FORMAT if the file has shrunk since. */
LG_API lg_status lg_safetensors_read(const lg_safetensors *file, const lg_file_tensor *tensor, lg_real *values);

/* The same, of a tensor of any type, as the `bytes` bytes of the file, little-endian. */
LG_API lg_status lg_safetensors_read_bytes(const lg_safetensors *file, const lg_file_tensor *tensor, void *bytes);

/* Reads an F64 tensor into values[size] as it is, where lg_real may have fewer digits. LG_E_DTYPE for another type; else as
 * lg_safetensors_read. */
LG_API lg_status lg_safetensors_read_doubles(const lg_safetensors *file, const lg_file_tensor *tensor, double *values);

/* A new tensor on the heap: real from F32, F64, F16, BF16, indices from I32. NULL with LG_E_PARAM for a name that is not
 * there, LG_E_SHAPE for a rank above LG_MAX_RANK, and what lg_safetensors_read says. */
LG_API lg_tensor *lg_safetensors_tensor(const lg_safetensors *file, const char *name);

/* Sets every tensor of a set from the one named prefix + its name ("" for its own name), as lg_params_load does, but
 * leaves tensors of the file alone that the set does not have. */
LG_API lg_status lg_safetensors_read_params(const lg_safetensors *file, const char *prefix, lg_params *params);

/* ---------------------------------------------------------- any file, written */

/* A tensor to be written: its values as they lie in memory, row-major, in the machine's own byte order. A name is UTF-8,
 * not empty, not "__metadata__". */
typedef struct lg_file_entry {
    const char *name;
    lg_file_dtype dtype;
    size_t rank;
    const size_t *dims;  /* may be NULL for rank 0 */
    const void *values;  /* may be NULL for a size of 0 */
} lg_file_entry;

/* Writes a file. Wider types come first, as the Python library has it, so that every tensor is aligned; among equals the
 * order is that of the entries. LG_E_PARAM for NULL, for a name or key that comes twice or is no name, for a header above
 * 100 MB; LG_E_SHAPE for a size that overflows or is no whole number of bytes; LG_E_IO; LG_E_MEMORY. */
LG_API lg_status lg_safetensors_write(const char *path, const lg_file_entry *entries, size_t count,
                                      const lg_metadata *metadata, size_t metadata_count);

LG_END_DECLS

#endif

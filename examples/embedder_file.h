/* A network of embedder.h as a safetensors file: weights, the scale of its inputs and, as texts, what it is built of. */
#ifndef EXAMPLES_EMBEDDER_FILE_H
#define EXAMPLES_EMBEDDER_FILE_H

#include "embedder.h"

/* Writes it whole, in place of what was there, with more tensors and texts of one's own. */
lg_status embedder_save(const embedder *e, const char *path, const lg_file_entry *more, size_t more_count,
                        const lg_metadata *texts, size_t text_count);

/* Reads the network; *e is all zeros on error. LG_E_FORMAT, naming `path`, for a file of tensors that is no such network. */
lg_status embedder_load(embedder *e, const lg_safetensors *file, const char *path);

#endif

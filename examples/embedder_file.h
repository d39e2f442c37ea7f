/* A network of embedder.h as a safetensors file: weights, the scale of its inputs and, as texts, its layers. */
#ifndef EXAMPLES_EMBEDDER_FILE_H
#define EXAMPLES_EMBEDDER_FILE_H

#include "embedder.h"

/* Of the model files of siamese, triplet and faces: any of them goes on from a model of the others. */
#define EMBEDDER_KIND "embedder"

/* Leaves model.safetensors: the network, what it takes to find its columns in other tables (model_save_table), and the
 * distance within which two rows count as alike; NaN: none was chosen. */
lg_status embedder_leave(run *r, const embedder *e, const trainer_data *data, double threshold);

/* Writes it whole, in place of what was there, with more tensors and texts of one's own. */
lg_status embedder_save(const embedder *e, const char *path, const lg_file_entry *more, size_t more_count,
                        const lg_metadata *texts, size_t text_count);

/* Reads the network; *e is all zeros on error. LG_E_FORMAT, naming the path, for a file that holds no such network. */
lg_status embedder_load(embedder *e, const loaded_model *m);

#endif

/* A gallery of registered people: the network, the threshold, and a vector for every picture, in one safetensors file
 * that is replaced whole. What is in it, beside the network (embedder_file.h):
 *
 *   people.vectors  [pictures, width]   people.person  I32 [pictures], which of the names
 *   texts           "names", a JSON list; "threshold"; "false_accepts", the rate that it was chosen at; "features" and
 *                   "categories", what the columns of a table of pictures are called (model_file.h) */
#ifndef EXAMPLES_GALLERY_H
#define EXAMPLES_GALLERY_H

#include "embedder_file.h"

typedef struct gallery {
    embedder net;
    loaded_model model;       /* whose columns those of a table are: the gallery's file, or a model.safetensors */
    double threshold, false_accepts;
    char **names;             /* [people] */
    size_t people, pictures;
    lg_real *vectors;         /* [pictures, net.width] */
    int32_t *person;          /* [pictures] */
} gallery;

/* Reads a gallery; *g is to be freed by gallery_free, also on error. LG_E_FORMAT for a file of another kind. */
lg_status gallery_open(gallery *g, const char *path);
lg_status gallery_save(const gallery *g, const char *path);
void gallery_free(gallery *g);

/* Waits until no other program changes the gallery of this path; it is ours until the descriptor is closed. -1 with the
 * message. */
int gallery_lock(const char *path);

/* Adds pictures, raw inputs [count, net.inputs], under a name, new or not. LG_E_PARAM for what is no name. */
lg_status gallery_register(gallery *g, const char *name, size_t count, lg_real *inputs);

/* Takes a name and its pictures out; LG_E_PARAM when nobody is called so. */
lg_status gallery_forget(gallery *g, const char *name);

/* The vectors of raw inputs [count, net.inputs], which are scaled in place: [count, net.width], on the heap. */
lg_tensor *gallery_embed(gallery *g, size_t count, lg_real *inputs);

/* The nearest picture to a vector: its place and its distance; `pictures` and infinity in an empty gallery. */
size_t gallery_nearest(const gallery *g, const lg_real *vector, double *distance);

#endif

/* The hidden layers of a network: as an option, as layers, and as a text of model.safetensors. */
#ifndef EXAMPLES_HIDDEN_H
#define EXAMPLES_HIDDEN_H

#include "loaded_model.h"

#define MOST_HIDDEN 8

typedef struct hidden_layers {
    size_t width[MOST_HIDDEN], count;
} hidden_layers;

/* The value of --hidden: "64,32". */
hidden_layers hidden_argument(struct argp_state *state, const char *text);

/* Adds them to a network, as dense_1, dense_2, ... */
void hidden_add(const hidden_layers *hidden, lg_sequential *net, lg_activation activation, lg_rng *rng);

/* "3,64,32,1": features, hidden layers, outputs; for the metadata "layers". */
#define HIDDEN_TEXT (24 * (MOST_HIDDEN + 2))
void hidden_text(const hidden_layers *hidden, size_t features, size_t outputs, char text[HIDDEN_TEXT]);

/* The same read again; and that all these layers are in the file, that of the outputs by the name `last`, or as the next
 * dense_ if that is NULL. LG_E_FORMAT. */
lg_status hidden_load(const loaded_model *m, const char *last, hidden_layers *hidden, size_t *outputs);

/* The same of a model that is not of a table's columns, but of so many inputs. */
lg_status hidden_load_inputs(const loaded_model *m, size_t inputs, const char *last, hidden_layers *hidden,
                             size_t *outputs);

#endif

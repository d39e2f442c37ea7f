/* model.safetensors of a line reader: its layers and, as texts, "layers" (inputs, hidden layers, classes), "height" of
 * a line, "window" and "stride", and "characters", a JSON list of those of the classes after the blank, which is class
 * 0. */
#ifndef EXAMPLES_CTC_FILE_H
#define EXAMPLES_CTC_FILE_H

#include "ctc_lines.h"

lg_status ctc_file_save(run *r, const lg_params *params, const ctc_lines *lines, const hidden_layers *hidden);

/* Opens what --load names: alphabet, height and frames into `lines`, hidden layers into `options`. Close it by
 * loaded_close also on error. */
lg_status ctc_file_open(loaded_model *m, ctc_lines *lines, ctc_options *options);

#endif

/* NPZ files among others (npz.h). */
#ifndef LG_NPZ_INTERNAL_H
#define LG_NPZ_INTERNAL_H

#include "data/npz.h"

/* lg_dataset_read_npz with a path and options that are there. */
lg_dataset *lg_npz_dataset(const char *path, const lg_read_options *options);

#endif

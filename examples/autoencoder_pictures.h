/* What a trained autoencoder makes of rows and of noise, in pictures. */
#ifndef EXAMPLES_AUTOENCODER_PICTURES_H
#define EXAMPLES_AUTOENCODER_PICTURES_H

#include "autoencoder.h"
#include "trainer.h"

/* PNG pictures of height x width pixels:
 *   reconstructions.png  bands of two rows: validation rows above what the decoder makes of the means of their codes
 *   samples.png          what the decoder makes of codes drawn from N(0, 1)
 *   walk.png             each row leads from the code of one validation row to that of another, in equal steps */
lg_status autoencoder_pictures(run *r, autoencoder *model, const trainer_data *data, size_t height, size_t width,
                               uint64_t seed);

#endif

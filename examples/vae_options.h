/* The command line of the vae trainer. */
#ifndef EXAMPLES_VAE_OPTIONS_H
#define EXAMPLES_VAE_OPTIONS_H

#include "autoencoder.h"
#include "trainer.h"

typedef struct vae_options {
    trainer_options shared; /* first: the shared parser knows no other */
    autoencoder_options model; /* beta NaN: not given, with --load */
    size_t height, width; /* of --shape; 0: not given */
    const char *score;
    bool textbook;
} vae_options;

enum { VAE_TEXTBOOK_SIDE = 28 };

extern const trainer vae_about;

/* The defaults, changed by the command line; ends the program for --help and for usage errors. */
vae_options vae_parse(int argc, char **argv);

/* Notes those that are its own. */
void vae_note(run *r, const vae_options *options);

#endif

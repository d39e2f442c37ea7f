/* faces register, identify, list and forget: what is done with a gallery of people (gallery.h). */
#ifndef EXAMPLES_FACES_GALLERY_H
#define EXAMPLES_FACES_GALLERY_H

/* The gallery of a run's folder. */
#define FACES_GALLERY "gallery.safetensors"

/* The whole program but for faces train; returns the exit status. */
int faces_gallery(int argc, char **argv);

#endif

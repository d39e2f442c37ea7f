/* Replaying a fuzzer's corpus in the ordinary tests. */
#ifndef FUZZ_REPLAY_H
#define FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

/* Gives every file of tests/fuzz/`folder` to `target`, and of each 60 variations made by a fixed seed: cut, or with a few
 * bytes overwritten by some of telling[count], which mean something to the format. There must be at least `least` files. */
void replay_corpus(const char *folder, int (*target)(const uint8_t *bytes, size_t count), const char *telling,
                   size_t count, size_t least);

#endif

#include "fuzz_replay.h"

#include "support.h"
#include "tensor/random.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 1 << 16, VARIATIONS = 60 };

static size_t read_file(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    size_t count = fread(bytes, 1, LONGEST, file);
    fclose(file);
    return count;
}

static size_t vary(uint8_t *bytes, size_t size, const char *telling, size_t count, lg_rng *rng)
{
    if (lg_rng_below(rng, 4) == 0)
        return lg_rng_below(rng, size + 1);
    for (size_t k = 1 + lg_rng_below(rng, 4); k > 0; k--)
        bytes[lg_rng_below(rng, size)] = (uint8_t)telling[lg_rng_below(rng, count)];
    return size;
}

void replay_corpus(const char *folder, int (*target)(const uint8_t *bytes, size_t count), const char *telling,
                   size_t count, size_t least)
{
    static uint8_t original[LONGEST], bytes[LONGEST];
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/tests/fuzz/%s/*", test_source_dir(), folder);
    glob_t found;
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    ck_assert_uint_ge(found.gl_pathc, least);
    lg_rng rng = lg_rng_seed(1);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const size_t size = read_file(found.gl_pathv[i], original);
        ck_assert_uint_gt(size, 2);
        target(original, size);
        for (size_t k = 0; k < VARIATIONS; k += test_stride(5)) {
            memcpy(bytes, original, size);
            target(bytes, vary(bytes, size, telling, count, &rng));
        }
    }
    globfree(&found);
}

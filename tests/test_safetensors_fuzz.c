/* Replays the model files of others through the fuzzer's target, and variations of them made by a fixed seed. */
#define LLVMFuzzerTestOneInput fuzz_safetensors
#include "fuzz/safetensors.c"

#include <check.h>
#include <glob.h>

#include "support.h"
#include "tensor/random.h"

enum { LONGEST = 1 << 12, VARIATIONS = 400 };

static size_t read_file(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    const size_t count = fread(bytes, 1, LONGEST, file);
    fclose(file);
    return count;
}

/* Cuts, or overwrites a few bytes of the header by ones that mean something in JSON. */
static size_t vary(uint8_t *bytes, size_t count, lg_rng *rng)
{
    static const uint8_t telling[] = "0123456789,:\"[]{}-. eF\\\0\xFF";
    if (lg_rng_below(rng, 8) == 0)
        return lg_rng_below(rng, count + 1);
    for (size_t k = 1 + lg_rng_below(rng, 3); k > 0; k--)
        bytes[lg_rng_below(rng, count)] = telling[lg_rng_below(rng, sizeof telling - 1)];
    return count;
}

START_TEST(files_and_their_variations_are_read_or_refused)
{
    static uint8_t original[LONGEST], bytes[LONGEST];
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/tests/reference/safetensors/*.safetensors", test_source_dir());
    glob_t found;
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    ck_assert_uint_ge(found.gl_pathc, 4);
    lg_rng rng = lg_rng_seed(1);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const size_t count = read_file(found.gl_pathv[i], original);
        ck_assert_uint_gt(count, 8);
        fuzz_safetensors(original, count);
        for (size_t k = 0; k < VARIATIONS; k++) {
            memcpy(bytes, original, count);
            fuzz_safetensors(bytes, vary(bytes, count, &rng));
        }
    }
    globfree(&found);
}
END_TEST

Suite *safetensors_fuzz_suite(void)
{
    Suite *suite = suite_create("safetensors_fuzz");
    TCase *tcase = tcase_create("safetensors_fuzz");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, files_and_their_variations_are_read_or_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

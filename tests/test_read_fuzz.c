/* Replays the fuzzer's corpus of all formats, and variations of it made by a fixed seed. */
#define LLVMFuzzerTestOneInput fuzz_read
#include "fuzz/read.c"

#include <check.h>
#include <glob.h>

#include "support.h"
#include "tensor/random.h"

enum { LONGEST = 1 << 12, VARIATIONS = 60 };

static size_t read_file(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    size_t count = fread(bytes, 1, LONGEST, file);
    fclose(file);
    return count;
}

/* Cuts, changes a bit, or overwrites a few bytes by ones that mean something to a format. */
static size_t vary(uint8_t *bytes, size_t count, lg_rng *rng)
{
    static const uint8_t telling[] = "\0\1\2\3\x08\x0B\x0C\x0D\x0E\x7F\xFF<>|fiub1248(),:{}'#\n\r \t-.e9";
    if (lg_rng_below(rng, 4) == 0)
        return lg_rng_below(rng, count + 1);
    for (size_t k = 1 + lg_rng_below(rng, 4); k > 0; k--)
        bytes[lg_rng_below(rng, count)] = telling[lg_rng_below(rng, sizeof telling - 1)];
    return count;
}

START_TEST(the_corpus_and_its_variations_are_read_or_refused)
{
    static uint8_t original[LONGEST], bytes[LONGEST];
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/tests/fuzz/read/*", test_source_dir());
    glob_t found;
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    ck_assert_uint_ge(found.gl_pathc, 10);
    lg_rng rng = lg_rng_seed(1);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t count = read_file(found.gl_pathv[i], original);
        ck_assert_uint_gt(count, 2);
        fuzz_read(original, count);
        for (size_t k = 0; k < VARIATIONS; k++) {
            memcpy(bytes, original, count);
            fuzz_read(bytes, vary(bytes, count, &rng));
        }
    }
    globfree(&found);
}
END_TEST

Suite *read_fuzz_suite(void)
{
    Suite *suite = suite_create("read_fuzz");
    TCase *tcase = tcase_create("read_fuzz");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_corpus_and_its_variations_are_read_or_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

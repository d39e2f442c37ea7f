/* Replays the fuzzer's corpora of all formats of data but CSV (test_csv_fuzz.c), and variations of them. */
#define LLVMFuzzerTestOneInput fuzz_read
#include "fuzz/read.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_npy
#include "fuzz/npy.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_npz
#include "fuzz/npz.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_idx
#include "fuzz/idx.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_libsvm
#include "fuzz/libsvm.c"

#include "fuzz_replay.h"

#include <check.h>

static const struct {
    const char *folder;
    int (*target)(const uint8_t *bytes, size_t count);
    size_t least;
} corpora[] = { { "read", fuzz_read, 6 }, { "npy", fuzz_npy, 5 }, { "npz", fuzz_npz, 3 }, { "idx", fuzz_idx, 4 },
                { "libsvm", fuzz_libsvm, 2 } };

START_TEST(the_corpus_and_its_variations_are_read_or_refused)
{
    static const char telling[] = "\0\1\2\3\x08\x0B\x0C\x0D\x0E\x7F\xFF<>|fiub1248(),:{}'#\n\r \t-.e9";
    replay_corpus(corpora[_i].folder, corpora[_i].target, telling, sizeof telling - 1, corpora[_i].least);
}
END_TEST

Suite *read_fuzz_suite(void)
{
    Suite *suite = suite_create("read_fuzz");
    TCase *tcase = tcase_create("read_fuzz");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, the_corpus_and_its_variations_are_read_or_refused, 0,
                        (int)(sizeof corpora / sizeof *corpora));
    suite_add_tcase(suite, tcase);
    return suite;
}

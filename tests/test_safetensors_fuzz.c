/* Replays the fuzzer's corpus of safetensors, and variations of it. */
#define LLVMFuzzerTestOneInput fuzz_safetensors
#include "fuzz/safetensors.c"

#include "fuzz_replay.h"

#include <check.h>

START_TEST(the_corpus_and_its_variations_are_read_or_refused)
{
    static const char telling[] = "\0\1\7\x10\x7F\x80\xFF{}[]\",: \\0123456789FBIU_aeu-.";
    replay_corpus("safetensors", fuzz_safetensors, telling, sizeof telling - 1, 10);
}
END_TEST

Suite *safetensors_fuzz_suite(void)
{
    Suite *suite = suite_create("safetensors_fuzz");
    TCase *tcase = tcase_create("safetensors_fuzz");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_corpus_and_its_variations_are_read_or_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

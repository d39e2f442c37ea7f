/* Replays the fuzzer's corpus of all formats of data, and variations of it. */
#define LLVMFuzzerTestOneInput fuzz_read
#include "fuzz/read.c"

#include "fuzz_replay.h"

#include <check.h>

START_TEST(the_corpus_and_its_variations_are_read_or_refused)
{
    static const char telling[] = "\0\1\2\3\x08\x0B\x0C\x0D\x0E\x7F\xFF<>|fiub1248(),:{}'#\n\r \t-.e9";
    replay_corpus("read", fuzz_read, telling, sizeof telling - 1, 10);
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

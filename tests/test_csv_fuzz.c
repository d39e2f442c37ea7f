/* Replays the fuzzer's corpus of the CSV reader, and variations of it. */
#define LLVMFuzzerTestOneInput fuzz_csv
#include "fuzz/csv.c"

#include "fuzz_replay.h"

#include <check.h>

START_TEST(the_corpus_and_its_variations_are_read_or_refused)
{
    static const char telling[] = "\",\n\r ;\t\0-.eN?9\xEF";
    replay_corpus("csv", fuzz_csv, telling, sizeof telling - 1, 10);
}
END_TEST

Suite *csv_fuzz_suite(void)
{
    Suite *suite = suite_create("csv_fuzz");
    TCase *tcase = tcase_create("csv_fuzz");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_corpus_and_its_variations_are_read_or_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

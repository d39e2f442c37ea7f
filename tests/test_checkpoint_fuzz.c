/* Replays the fuzzer's corpus of checkpoints, and variations of it. */
#define LLVMFuzzerTestOneInput fuzz_checkpoint
#include "fuzz/checkpoint.c"

#include "fit_support.h"
#include "fuzz_replay.h"

#include <check.h>

/* What the target trains does save what it goes on from, and the sum that the target writes is the right one. */
START_TEST(an_unchanged_checkpoint_is_gone_on_from)
{
    make_folder();
    const char *path = in_folder("c.safetensors");
    for (uint8_t way = 0; way < FUZZ_WAYS; way++) {
        lg_history *half = fuzz_train(way, 2, NULL, path), *again = fuzz_train(way, 3, path, NULL);
        lg_history *whole = fuzz_train(way, 3, NULL, NULL);
        ck_assert_msg(half && whole && again, "way %d: %s", way, lg_error());
        ck_assert_uint_eq(lg_history_rows(again), 3);
        ck_assert_double_eq(lg_history_last(again, "loss"), lg_history_last(whole, "loss"));
        lg_safetensors *file = lg_safetensors_open(path);
        uint64_t sum;
        char text[24];
        ck_assert(fuzz_sum(path, &sum));
        snprintf(text, sizeof text, "%016" PRIx64, sum);
        ck_assert_str_eq(lg_safetensors_metadata(file, LG_CHECKPOINT_SUM), text);
        lg_safetensors_close(file);
        lg_history_free(half);
        lg_history_free(whole);
        lg_history_free(again);
    }
    remove_folder();
}
END_TEST

START_TEST(the_corpus_and_its_variations_are_gone_on_from_or_refused)
{
    static const char telling[] = "\0\1\7\x10\x7F\x80\xFF{}[]\",: \\0123456789abcdef./-FU_";
    replay_corpus("checkpoint", fuzz_checkpoint, telling, sizeof telling - 1, 8);
}
END_TEST

Suite *checkpoint_fuzz_suite(void)
{
    Suite *suite = suite_create("checkpoint_fuzz");
    TCase *tcase = tcase_create("checkpoint_fuzz");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, an_unchanged_checkpoint_is_gone_on_from);
    tcase_add_test(tcase, the_corpus_and_its_variations_are_gone_on_from_or_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
